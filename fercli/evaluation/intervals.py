"""How sure a score is: Wilson's interval for shares, and the bootstrap over groups for any score."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from fercli.evaluation.metrics import accuracy_of, balanced_accuracy_of, log_losses, macro_f1_of
from fercli.records import Predictions
from fercli.seeds import generator

LEVEL = 0.95
DRAWS = 2000


@dataclass(frozen=True)
class Interval:
    """lower..upper at a confidence `level`; method: wilson, bootstrap over groups, or bootstrap over rows."""

    lower: float
    upper: float
    level: float
    method: str

    def as_json(self) -> dict[str, float | str]:
        return {"lower": self.lower, "upper": self.upper, "level": self.level, "method": self.method}


def wilson(successes: float, rows: int, level: float = LEVEL) -> Interval | None:
    """Wilson's score interval of a share `successes / rows`, within 0..1; None without rows.

    Wilson 1927, without continuity correction; rows are taken as independent, so where they have groups use
    `bootstrap`. successes may be fractional: the mean over repeats.
    """
    if rows == 0:
        return None
    z = float(norm.ppf(0.5 + level / 2))
    share = successes / rows
    centre = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z / (1 + z**2 / rows) * np.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2))
    return Interval(max(0.0, float(centre - half)), min(1.0, float(centre + half)), level, "wilson")


def group_numbers(ids: NDArray[np.str_], groups: NDArray[np.str_] | None) -> NDArray[np.int64]:
    """(M,) number of each row's resampling unit: its group, or its own id where it has none."""
    if groups is None:
        units = ids
    else:
        # a prefix, so that an id cannot meet a group of the same name
        units = np.where(groups == "", np.char.add("id:", ids), np.char.add("group:", groups))
    return np.unique(units, return_inverse=True)[1].astype(np.int64)


def resampled_counts(units: int, draws: int, seed: int, *path: str | int) -> Iterator[NDArray[np.float64]]:
    """For each draw: (units,) how often each unit was drawn, `units` of them with replacement."""
    random = generator(seed, "evaluation.bootstrap", *path)
    for _ in range(draws):
        yield np.bincount(random.integers(0, units, units), minlength=units).astype(np.float64)


def _cells(predictions: Predictions, units: NDArray[np.int64], count: int) -> list[NDArray[np.float64]]:
    """Per repeat: (units, C*C + 1), each unit's confusion matrix and, last, the sum of its log losses."""
    classes = len(predictions.classes)
    predicted = predictions.predicted
    losses = log_losses(predictions.probabilities, predictions.truth)
    tables = []
    for repeat in np.unique(predictions.repeats):
        chosen = predictions.repeats == repeat
        table = np.zeros((count, classes**2 + 1))
        np.add.at(table, (units[chosen], predictions.truth[chosen] * classes + predicted[chosen]), 1.0)
        np.add.at(table, (units[chosen], classes**2), losses[chosen])
        tables.append(table)
    return tables


def _percentiles(values: list[float], level: float, method: str) -> Interval | None:
    if not values:
        return None
    lower, upper = np.quantile(values, [0.5 - level / 2, 0.5 + level / 2])
    return Interval(float(lower), float(upper), level, method)


def bootstrap(
    predictions: Predictions,
    groups: NDArray[np.str_] | None,
    *,
    seed: int,
    draws: int = DRAWS,
    level: float = LEVEL,
) -> dict[str, Interval | None]:
    """Percentile intervals of accuracy, balanced_accuracy, macro_f1 and log_loss.

    groups: (M,) of each prediction, "" where unknown (the row is then its own group), or None. Whole groups
    are drawn with replacement, all repeats of a row together: frames of one film or person are not
    independent, and an interval over rows would be too narrow. None for every score below two groups; with
    fewer than about 20 groups percentile intervals are themselves somewhat narrow.
    """
    units = group_numbers(predictions.ids, groups)
    count = int(units.max()) + 1 if len(units) else 0
    grouped = groups is not None and bool(np.any(groups != ""))
    method = f"bootstrap over {count} groups" if grouped else "bootstrap over rows"
    readers: dict[str, Callable[[NDArray[Any]], float | None]] = {
        "accuracy": accuracy_of,
        "balanced_accuracy": balanced_accuracy_of,
        "macro_f1": macro_f1_of,
    }
    drawn: dict[str, list[float]] = {key: [] for key in (*readers, "log_loss")}
    if count >= 2:
        tables = _cells(predictions, units, count)
        classes = len(predictions.classes)
        for weights in resampled_counts(count, draws, seed):
            sums = [weights @ table for table in tables]
            for key, read in readers.items():
                values = [read(total[:-1].reshape(classes, classes)) for total in sums]
                drawn[key].append(float(np.mean([value for value in values if value is not None])))
            drawn["log_loss"].append(float(np.mean([total[-1] / total[:-1].sum() for total in sums])))
    return {key: _percentiles(values, level, method) for key, values in drawn.items()}
