"""Folds that stand already: the table of a folds artifact, or one that a user wrote."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.errors import InputError
from fercli.records import FoldPlan, FoldProtocol, Samples

FOLD_COLUMNS = ("id", "group", "repeat", "fold")
ALWAYS_TRAIN = -1  # as in scikit-learn's PredefinedSplit
# No table has more repeats or folds: one that says so would cost memory for each of them.
LARGEST = 1_000_000


@dataclass(frozen=True)
class StandingFolds:
    """A table of folds, one entry per row and repeat.

    ids, groups: (M,) str. repeats, folds: (M,) int64 from 0; fold -1 is a row that is never held out.
    protocol: what made them, None for a user's own table. name: of the artifact or file, for messages.
    """

    ids: NDArray[np.str_]
    groups: NDArray[np.str_]
    repeats: NDArray[np.int64]
    folds: NDArray[np.int64]
    name: str
    protocol: FoldProtocol | None = None


def folds_table(plan: FoldPlan, samples: Samples) -> Iterator[tuple[str, str, int, int]]:
    """The rows of folds.csv (`FOLD_COLUMNS`) of a plan: repeat by repeat, in the order of the samples."""
    for repeat in range(plan.protocol.repeats):
        folds = np.full(len(samples), ALWAYS_TRAIN, dtype=np.int64)
        for fold in plan.folds:
            if fold.repeat == repeat:
                folds[fold.test] = fold.fold
        for row in plan.rows.tolist():
            yield str(samples.ids[row]), str(samples.groups[row]), repeat, int(folds[row])


def read_folds_table(
    rows: Iterable[Sequence[str | int]], *, name: str, protocol: FoldProtocol | None = None
) -> StandingFolds:
    """The inverse of `folds_table`; values may be text, as a CSV reader gives them.

    Raises InputError for a row that is not id, group, repeat, fold, with its number (1 is the first after the header).
    """
    ids, groups, numbers = [], [], []
    for position, row in enumerate(rows, start=1):
        try:
            identifier, group, repeat, fold = row
            number = (int(repeat), int(fold))
        except ValueError:
            number = (-1, -1)
        if not 0 <= number[0] <= LARGEST or not ALWAYS_TRAIN <= number[1] <= LARGEST:
            raise InputError(
                "a row of a folds table is id, group, repeat, fold, with repeats from 0 and folds from 0 (or -1)",
                where=f"{name}, row {position}: {','.join(str(value) for value in row)}",
                next_step="correct the row; `fer make-folds` writes a table of this form",
            )
        ids.append(str(identifier))
        groups.append(str(group))
        numbers.append(number)
    if not ids:
        raise InputError("the folds table has no rows", where=name, next_step="make one with `fer make-folds`")
    table = np.array(numbers, dtype=np.int64)
    return StandingFolds(np.array(ids), np.array(groups), table[:, 0], table[:, 1], name, protocol)


def aligned(standing: StandingFolds, samples: Samples) -> NDArray[np.int64]:
    """(repeats, N) int64 fold of each sample: -1 never held out, -2 not in the table.

    Raises InputError for ids that the samples lack, an id twice in a repeat, repeats that hold different ids,
    repeat numbers with gaps, or a repeat with a missing fold number or fewer than two parts.
    """
    row_of = {identifier: row for row, identifier in enumerate(samples.ids.tolist())}
    unknown = [identifier for identifier in standing.ids.tolist() if identifier not in row_of]
    if unknown:
        raise InputError(
            f"{len(set(unknown))} ids of the folds are not in the data, the first is {unknown[0]}",
            where=standing.name,
            next_step="make the folds from this data with `fer make-folds`",
        )
    repeats = int(standing.repeats.max()) + 1
    rows = np.array([row_of[identifier] for identifier in standing.ids.tolist()], dtype=np.int64)
    folds = np.full((repeats, len(samples)), -2, dtype=np.int64)
    folds[standing.repeats, rows] = standing.folds
    if int((folds != -2).sum()) != len(rows):
        keys, counts = np.unique(np.column_stack([standing.repeats, rows]), axis=0, return_counts=True)
        repeat, row = keys[np.argmax(counts)].tolist()
        raise InputError(
            f"{samples.ids[row]} stands {counts.max()} times in repeat {repeat} of the folds",
            where=standing.name,
            next_step="keep one row per id and repeat",
        )
    for repeat in range(repeats):
        if not np.array_equal(folds[repeat] == -2, folds[0] == -2):
            raise InputError(
                f"repeat {repeat} of the folds holds {int((folds[repeat] != -2).sum())} ids, "
                f"not the {int((folds[0] != -2).sum())} of repeat 0",
                where=standing.name,
                next_step="list the same ids in every repeat",
            )
        _check_numbers(folds[repeat], repeat, standing.name)
    return folds


def _check_numbers(folds: NDArray[np.int64], repeat: int, name: str) -> None:
    present = np.unique(folds[folds >= 0])
    parts = len(np.unique(folds[folds >= ALWAYS_TRAIN]))
    if len(present) == 0 or parts < 2:
        raise InputError(
            f"repeat {repeat} of the folds has {len(present)} folds to hold out of {parts} parts; it needs 1 of 2",
            where=name,
            next_step="give at least two folds, or one fold and rows of fold -1, which only train",
        )
    missing = np.setdiff1d(np.arange(present[-1] + 1), present)
    if len(missing):
        raise InputError(
            f"repeat {repeat} of the folds has no rows in fold {missing[0]}",
            where=name,
            next_step=f"number the folds from 0 to {len(present) - 1}",
        )
