"""The report's tables: raw numbers for CSV, the same rows formatted for the page and the console."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fercli.records import Table
from fercli.report.material import AgainstBest
from fercli.report.wording import NONE, number, percent, points, protocols_of, rows_of, shared_copies

Form = Literal["text", "percent", "points", "p", "number", "decimal", "count"]


@dataclass(frozen=True)
class Column:
    """key: header in CSV. label: header for people. form: how a cell is written."""

    key: str
    label: str
    form: Form = "text"

    def write(self, value: Any) -> str:
        """One cell for people; what is undefined is a dash."""
        if value is None:
            return NONE
        if self.form == "percent":
            return percent(value)
        if self.form == "points":
            return points(value)
        if self.form == "p":
            return number(value) if value >= 0.001 else "< 0.001"
        if self.form == "number":
            return number(value)
        if self.form == "decimal":
            return number(value, 1)
        return f"{value:,}" if self.form == "count" else str(value)


@dataclass(frozen=True)
class Sheet:
    """A table with raw cells; `name` is the stem of its CSV file."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    notes: tuple[str, ...] = ()

    @property
    def header(self) -> tuple[str, ...]:
        """The columns' names for CSV."""
        return tuple(column.key for column in self.columns)

    def as_table(self, *keys: str) -> Table:
        """For the console: the columns `keys`, or all, with raw numbers, which it formats itself."""
        places = [self.header.index(key) for key in keys] if keys else list(range(len(self.columns)))
        return Table(
            self.title,
            tuple(self.columns[place].label.removesuffix(" %") for place in places),
            tuple(tuple(row[place] for place in places) for row in self.rows),
            self.notes,
        )


def models_sheet(
    runs: Sequence[Mapping[str, Any]], name: str = "models", tests: Mapping[str, AgainstBest] | None = None
) -> Sheet:
    """Comparable runs side by side; the protocol and every known leak stand under it.

    tests: of the best run against each of the others, by their names; they add two columns.
    """
    warned = {run["name"]: list(run["protocol"]["leaks"]) for run in runs}
    # what holds for every run is said once, what holds for some names them
    shared = [text for text in warned[runs[0]["name"]] if all(text in texts for texts in warned.values())]
    own = [f"{run}: {text}" for run, texts in warned.items() for text in texts if text not in shared]
    notes = (*protocols_of(runs), *shared, *own, *shared_copies(runs))
    # the data stands in the title; only features of it need naming
    named = any(str(run["on"]) != rows_of(run) for run in runs)
    pooled = ", all splits pooled" if runs[0]["protocol"].get("pooled") else ""
    against = (Column("behind", "behind the best", "points"), Column("p", "p", "p")) if tests else ()
    return Sheet(
        name,
        f"Held-out scores on {rows_of(runs[0])} ({runs[0]['split']}{pooled})",
        (
            Column("run", "run"),
            Column("accuracy", "accuracy %", "percent"),
            Column("accuracy_lower", "from %", "percent"),
            Column("accuracy_upper", "to %", "percent"),
            *against,
            Column("macro_f1", "macro-F1 %", "percent"),
            Column("balanced_accuracy", "balanced %", "percent"),
            Column("log_loss", "log loss", "number"),
            Column("ece", "calibration error %", "percent"),
            Column("train_accuracy", "train %", "percent"),
            Column("fold_mean", "fold mean %", "percent"),
            Column("fold_sd", "sd %", "percent"),
            Column("majority", "majority %", "percent"),
            Column("kind", "kind"),
            *([Column("on", "on")] if named else []),
            Column("folds", "folds", "count"),
            Column("rows", "rows", "count"),
        ),
        tuple(
            (
                run["name"],
                run["accuracy"],
                (run["intervals"]["accuracy"] or {}).get("lower"),
                (run["intervals"]["accuracy"] or {}).get("upper"),
                *(_against(tests.get(str(run["name"]))) if tests else ()),
                run["macro_f1"],
                run["balanced_accuracy"],
                run["log_loss"],
                run["ece"],
                run["train"]["accuracy"]["mean"],
                run["test"]["accuracy"]["mean"],
                run["test"]["accuracy"]["sd"],
                run["majority"]["accuracy"]["pooled"],
                run["kind"],
                *([run["on"]] if named else []),
                None if run["protocol"]["scheme"] == "official" else run["protocol"]["k"],
                run["rows"],
            )
            for run in runs
        ),
        notes,
    )


def _against(test: AgainstBest | None) -> tuple[float | None, float | None]:
    return (None, None) if test is None else (-test.difference, test.p)


def per_class_sheet(run: Mapping[str, Any]) -> Sheet:
    """Precision, recall and specificity of each class."""
    return Sheet(
        f"{run['name']}-classes",
        "Per class",
        (
            Column("class", "class"),
            Column("support", "rows", "count"),
            Column("precision", "precision %", "percent"),
            Column("recall", "recall %", "percent"),
            Column("specificity", "specificity %", "percent"),
        ),
        tuple(
            (name, entry["support"], entry["precision"], entry["recall"], entry["specificity"])
            for name, entry in run["per_class"].items()
        ),
        ("– : undefined; the precision of a class that was never predicted",)
        if any(entry["precision"] is None for entry in run["per_class"].values())
        else (),
    )


def folds_sheet(run: Mapping[str, Any]) -> Sheet:
    """Every fold with the accuracy of its training majority beside its own."""
    loss = run["test"]["loss"]["name"]
    return Sheet(
        f"{run['name']}-folds",
        "Fold by fold",
        (
            Column("repeat", "repeat", "count"),
            Column("fold", "fold", "count"),
            Column("rows", "rows", "count"),
            Column("accuracy", "accuracy %", "percent"),
            Column("majority", "majority %", "percent"),
            Column("macro_f1", "macro-F1 %", "percent"),
            Column("log_loss", "log loss", "number"),
            Column("test_loss", f"{loss} held out", "number"),
            Column("train_accuracy", "train %", "percent"),
            Column("train_loss", f"{loss} train", "number"),
        ),
        tuple(
            (
                fold["repeat"],
                fold["fold"],
                fold["rows"],
                fold["accuracy"],
                fold.get("majority"),
                fold.get("macro_f1"),
                fold["log_loss"],
                fold.get("test_loss"),
                fold.get("train_accuracy"),
                fold.get("train_loss"),
            )
            for fold in run["folds"]
        ),
    )


def pruning_sheet(run: Mapping[str, Any]) -> Sheet | None:
    """Before pruning, after it, and the unpruned control; None for a run that stores no such comparison."""
    if "before" not in run or "control" not in run or "hidden_after" not in run:
        return None
    stages = (
        ("before pruning", run["hidden_before"], run["before"]),
        ("pruned and retrained", run["hidden_after"]["mean"], run),
        ("not pruned, same epochs", run["hidden_before"], run["control"]),
    )
    return Sheet(
        f"{run['name']}-pruning",
        "Before, after, and without pruning",
        (
            Column("network", "network"),
            Column("units", "hidden units", "decimal"),
            Column("train_accuracy", "train %", "percent"),
            Column("train_loss", "train loss", "number"),
            Column("accuracy", "accuracy %", "percent"),
            Column("macro_f1", "macro-F1 %", "percent"),
            Column("log_loss", "log loss", "number"),
        ),
        tuple(
            (
                stage,
                units,
                part["train"]["accuracy"]["mean"],
                part["train"]["loss"]["mean"],
                part["accuracy"],
                part["macro_f1"],
                part["log_loss"],
            )
            for stage, units, part in stages
        ),
        ("A gain over the last row comes from pruning; one it shares comes from the training that went with it.",),
    )


def confusion_sheet(run: Mapping[str, Any]) -> Sheet:
    """The confusion matrix in counts, for the CSV beside the figure."""
    return Sheet(
        f"{run['name']}-confusion",
        "Confusion, counts",
        (Column("truth", "truth"), *(Column(name, name, "count") for name in run["classes"])),
        tuple((name, *cells) for name, cells in zip(run["classes"], run["confusion"], strict=True)),
    )
