"""A run's entry in an evaluation: its stored metrics, with every score taken again from its predictions."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.evaluation.calibration import reliability, risk_coverage
from fercli.evaluation.intervals import DRAWS, LEVEL, bootstrap, wilson
from fercli.evaluation.metrics import SCORES, score
from fercli.records import Predictions

# Scores are sums in another order at most; what differs by more was not computed from these predictions.
TOLERANCE = 1e-9
# Of fewer rows a group's accuracy says little: the worst of many small groups is low by chance alone.
GROUP_ROWS = 10


def rescore(
    metrics: Mapping[str, Any],
    predictions: Predictions,
    groups: NDArray[np.str_] | None,
    *,
    seed: int,
    draws: int = DRAWS,
    level: float = LEVEL,
) -> dict[str, Any]:
    """The keys of `metrics.json` with SET's computed anew, and beside them how sure they are.

    groups: (M,) group of each prediction, "" where it has none, or None. Adds `intervals` (per score an
    interval or None: bootstrap over groups where rows have them, else Wilson's for accuracy and the bootstrap
    over rows for the others), `reliability` (15 bins), `aurc` (area under risk-coverage) and to every fold the
    `interval` of its accuracy (Wilson's: a fold rarely has groups enough to draw from), and `worst_group`
    {group, rows, accuracy}, the lowest among groups of at least 10 rows, None where there is none.
    """
    scored = score(predictions)
    intervals = bootstrap(predictions, groups, seed=seed, draws=draws, level=level)
    grouped = groups is not None and bool(np.any(groups != ""))
    if not grouped and scored.accuracy is not None:
        intervals["accuracy"] = wilson(scored.accuracy * scored.rows, scored.rows, level)
    curve = risk_coverage(predictions.probabilities, predictions.truth)
    return {
        **metrics,
        **scored.as_json(),
        "folds": [_fold(entry, predictions, level) for entry in metrics.get("folds", [])],
        "intervals": {key: None if entry is None else entry.as_json() for key, entry in intervals.items()},
        "reliability": [asdict(entry) for entry in reliability(predictions.probabilities, predictions.truth)],
        "aurc": None if curve is None else curve.area,
        "worst_group": None if groups is None else _worst_group(predictions, groups),
    }


def _worst_group(predictions: Predictions, groups: NDArray[np.str_]) -> dict[str, Any] | None:
    """The group that is answered worst, repeats together; of equals the larger, then the first by name."""
    right = predictions.predicted == predictions.truth
    repeats = len(np.unique(predictions.repeats))
    found = []
    for group in np.unique(groups[groups != ""]).tolist():
        here = groups == group
        rows = int(here.sum()) // repeats
        if rows >= GROUP_ROWS:
            found.append((float(np.mean(right[here])), -rows, group))
    if not found:
        return None
    accuracy, rows, group = min(found)
    return {"group": group, "rows": -rows, "accuracy": accuracy}


def _fold(stored: Mapping[str, Any], predictions: Predictions, level: float) -> dict[str, Any]:
    """A fold's entry with accuracy, macro-F1 and log loss computed anew."""
    here = (predictions.repeats == stored["repeat"]) & (predictions.folds == stored["fold"])
    scored = score(predictions, here)
    interval = None if scored.accuracy is None else wilson(scored.accuracy * scored.rows, scored.rows, level)
    fresh = {key: getattr(scored, key) for key in ("rows", "accuracy", "log_loss", "macro_f1")}
    return {**stored, **fresh, "interval": None if interval is None else interval.as_json()}


def contradictions(metrics: Mapping[str, Any], rescored: Mapping[str, Any]) -> list[str]:
    """Scores that a run's `metrics.json` states otherwise than its predictions give, as `name: stored, computed`."""
    found = []
    for key in (*SCORES, "rows", "confusion"):
        stored, computed = metrics.get(key), rescored[key]
        close = isinstance(stored, float) and isinstance(computed, float) and abs(stored - computed) <= TOLERANCE
        if key in metrics and stored != computed and not close:
            found.append(f"{key}: {stored} stored, {computed} computed")
    for stored_fold, computed_fold in zip(metrics.get("folds", []), rescored["folds"], strict=True):
        before, now = stored_fold["accuracy"], computed_fold["accuracy"]
        if before != now and (before is None or now is None or abs(before - now) > TOLERANCE):
            place = f"repeat {stored_fold['repeat']} fold {stored_fold['fold']}"
            found.append(f"accuracy of {place}: {before} stored, {now} computed")
    return found
