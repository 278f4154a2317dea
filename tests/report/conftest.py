"""Made runs for the tests of the report."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fercli.records import EXPRESSIONS
from fercli.report.history import Columns
from fercli.report.material import RunMaterial
from fercli.seeds import generator

MakeRun = Callable[..., RunMaterial]
HISTORY = [
    *("repeat", "fold", "phase", "epoch", "units", "learning_rate"),
    *("train_loss", "train_accuracy", "test_loss", "test_accuracy", "monitor_loss", "monitor_accuracy"),
]
RECEIPTS = ["repeat", "fold", "round", "unit", "units_left", "criterion", "value", "partner"] + [
    f"{split}_{quantity}_{when}"
    for when in ("before", "removed", "retrained")
    for split in ("train", "test")
    for quantity in ("loss", "accuracy")
]


def made_history(folds: int, epochs: int = 40, seed: int = 0) -> Columns:
    """Curves that fall and rise, with folds that stop at different epochs."""
    rows = []
    for fold in range(folds):
        draw = generator(seed, "history", fold)
        for epoch in range(1, int(epochs * (0.7 + 0.3 * draw.random())) + 1):
            fall = math.exp(-epoch / 12)
            loss, held = 0.02 + 0.12 * fall, 0.06 + 0.08 * fall + 0.004 * draw.normal()
            cells = [0, fold, "train", epoch, 64, 0.01, loss, 0.6 - 0.4 * fall, held, 0.45 - 0.3 * fall, "", ""]
            rows.append([str(cell) for cell in cells])
    return Columns.of(HISTORY, rows)


def made_receipts(folds: int, seed: int = 0) -> Columns:
    """A few removals in each fold; fold 0 keeps all of its units."""
    rows = []
    for fold in range(1, folds):
        draw = generator(seed, "receipts", fold)
        train, test = 0.09 + 0.004 * draw.normal(), 0.12 + 0.004 * draw.normal()
        for step in range(int(draw.integers(1, 9))):
            after, held = train - 0.0005, test + 0.001 * draw.normal()
            criterion = str(draw.choice(["dead", "saturated", "correlated"], p=[0.2, 0.1, 0.7]))
            cells = [0, fold, step, 3, 63 - step, criterion, 0.93, ""]
            losses = [train, 0.4, test, 0.3, train + 0.01, 0.4, test + 0.01, 0.3, after, 0.4, held, 0.3]
            rows.append([str(cell) for cell in (*cells, *losses)])
            train, test = after, held
    return Columns.of(RECEIPTS, rows)


@pytest.fixture
def made_run() -> MakeRun:
    """A run with plausible numbers; keyword arguments replace keys of its metrics."""

    def make(
        name: str = "prune-bp", accuracy: float = 0.31, folds: int = 5, pruned: bool = True, **changes: Any
    ) -> RunMaterial:
        classes = EXPRESSIONS
        draw = generator(0, "run", name)
        confusion = np.array(
            [draw.multinomial(96, np.where(np.eye(7)[row] > 0, accuracy, (1 - accuracy) / 6)) for row in range(7)]
        )
        rows = int(confusion.sum())
        reached = float(np.trace(confusion) / rows)
        predicted = confusion.sum(axis=0)
        metrics: dict[str, Any] = {
            "name": name,
            "kind": "pruned-bp" if pruned else "baseline",
            "classes": list(classes),
            "on": "sfew-sheet",
            "split": "folds",
            "protocol": {
                "scheme": "grouped",
                "k": folds,
                "repeats": 1,
                "groups": 37,
                "seed": 0,
                "duplicates": "group",
                "leaks": [],
            },
            "rows": rows,
            "accuracy": reached,
            "balanced_accuracy": reached,
            "macro_f1": reached - 0.02,
            "log_loss": 1.81,
            "mcc": 0.2,
            "brier": 0.8,
            "ece": 0.06,
            "top2": 0.5,
            "per_class": {
                label: {
                    "precision": float(confusion[index, index] / predicted[index]),
                    "recall": float(confusion[index, index] / 96),
                    "specificity": 0.9,
                    "support": 96,
                }
                for index, label in enumerate(classes)
            },
            "confusion": confusion.tolist(),
            "train": {"accuracy": {"mean": 0.52, "sd": 0.01}, "loss": {"mean": 0.09, "sd": 0.001}},
            "test": {
                "accuracy": {"mean": reached, "sd": 0.03, "pooled": reached},
                "loss": {"mean": 0.12, "sd": 0.002, "name": "mse"},
            },
            "folds": [
                {"repeat": 0, "fold": fold, "rows": 134, "accuracy": reached, "log_loss": 1.8, "majority": 0.14}
                for fold in range(folds)
            ],
            "chance": 1 / 7,
            "majority": {"accuracy": {"mean": 0.14, "sd": 0.01, "pooled": 0.15}},
            "copies_in_training": 0,
            "without_copies": None,
            "intervals": {
                key: {"lower": reached - 0.04, "upper": reached + 0.04, "level": 0.95, "method": "wilson"}
                for key in ("accuracy", "balanced_accuracy", "macro_f1")
            },
            "reliability": [
                {"lower": 0.0, "upper": 0.5, "rows": 400, "confidence": 0.3, "accuracy": 0.28},
                {"lower": 0.5, "upper": 1.0, "rows": 272, "confidence": 0.62, "accuracy": 0.44},
            ],
            "aurc": 0.6,
        }
        content = {
            "hidden_before": 64,
            "hidden_after": {"mean": 60.4, "min": 56, "max": 64},
            "removed": {"dead": 3, "saturated": 1, "correlated": 14},
            "left_out": 1,
        }
        return RunMaterial(
            metrics={**metrics, **changes},
            history=made_history(folds) if pruned else None,
            receipts=made_receipts(folds) if pruned else None,
            content=content if pruned else {},
            provenance={"Command": f"fer {name} --k {folds}", "Seed": "0", "Fingerprint": "3f2a" * 8},
        )

    return make
