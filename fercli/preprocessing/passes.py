"""Training row sets that differ only in what they hold out, gathered so that one pass over the rows serves them all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Pass:
    """Row sets that are each `rest` and all `cells` but one; positions: which of the given sets leaves out which cell.

    A pass of a single set has that set as `rest` and one empty cell.
    """

    positions: tuple[int, ...]
    rest: NDArray[np.int64]
    cells: tuple[NDArray[np.int64], ...]


def passes(row_sets: Sequence[NDArray[np.int64]]) -> list[Pass]:
    """Gather consecutive row sets whose left-out rows are disjoint, as the folds of one repeat are.

    Sets with overlapping left-out rows (bootstrap samples, training rows without their inner part) get a pass each.
    """
    if not row_sets:
        return []
    everything = np.unique(np.concatenate(row_sets))
    gathered: list[Pass] = []
    positions: list[int] = []
    cells: list[NDArray[np.int64]] = []
    taken: NDArray[np.int64] = np.empty(0, dtype=np.int64)

    def close() -> None:
        if len(positions) == 1:
            gathered.append(Pass((positions[0],), np.sort(row_sets[positions[0]]), (np.empty(0, dtype=np.int64),)))
        elif positions:
            rest = np.setdiff1d(everything, taken)
            gathered.append(Pass(tuple(positions), rest, tuple(cells)))

    for position, rows in enumerate(row_sets):
        without = np.setdiff1d(everything, rows)
        if positions and np.intersect1d(without, taken).size:
            close()
            positions, cells, taken = [], [], np.empty(0, dtype=np.int64)
        positions.append(position)
        cells.append(without)
        taken = np.union1d(taken, without)
    close()
    return gathered
