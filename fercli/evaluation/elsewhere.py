"""Scores of one stored model on rows that it was given afterwards, under the keys of a run's metrics."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.evaluation.intervals import DRAWS, LEVEL
from fercli.evaluation.metrics import score
from fercli.evaluation.rescore import rescore
from fercli.records import Predictions

LOSS = "log_loss"


def joined_classes(model: Sequence[str], data: Sequence[str]) -> tuple[str, ...]:
    """The model's classes in its order, then those of the data that it does not know, in theirs."""
    return (*model, *(name for name in data if name not in model))


def by_name(scores: NDArray[np.floating], classes: int) -> NDArray[np.float64]:
    """(n, classes) float64 probabilities from a scorer's (n, C): rows sum to 1, classes it does not know have 0."""
    found = np.zeros((len(scores), classes))
    found[:, : scores.shape[1]] = scores
    total = found.sum(axis=1, keepdims=True)
    return np.divide(found, total, out=found, where=total != 0)


def model_metrics(
    stored: Mapping[str, Any],
    predictions: Predictions,
    groups: NDArray[np.str_],
    *,
    on: str,
    split: str,
    in_training: NDArray[np.bool_],
    majority: int | None,
    leaks: Sequence[str],
    seed: int,
    draws: int = DRAWS,
    level: float = LEVEL,
) -> dict[str, Any]:
    """An entry of `evaluate`'s `runs[]` for the model of the run whose `metrics.json` is `stored`.

    predictions: (M,) rows, each once, repeat and fold 0. groups: (M,) "" where unknown. in_training: (M,) rows that
    the model was fitted on, or whose equal copy it was. majority: the commonest class of its training rows, None
    where they are not known. leaks: sentences about these rows. The scored rows stand as one fold; `protocol` and
    `train` are those of the run. Test loss is the log loss: what a trainer minimised is not defined for every model.
    """
    whole = score(predictions)
    right_by_majority = None if majority is None else float(np.mean(predictions.truth == majority))
    fold = {
        "repeat": 0,
        "fold": 0,
        "rows": whole.rows,
        "accuracy": whole.accuracy,
        "log_loss": whole.log_loss,
        "macro_f1": whole.macro_f1,
        "majority": right_by_majority,
        "train_accuracy": stored["train"]["accuracy"]["mean"],
        "train_loss": stored["train"]["loss"]["mean"],
        "test_loss": whole.log_loss,
    }
    entry = {
        "name": stored["name"],
        "kind": stored["kind"],
        "classes": list(predictions.classes),
        "on": on,
        "split": split,
        "protocol": {**stored["protocol"], "leaks": [*stored["protocol"]["leaks"], *leaks]},
        "train": stored["train"],
        "test": {
            "accuracy": {"mean": whole.accuracy, "sd": None, "pooled": whole.accuracy},
            "loss": {"mean": whole.log_loss, "sd": None, "name": LOSS},
        },
        "folds": [fold],
        "chance": stored["chance"],
        "majority": {"accuracy": {"mean": right_by_majority, "sd": None, "pooled": right_by_majority}},
        "copies_in_training": int(in_training.sum()),
        "without_copies": score(predictions, ~in_training).as_json() if in_training.any() else None,
    }
    return rescore(entry, predictions, groups, seed=seed, draws=draws, level=level)
