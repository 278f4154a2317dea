"""Mean and scatter of rows, merged but never subtracted.

Taking a fold's rows away from the statistics of all rows would be quicker to write, but lets the held-out rows into
the rounding of every fold, and one NaN among them into everything. So each fold's statistics are merged from the
others' alone: a chain from the left, a chain from the right (Chan, Golub & LeVeque 1983, updating formulae).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_CHUNK_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Moments:
    """rows: how many. mean: (D,) float64. scatter: (D, D) float64, the sum of centred outer products."""

    rows: int
    mean: NDArray[np.float64]
    scatter: NDArray[np.float64]


def moments(features: NDArray[np.floating], rows: NDArray[np.int64]) -> Moments:
    """The moments of features[rows], read in chunks, so that memory stays flat in the number of rows."""
    width = features.shape[1]
    step = max(width, _CHUNK_BYTES // (8 * width), 1)
    total = Moments(0, np.zeros(width), np.zeros((width, width)))
    for start in range(0, len(rows), step):
        part = np.asarray(features[rows[start : start + step]], dtype=np.float64)
        mean = part.mean(axis=0)
        part = part - mean
        total = merged(total, Moments(len(part), mean, part.T @ part))
    return total


def merged(first: Moments, second: Moments) -> Moments:
    """The moments of both sets of rows together (Chan's formula); a set without rows changes nothing."""
    if first.rows == 0:
        return second
    if second.rows == 0:
        return first
    rows = first.rows + second.rows
    step = second.mean - first.mean
    mean = first.mean + step * (second.rows / rows)
    scatter = first.scatter + second.scatter
    scatter += np.outer(step, step) * (first.rows * second.rows / rows)
    return Moments(rows, mean, scatter)


def moments_without(
    features: NDArray[np.floating],
    rest: NDArray[np.int64],
    cells: Sequence[NDArray[np.int64]],
    *,
    budget: int = 2**30,
) -> Iterator[Moments]:
    """For each cell in turn, the moments of `rest` and all other cells, from one pass over the rows.

    Statistics of all cells at once take k·D²·8 bytes; above `budget` bytes they are merged by divide and conquer,
    which holds log2(k) of them and reads each row log2(k) times.
    """
    width = features.shape[1]
    outside = moments(features, rest)
    if len(cells) * width * width * 8 > budget:
        yield from _halved(features, list(cells), outside)
        return
    own = [moments(features, cell) for cell in cells]
    after = [Moments(0, np.zeros(width), np.zeros((width, width)))]
    for part in reversed(own[1:]):
        after.append(merged(part, after[-1]))
    for part in own:
        yield merged(outside, after.pop())
        outside = merged(outside, part)


def _halved(features: NDArray[np.floating], cells: list[NDArray[np.int64]], outside: Moments) -> Iterator[Moments]:
    if len(cells) == 1:
        yield outside
        return
    middle = len(cells) // 2
    for kept, other in ((cells[:middle], cells[middle:]), (cells[middle:], cells[:middle])):
        wider = outside
        for cell in other:
            wider = merged(wider, moments(features, cell))
        yield from _halved(features, kept, wider)
