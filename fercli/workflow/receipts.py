"""The receipt of pruning: every removed unit, why it went and what it cost, as a table of the run."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.bp.network import NetworkStack, hidden_outputs
from fercli.bp.pruning import PruneRecord
from fercli.evaluation.metrics import score
from fercli.evaluation.summary import mean_sd
from fercli.records import Predictions, Table

QUANTILES = (5, 25, 50, 75, 95)
ACTIVATION_COLUMNS = ("phase", "unit", *(f"q{share:02d}" for share in QUANTILES))
MOMENTS = ("before", "removed", "retrained")
SCORES = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
RECEIPT_COLUMNS = (
    "repeat",
    "fold",
    "round",
    "unit",
    "criterion",
    "value",
    "partner",
    "units_left",
    *(f"{score}_{moment}" for moment in MOMENTS for score in SCORES),
)


def receipt_line(record: PruneRecord) -> dict[str, Any]:
    """One line of receipts.csv."""
    line: dict[str, Any] = {
        name: getattr(record, name) for name in ("repeat", "fold", "round", "unit", "criterion", "value", "partner")
    }
    line["units_left"] = record.hidden
    for moment in MOMENTS:
        line |= {f"{name}_{moment}": value for name, value in asdict(getattr(record, moment)).items()}
    return line


def activation_lines(before: NetworkStack, after: NetworkStack, x: NDArray[np.floating]) -> list[dict[str, Any]]:
    """Lines of activations.csv: quantiles of each alive unit's output over the rows x (n, D), first network only."""
    lines = []
    for phase, stack in (("before", before), ("after", after)):
        hidden = hidden_outputs(stack, 0, x)
        for unit in np.flatnonzero(stack.alive[0]).tolist():
            quantiles = np.quantile(hidden[:, unit].astype(np.float64), [share / 100 for share in QUANTILES])
            named = {f"q{share:02d}": value for share, value in zip(QUANTILES, quantiles.tolist(), strict=True)}
            lines.append({"phase": phase, "unit": unit, **named})
    return lines


def pruning_metrics(
    before: NetworkStack, after: NetworkStack, records: Sequence[PruneRecord], rounds: Sequence[int]
) -> dict[str, Any]:
    """Units before and after, and how many each criterion removed; `angle` and `least-missed` only where used."""
    widths = after.widths
    removed = Counter(record.criterion for record in records)
    counts = {name: removed[name] for name in ("dead", "saturated", "correlated")}
    counts |= {name: removed[name] for name in ("angle", "least-missed") if removed[name]}
    return {
        "hidden_before": int(before.widths.max()),
        "hidden_after": {"mean": float(widths.mean()), "min": int(widths.min()), "max": int(widths.max())},
        "removed": counts,
        "rounds": {"mean": float(sum(rounds) / len(rounds)), "max": max(rounds)},
    }


def scored_beside(
    predictions: Predictions, train_accuracy: Sequence[float], train_loss: Sequence[float]
) -> dict[str, Any]:
    """A scored set with its training scores, for networks that stand beside those of the run."""
    return {
        **score(predictions).as_json(),
        "train": {"accuracy": mean_sd(train_accuracy), "loss": mean_sd(train_loss)},
    }


def pruning_table(metrics: Mapping[str, Any]) -> Table:
    """Before pruning, after it, and the unpruned control side by side."""

    def row(name: str, units: Any, part: Mapping[str, Any]) -> tuple[Any, ...]:
        train = part["train"]
        return (
            name,
            units,
            train["accuracy"]["mean"],
            train["loss"]["mean"],
            part["accuracy"],
            part["macro_f1"],
            part["log_loss"],
        )

    after = metrics["hidden_after"]
    removed = ", ".join(f"{name} {count}" for name, count in metrics["removed"].items())
    return Table(
        "Pruning",
        ("", "units", "train accuracy", "train loss", "test accuracy", "macro-F1", "log loss"),
        (
            row("before pruning", float(metrics["hidden_before"]), metrics["before"]),
            row("pruned", after["mean"], metrics),
            row("not pruned, same epochs", float(metrics["hidden_before"]), metrics["control"]),
        ),
        (
            f"{metrics['hidden_before']} units became {after['min']} to {after['max']}; removed over all networks: "
            f"{removed}",
            "a gain over the last row comes from pruning, one it shares comes from the training that went with it",
        ),
    )
