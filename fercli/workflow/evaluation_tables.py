"""Tables of `fer evaluate`: runs on other data, and the scores that do not fit beside the first ones."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fercli.records import Table
from fercli.report.tables import models_sheet
from fercli.report.wording import counted, percent

ELSEWHERE = (
    "run",
    "kind",
    "rows",
    "accuracy",
    "accuracy_lower",
    "accuracy_upper",
    "macro_f1",
    "balanced_accuracy",
    "log_loss",
    "train_accuracy",
    "majority",
)
DETAILS = (
    "run",
    "MCC",
    "top-2",
    "Brier",
    "calibration error",
    "AURC",
    "worst group",
    "its rows",
    "its accuracy",
    "without copies",
    "rows without",
)


def details_table(runs: Sequence[Mapping[str, Any]]) -> Table:
    """Per run what says how far its answers can be trusted: probabilities, the worst group, rows without a copy."""
    rows = []
    for run in runs:
        worst, without = run.get("worst_group") or {}, run.get("without_copies") or {}
        rows.append(
            (
                run["name"],
                run["mcc"],
                run["top2"],
                run["brier"],
                run["ece"],
                run["aurc"],
                worst.get("group"),
                worst.get("rows"),
                worst.get("accuracy"),
                without.get("accuracy"),
                without.get("rows"),
            )
        )
    notes = (
        "Brier 0 to 2; calibration error over 15 bins; AURC: mean error rate over all shares of rows answered, the "
        "most confident first; for these three, less is better",
        "worst group of at least 10 rows; without copies: accuracy on the rows without an equal copy in training",
    )
    return Table("Details", DETAILS, tuple(rows), notes)


def elsewhere_tables(runs: Sequence[Mapping[str, Any]]) -> list[Table]:
    """One table per set of runs scored on equally many rows of the same data, the best accuracy first."""
    sets: dict[tuple[str, str, int], list[Mapping[str, Any]]] = {}
    for run in sorted(runs, key=lambda run: (-(run["accuracy"] or 0.0), run["name"])):
        sets.setdefault((run["on"], run["split"], run["rows"]), []).append(run)
    return [_elsewhere(members) for members in sets.values()]


def _elsewhere(runs: Sequence[Mapping[str, Any]]) -> Table:
    table = models_sheet(runs).as_table(*ELSEWHERE)
    split = "all rows" if runs[0]["split"] == "all" else f"{runs[0]['split']} split"
    fitted = "each run's model/, fitted on all training rows; the folds of the run play no part"
    own = {run["name"]: [*run["protocol"]["leaks"], *_in_training(run)] for run in runs}
    shared = [text for text in own[runs[0]["name"]] if all(text in texts for texts in own.values())]
    others = [f"{name}: {text}" for name, texts in own.items() for text in texts if text not in shared]
    notes = [fitted, *shared, *others]
    groups = any((run["intervals"]["accuracy"] or {}).get("method", "").startswith("bootstrap") for run in runs)
    if groups:
        notes.append("intervals by the bootstrap over groups")
    return replace(table, title=f"Scores of model/ on {runs[0]['on']} ({split})", notes=tuple(notes))


def _in_training(run: Mapping[str, Any]) -> list[str]:
    """The score without rows that stand, or whose copy stands, among the training rows."""
    if not run["copies_in_training"]:
        return []
    count, without = run["copies_in_training"], run["without_copies"]
    told = f"{count:,} of {run['rows']:,} rows equal a training row"
    if not without["rows"]:
        return [f"{told}: no row is left to score without them"]
    return [
        f"{told}; without them accuracy is {percent(without['accuracy'])} % and macro-F1 "
        f"{percent(without['macro_f1'])} % on {counted(without['rows'], 'row')}"
    ]


def elsewhere_lines(runs: Sequence[Mapping[str, Any]], test_scorings: int | None) -> list[str]:
    """What was left out, and how often the test split was read."""
    lines = [
        f"{run['name']}: {counted(len(run['left_out']), 'row')} left out, listed in evaluation.json"
        for run in runs
        if run["left_out"]
    ]
    if test_scorings is not None:
        lines.append(f"test splits were scored {counted(test_scorings, 'time')} in this workspace, by its ledger")
    return lines
