"""Which rows several runs share, in one order; what they do not share is named, never dropped in silence."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.errors import InputError
from fercli.evaluation.intervals import group_numbers
from fercli.records import Predictions

EXAMPLES = 3
Key = tuple[int, str]


@dataclass(frozen=True)
class Judged:
    """One run's held-out answers. groups: (M,) of each prediction, or None. train_rows: mean over its folds."""

    name: str
    predictions: Predictions
    groups: NDArray[np.str_] | None
    train_rows: float | None


@dataclass(frozen=True)
class Shared:
    """The rows that all runs scored, R repeats of them in one order.

    right: (runs, P) bool, P = (repeat, id) pairs. ids, repeats: (P,). units: (P,) int64, number of each row's group,
    or of the row itself. grouped: whether there are groups. folds: (runs, P) int64, fold number within the run.
    same_folds: every run divides the shared rows alike. left_out: pairs of each run that are not compared.
    """

    names: tuple[str, ...]
    right: NDArray[np.bool_]
    ids: NDArray[np.str_]
    repeats: NDArray[np.int64]
    units: NDArray[np.int64]
    grouped: bool
    folds: NDArray[np.int64]
    same_folds: bool
    left_out: tuple[int, ...]

    @property
    def rows(self) -> int:
        """Different ids among the pairs."""
        return len(np.unique(self.ids))


def share(runs: Sequence[Judged], *, common_rows: bool = False) -> Shared:
    """Bring the runs' predictions into one order.

    Raises InputError where the runs scored different rows, or divided the same rows otherwise into folds, naming
    counts and examples, unless `common_rows`; and always where they disagree about a row's truth or share no row.
    """
    tables = [_places(run) for run in runs]
    kept = sorted(set(tables[0]).intersection(*tables[1:]))
    if not common_rows:
        for other, table in zip(runs[1:], tables[1:], strict=True):
            _refuse_other_rows(runs[0], tables[0], other, table)
    if not kept:
        raise InputError(
            "the runs share no scored row",
            where=", ".join(run.name for run in runs),
            next_step="compare runs on the same data",
        )
    order = [np.array([table[key] for key in kept], dtype=np.int64) for table in tables]
    _refuse_other_truths(runs, order)
    folds = np.stack([run.predictions.folds[places] for run, places in zip(runs, order, strict=True)])
    repeats = runs[0].predictions.repeats[order[0]]
    ids = runs[0].predictions.ids[order[0]]
    moved = [_moved(folds[0], own, repeats) for own in folds]
    if not common_rows:
        for number, rows in enumerate(moved):
            if len(rows):
                _refuse_other_folds(runs[0], runs[number], ids, repeats, folds[[0, number]], rows)
    known = next((number for number, run in enumerate(runs) if run.groups is not None), None)
    own_groups = None if known is None else runs[known].groups
    groups = None if known is None or own_groups is None else own_groups[order[known]]
    return Shared(
        names=tuple(run.name for run in runs),
        right=np.stack([_right(run.predictions)[places] for run, places in zip(runs, order, strict=True)]),
        ids=ids,
        repeats=repeats,
        units=group_numbers(ids, groups),
        grouped=groups is not None and bool(np.any(groups != "")),
        folds=folds,
        same_folds=not any(len(rows) for rows in moved),
        left_out=tuple(len(table) - len(kept) for table in tables),
    )


def _places(run: Judged) -> dict[Key, int]:
    predictions = run.predictions
    keys = zip(predictions.repeats.tolist(), predictions.ids.tolist(), strict=True)
    return {key: place for place, key in enumerate(keys)}


def _right(predictions: Predictions) -> NDArray[np.bool_]:
    return predictions.predicted == predictions.truth


def _refuse_other_rows(first: Judged, own: dict[Key, int], second: Judged, others: dict[Key, int]) -> None:
    if own.keys() == others.keys():
        return
    repeats = [len(np.unique(run.predictions.repeats)) for run in (first, second)]
    parts = []
    for run, mine, theirs in ((first, own, others), (second, others, own)):
        missing = sorted({name for _, name in mine.keys() - theirs.keys()})
        if missing:
            shown = ", ".join(missing[:EXAMPLES]) + (", …" if len(missing) > EXAMPLES else "")
            parts.append(f"{len(missing):,} only in {run.name} ({shown})")
    if repeats[0] != repeats[1]:
        parts = [f"repeats: {repeats[0]} in {first.name}, {repeats[1]} in {second.name}"]
    shared = len({name for _, name in own.keys() & others.keys()})
    raise InputError(
        f"{first.name} and {second.name} did not score the same rows: {'; '.join(parts)}",
        where=f"{first.name}, {second.name}",
        next_step=f"compare them on the {shared:,} rows that they share with --common-rows, "
        "or train both with the same --folds"
        if shared
        else "compare runs on the same data",
    )


def _refuse_other_truths(runs: Sequence[Judged], order: Sequence[NDArray[np.int64]]) -> None:
    named = [
        np.array(run.predictions.classes)[run.predictions.truth[places]]
        for run, places in zip(runs, order, strict=True)
    ]
    for run, own in zip(runs[1:], named[1:], strict=True):
        differing = np.flatnonzero(own != named[0])
        if len(differing):
            place = differing[0]
            name = runs[0].predictions.ids[order[0][place]]
            raise InputError(
                f"{runs[0].name} and {run.name} disagree about the truth of {len(differing):,} of {len(own):,} rows",
                where=f"{name}: {named[0][place]} in {runs[0].name}, {own[place]} in {run.name}",
                next_step="compare runs on the same labels; train again the one whose data has changed",
            )


def _moved(first: NDArray[np.int64], second: NDArray[np.int64], repeats: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) the pairs that `second` puts into another fold than `first`, however the folds are numbered.

    Each fold of `first` corresponds to the fold of `second` with which it shares most rows, and the reverse must
    hold too: then neither a split nor a merged fold passes.
    """
    own = np.unique(np.column_stack([repeats, first]), axis=0, return_inverse=True)[1].reshape(-1)
    other = np.unique(np.column_stack([repeats, second]), axis=0, return_inverse=True)[1].reshape(-1)
    together = np.zeros((own.max() + 1, other.max() + 1), dtype=np.int64)
    np.add.at(together, (own, other), 1)
    stays = (np.argmax(together, axis=1)[own] == other) & (np.argmax(together, axis=0)[other] == own)
    return np.flatnonzero(~stays)


def _refuse_other_folds(
    first: Judged,
    second: Judged,
    ids: NDArray[np.str_],
    repeats: NDArray[np.int64],
    folds: NDArray[np.int64],
    moved: NDArray[np.int64],
) -> None:
    place = moved[0]
    raise InputError(
        f"{first.name} and {second.name} divide the rows otherwise: {len(moved):,} of {len(ids):,} are in another fold",
        where=f"{ids[place]}: repeat {repeats[place]}, fold {folds[0, place]} in {first.name}, "
        f"fold {folds[1, place]} in {second.name}",
        next_step="train both with the same --folds; --common-rows compares them all the same, without the test over "
        "folds",
    )
