"""The inner part of a fold's training rows, which everything that chooses may read."""

import numpy as np
from numpy.typing import NDArray

from fercli.errors import InputError
from fercli.protocol.balance import placements
from fercli.protocol.duplicates import merge
from fercli.records import Fold
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


def inner_folds(
    outer: Fold,
    labels: NDArray[np.int64],
    groups: NDArray[np.int64],
    copies: NDArray[np.int64],
    *,
    k: int,
    fraction: float,
    seed: int,
) -> tuple[Fold, ...]:
    """k folds of a fold's training rows, for choices by cross validation: whole groups, copies together, stratified.

    labels, groups, copies: (N,) int64 for all rows, read at the training rows only; rows of one group share a fold
    whatever the outer folds allow. Each inner fold has an inner part of its own (`fraction`), for early stopping.
    The draw depends on (seed, repeat, fold) and on the training rows. With fewer than k units there are as many
    folds as units; InputError below two.
    """
    units = merge(groups[outer.train], copies[outer.train])
    k = min(k, int(units.max()) + 1)
    if k < 2:
        raise InputError(
            "the training rows of a fold form one group, which cannot be divided to choose by",
            where=f"repeat {outer.repeat}, fold {outer.fold}",
            next_step="use data with more groups, or leave out the option that chooses",
        )
    drawn = generator(seed, "protocol.inner_folds", outer.repeat, outer.fold)
    placed = placements(labels[outer.train], units, np.full(k, 1.0 / k), drawn)[0].bins
    made = []
    for number in range(k):
        train, test = outer.train[placed != number], outer.train[placed == number]
        inner = inner_rows(
            train, labels, groups, copies, fraction=fraction, seed=seed, repeat=outer.repeat, fold=outer.fold
        )
        made.append(Fold(outer.repeat, outer.fold, train, test, inner))
    return tuple(made)
