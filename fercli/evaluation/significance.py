"""Whether two models differ: paired tests on the same held-out rows or folds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, t

from fercli.evaluation.intervals import DRAWS, LEVEL, Interval, resampled_counts
from fercli.seeds import generator

SIGN_DRAWS = 9999
_ENUMERATED = 13  # up to so many groups all 2**G sign patterns are tried
_CHUNK = 1 << 20


@dataclass(frozen=True)
class McNemar:
    """Rows that only the first, or only the second, model got right; p: two-sided, exact."""

    only_first: int
    only_second: int
    p: float


@dataclass(frozen=True)
class ResampledT:
    """Corrected resampled t-test over folds: mean difference, t, degrees of freedom, two-sided p."""

    difference: float
    t: float
    degrees: int
    p: float


@dataclass(frozen=True)
class Difference:
    """Mean difference over rows (first minus second) with its bootstrap interval and two-sided p."""

    difference: float
    interval: Interval
    p: float


def mcnemar_exact(first_right: NDArray[np.bool_], second_right: NDArray[np.bool_]) -> McNemar:
    """McNemar's test in its exact binomial form, on the rows (M,) where just one of two models is right.

    Rows are taken as independent: where frames share a film or person, `group_bootstrap_difference` is the
    test to trust. Without a discordant row p is 1.
    """
    only_first = int(np.sum(first_right & ~second_right))
    only_second = int(np.sum(second_right & ~first_right))
    discordant = only_first + only_second
    p = min(1.0, 2 * float(binom.cdf(min(only_first, only_second), discordant, 0.5))) if discordant else 1.0
    return McNemar(only_first, only_second, p)


def corrected_resampled_t(differences: NDArray[np.float64], train_rows: float, test_rows: float) -> ResampledT | None:
    """t-test over the J = k x repeats fold differences with the variance corrected by test/train.

    Nadeau & Bengio 2003: var / J becomes var x (1/J + test/train), because training sets overlap and folds
    are not independent. train_rows, test_rows: mean sizes of a fold's two parts. None below two folds. With
    all differences equal p is 1 if they are 0, else 0.
    """
    count = len(differences)
    if count < 2:
        return None
    mean = float(np.mean(differences))
    variance = float(np.var(differences, ddof=1)) * (1 / count + test_rows / train_rows)
    if variance == 0:
        return ResampledT(mean, 0.0 if mean == 0 else float(np.copysign(np.inf, mean)), count - 1, float(mean == 0))
    statistic = mean / np.sqrt(variance)
    return ResampledT(mean, float(statistic), count - 1, float(2 * t.sf(abs(statistic), count - 1)))


def group_bootstrap_difference(
    differences: NDArray[np.float64],
    units: NDArray[np.int64],
    *,
    seed: int,
    draws: int = DRAWS,
    level: float = LEVEL,
) -> Difference | None:
    """Mean of per-row differences (M,) with whole groups drawn with replacement; None below two groups.

    units: (M,) number of each row's group, 0..G-1. p: twice the share of draws beyond 0, with the +1 of Davison
    & Hinkley 1997, so that it is never 0.
    """
    count = int(units.max()) + 1 if len(units) else 0
    if count < 2:
        return None
    sums = np.bincount(units, weights=differences, minlength=count)
    rows = np.bincount(units, minlength=count).astype(np.float64)
    means = np.array(
        [(weights @ sums) / (weights @ rows) for weights in resampled_counts(count, draws, seed, "difference")]
    )
    lower, upper = np.quantile(means, [0.5 - level / 2, 0.5 + level / 2])
    beyond = min(np.sum(means <= 0), np.sum(means >= 0))
    return Difference(
        float(np.mean(differences)),
        Interval(float(lower), float(upper), level, f"bootstrap over {count} groups"),
        min(1.0, float(2 * (beyond + 1) / (draws + 1))),
    )


def group_sign_flip(
    differences: NDArray[np.float64], units: NDArray[np.int64], *, seed: int, draws: int = SIGN_DRAWS
) -> float | None:
    """Two-sided p of a permutation test on per-row differences (M,) that exchanges the two models in whole groups.

    Under equal models a group's sum is as likely to have either sign, whatever its size and however its rows hang
    together, so the test keeps its level with ten groups, where the bootstrap rejects one time in ten. All sign
    patterns up to 13 groups, else `draws` random ones with the +1 of Davison & Hinkley 1997. With every row its own
    group and no repeats it is McNemar's exact test. None below two groups.
    """
    count = int(units.max()) + 1 if len(units) else 0
    if count < 2:
        return None
    sums = np.bincount(units, weights=differences, minlength=count)
    reached = abs(float(sums.sum())) - 1e-9
    if count <= _ENUMERATED:
        bits = (np.arange(2**count)[:, None] >> np.arange(count)) & 1
        return float(np.mean(np.abs((2.0 * bits - 1.0) @ sums) >= reached))
    random = generator(seed, "evaluation.sign_flip")
    hits, step = 0, max(1, _CHUNK // count)
    for start in range(0, draws, step):
        signs = 2.0 * random.integers(0, 2, size=(min(step, draws - start), count)) - 1.0
        hits += int(np.sum(np.abs(signs @ sums) >= reached))
    return (hits + 1) / (draws + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment of p-values, in their own order (Holm 1979)."""
    count = len(p_values)
    adjusted = [0.0] * count
    reached = 0.0
    for rank, index in enumerate(sorted(range(count), key=lambda place: p_values[place])):
        reached = max(reached, min(1.0, (count - rank) * p_values[index]))
        adjusted[index] = reached
    return adjusted
