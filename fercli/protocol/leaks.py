"""Known ways in which held-out rows inform training: refused, or said in one sentence that goes under every table."""

import numpy as np
from numpy.typing import NDArray

from fercli.errors import LeakRefused
from fercli.protocol.duplicates import crossing

CONTIGUOUS = (
    "contiguous folds are flawed: rows are taken in file order, so on a sorted file training and held-out rows "
    "differ in class"
)
SELECTED = "selected on these rows: stopping and other choices read the held-out rows (--monitor validation)"


def cut_groups(groups: NDArray[np.int64], folds: NDArray[np.int64]) -> int:
    """How many groups have rows in more than one fold, in the worst repeat. groups (M,), folds (repeats, M)."""
    return max(len(crossing(groups, row)) for row in folds)


def group_sentence(cut: int, total: int) -> str:
    return f"groups with rows both in training and held out: {cut:,} of {total:,}"


def copy_sentence(cut: int) -> str:
    return f"sets of identical rows that lie in more than one fold: {cut:,}"


def refuse_cut_groups(cut: int, total: int, *, where: str) -> None:
    """Raise LeakRefused for folds that cut `cut` of `total` groups."""
    raise LeakRefused(
        f"these folds would cut {cut:,} of {total:,} groups: rows of one group would train and be held out",
        where=where,
        next_step="use --scheme auto, which keeps groups whole, or --allow-group-leak, which every table then says",
    )


def refuse_cut_copies(cut: int, *, where: str) -> None:
    """Raise LeakRefused for given folds in which `cut` sets of identical rows lie in more than one fold."""
    raise LeakRefused(
        f"identical rows would train and be held out: {cut:,} sets lie in more than one fold",
        where=where,
        next_step="move each set into one fold, or allow it with --duplicates keep, which every table then says",
    )
