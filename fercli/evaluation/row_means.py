"""Means over rows of any quantities at once, with percentile intervals by the bootstrap over groups."""

import numpy as np
from numpy.typing import NDArray

from fercli.evaluation.intervals import DRAWS, LEVEL, Interval, group_numbers, resampled_counts


def row_means(
    values: NDArray[np.float64],
    ids: NDArray[np.str_],
    groups: NDArray[np.str_] | None,
    *,
    seed: int,
    draws: int = DRAWS,
    level: float = LEVEL,
) -> list[tuple[float, Interval | None]]:
    """The mean of each column of `values` (M, F) with its interval, None below two groups.

    ids, groups: (M,) of each row; whole groups are drawn with replacement, a row without one is its own, and all
    entries of one id go together. Differences between two treatments of the same rows are paired in this way.
    """
    units = group_numbers(ids, groups)
    count = int(units.max()) + 1 if len(units) else 0
    grouped = groups is not None and bool(np.any(groups != ""))
    method = f"bootstrap over {count} groups" if grouped else "bootstrap over rows"
    means = values.mean(axis=0).tolist()
    if count < 2:
        return [(mean, None) for mean in means]
    sums = np.zeros((count, values.shape[1]))
    np.add.at(sums, units, values)
    sizes = np.bincount(units, minlength=count).astype(np.float64)
    drawn = np.array([weights @ sums / (weights @ sizes) for weights in resampled_counts(count, draws, seed)])
    lower, upper = np.quantile(drawn, [0.5 - level / 2, 0.5 + level / 2], axis=0)
    return [
        (mean, Interval(float(low), float(high), level, method))
        for mean, low, high in zip(means, lower, upper, strict=True)
    ]
