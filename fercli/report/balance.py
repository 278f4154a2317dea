"""What each fold holds out: the table of classes by folds."""

from collections.abc import Sequence

from fercli.report.material import FoldRows, RunMaterial
from fercli.report.tables import Column, Sheet


def balance_sheet(folds: Sequence[FoldRows], classes: Sequence[str], name: str) -> Sheet:
    """A row per fold: its rows, its groups where they are known, and its rows of each class."""
    grouped = any(fold.groups is not None for fold in folds)
    return Sheet(
        name,
        "Rows held out, by fold and class",
        (
            Column("repeat", "repeat", "count"),
            Column("fold", "fold", "count"),
            Column("rows", "rows", "count"),
            *([Column("groups", "groups", "count")] if grouped else []),
            *(Column(label, label, "count") for label in classes),
        ),
        tuple(
            (fold.repeat, fold.fold, sum(fold.counts), *([fold.groups] if grouped else []), *fold.counts)
            for fold in folds
        ),
    )


def by_balance(runs: Sequence[RunMaterial]) -> list[list[RunMaterial]]:
    """Runs that hold out the same numbers in the same folds together, in the order of their first; k folds only."""
    alike: dict[tuple[object, ...], list[RunMaterial]] = {}
    for run in runs:
        if len(run.folds) > 1:
            alike.setdefault((*run.folds, *run.metrics["classes"]), []).append(run)
    return list(alike.values())
