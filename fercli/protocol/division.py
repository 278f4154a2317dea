"""How the participating rows are divided, before it becomes a plan; and what people should be told about it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.protocol.duplicates import numbered
from fercli.protocol.participation import Participation
from fercli.records import Samples


@dataclass(frozen=True)
class Division:
    """The rows that take part and the fold of each.

    groups: (M,) int64 group numbers, a row without a group being its own. folds: (repeats, M) int64, -1 where a row
    only trains. group_count: known groups, 0 where there are none. leaks, notes: sentences for people.
    """

    part: Participation
    groups: NDArray[np.int64]
    group_count: int
    scheme: str
    duplicates: str
    seed: int
    folds: NDArray[np.int64]
    leaks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    split_names: tuple[str, str] = ("train", "test")


def class_notes(samples: Samples, labels: NDArray[np.int64], folds: NDArray[np.int64]) -> tuple[str, ...]:
    """A warning for each class with fewer rows than there are folds."""
    k = int(folds.max()) + 1
    counts = np.bincount(labels, minlength=len(samples.classes))
    return tuple(
        f"class {name} has {count} rows, fewer than the {k} folds: some folds hold none of it"
        for name, count in zip(samples.classes, counts.tolist(), strict=True)
        if 0 < count < k
    )


def repeat_notes(folds: NDArray[np.int64]) -> tuple[str, ...]:
    """A warning when repeats are the same partition, which happens when the units allow no other."""
    different = len({numbered(row).tobytes() for row in folds})
    if different == len(folds):
        return ()
    return (f"the {len(folds)} repeats hold only {different} different divisions: the data allows no others",)


def copy_notes(copies: NDArray[np.int64], duplicates: str) -> tuple[str, ...]:
    """How many rows are copies of one another, and what was done about it. copies: (M,) of participating rows."""
    sizes = np.bincount(copies)
    sets, rows = int((sizes > 1).sum()), int(sizes[sizes > 1].sum())
    if sets == 0:
        return ()
    return (f"identical rows: {rows:,}, sets of them: {sets:,} (--duplicates {duplicates})",)
