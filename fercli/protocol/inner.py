"""The inner part of a fold's training rows, which everything that chooses may read."""

import numpy as np
from numpy.typing import NDArray

from fercli.protocol.balance import placements
from fercli.protocol.duplicates import merge
from fercli.seeds import generator


def inner_rows(
    train: NDArray[np.int64],
    labels: NDArray[np.int64],
    groups: NDArray[np.int64],
    copies: NDArray[np.int64],
    *,
    fraction: float,
    seed: int,
    repeat: int,
    fold: int,
) -> NDArray[np.int64]:
    """Sorted rows of `train` for early stopping and other choices: whole groups, whole sets of copies, stratified.

    train: (n,) row indices. labels, groups, copies: (N,) int64 for all rows, read at `train` only. The draw depends
    on (seed, repeat, fold) and on the training rows. Where the groups are too coarse for `fraction` (0 to 0.5) the
    part is as near to it as they allow; it is empty only when training rows form a single unit.
    """
    units = merge(groups[train], copies[train])
    if len(np.unique(units)) < 2:
        return np.empty(0, dtype=np.int64)
    rng = generator(seed, "protocol.inner", repeat, fold)
    shares = np.array([fraction, 1.0 - fraction])
    for placement in placements(labels[train], units, shares, rng):
        chosen = placement.bins == 0
        if 0 < chosen.sum() < len(train):
            return np.sort(train[chosen])
    smallest = int(np.argmin(np.bincount(units)))
    return np.sort(train[units == smallest])
