"""How many hidden units are enough: the smallest size within a standard error of the best, by cross validation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.bp.pruning import PruneRecord


@dataclass(frozen=True)
class SizeChoice:
    """What cross validation says of every size from the full network down to one unit.

    units: (H,) sizes, falling. mean, error: (H,) mean held-out log loss over the inner folds, and its standard error.
    best: the size with the lowest mean. chosen: the smallest size whose mean is at most that of `best` plus so many of
    its errors.
    """

    units: NDArray[np.int64]
    mean: NDArray[np.float64]
    error: NDArray[np.float64]
    best: int
    chosen: int


def size_paths(records: Sequence[PruneRecord], starts: Sequence[float], hidden: int) -> NDArray[np.float64]:
    """(S, H) held-out loss of S networks at H, H-1 … 1 units, from the records of their pruning.

    starts: (S,) loss before the first removal. A size that a network jumped over (several units in one round) has
    the loss of the next larger size it stopped at, and so has every size below its last.
    """
    paths = np.full((len(starts), hidden), np.nan)
    paths[:, 0] = starts
    for record in records:
        paths[record.network, hidden - record.hidden] = record.retrained.test_loss
    for place in range(1, hidden):
        missing = np.isnan(paths[:, place])
        paths[missing, place] = paths[missing, place - 1]
    return paths


def choose_size(paths: NDArray[np.float64], standard_errors: float = 1.0) -> SizeChoice:
    """The one-standard-error rule (Breiman et al., CART, 1984) over paths (K, H) of one fold's K inner networks.

    Of sizes with equal means the smaller is the best. The error is that of a mean over K folds, sd with K-1.
    """
    count, hidden = paths.shape
    mean = paths.mean(axis=0)
    error = paths.std(axis=0, ddof=1) / np.sqrt(count)
    units = np.arange(hidden, 0, -1)
    best = hidden - 1 - int(np.argmin(mean[::-1]))
    within = np.flatnonzero(mean <= mean[best] + standard_errors * error[best])
    return SizeChoice(units, mean, error, int(units[best]), int(units[within[-1]]))
