"""Two runs on the same held-out rows: paired tests, corrected for how many pairs were looked at, and a verdict."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fercli.errors import UsageError
from fercli.evaluation.intervals import DRAWS, LEVEL
from fercli.evaluation.pairing import Judged, Shared, share
from fercli.evaluation.significance import (
    Difference,
    McNemar,
    ResampledT,
    corrected_resampled_t,
    group_bootstrap_difference,
    group_sign_flip,
    holm,
    mcnemar_exact,
)

Verdict = Literal["better", "worse", "not distinguishable", "undecided"]


@dataclass(frozen=True)
class Comparison:
    """The first run against the second; every difference is first minus second, as a share of the rows.

    accuracies: pooled, mean over repeats. bootstrap: with whole groups drawn, of rows where there are none; None
    below two. permutation: p with the runs exchanged in whole groups; None without groups and repeats, where it is
    McNemar's test. mcnemar: on repeat 0. folds: None where the runs' folds differ or are fewer than two. cohens_g:
    share of the discordant rows that the first got right, minus 0.5; 0.05 is small, 0.15 medium, 0.25 large (Cohen
    1988). p: of the test that decides, named by `decided_by`; p_holm: after Holm's correction over the pairs, and so
    are those of mcnemar and folds in `p_holm_mcnemar` and `p_holm_folds`. non_inferior: None without a margin.
    """

    first: str
    second: str
    rows: int
    units: int
    grouped: bool
    accuracies: tuple[float, float]
    difference: float
    bootstrap: Difference | None
    permutation: float | None
    mcnemar: McNemar
    folds: ResampledT | None
    cohens_g: float | None
    p: float | None
    decided_by: str
    p_holm: float | None = None
    p_holm_mcnemar: float | None = None
    p_holm_folds: float | None = None
    pairs: int = 1
    verdict: Verdict = "undecided"
    margin: float | None = None
    non_inferior: bool | None = None


def compare(
    runs: Sequence[Judged],
    *,
    baseline: str | None = None,
    margin: float | None = None,
    common_rows: bool = False,
    level: float = LEVEL,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[Shared, tuple[Comparison, ...]]:
    """Compare every run with `baseline`, or every pair of runs, on the rows that all of them scored.

    The decision is by the permutation test over groups (McNemar's exact test where rows have neither groups nor
    repeats) at 1 - level after Holm's correction. Raises UsageError below two runs, InputError as `share` does.
    """
    if len(runs) < 2:
        raise UsageError("a comparison needs at least two runs", next_step="name two runs: fer compare RUN RUN")
    shared = share(runs, common_rows=common_rows)
    count = len(runs)
    if baseline is not None:
        reference = shared.names.index(baseline)
        pairs = [(number, reference) for number in range(count) if number != reference]
    else:
        pairs = [(first, second) for first in range(count) for second in range(first + 1, count)]
    train_rows = [run.train_rows for run in runs]
    found = [_pair(shared, pair, train_rows, level=level, draws=draws, seed=seed) for pair in pairs]
    return shared, _judged(found, level=level, margin=margin)


def _pair(
    shared: Shared,
    pair: tuple[int, int],
    train_rows: Sequence[float | None],
    *,
    level: float,
    draws: int,
    seed: int,
) -> Comparison:
    first, second = shared.right[pair[0]], shared.right[pair[1]]
    differences = first.astype(np.float64) - second
    once = shared.repeats == shared.repeats.min()
    several = not bool(once.all())
    mcnemar = mcnemar_exact(first[once], second[once])
    permutation = None
    if shared.grouped or several:
        permutation = group_sign_flip(differences, shared.units, seed=seed)
    units = int(shared.units.max()) + 1
    bootstrap = group_bootstrap_difference(differences, shared.units, seed=seed, draws=draws, level=level)
    unit = f"{units:,} groups" if shared.grouped else f"{units:,} rows"
    if bootstrap is not None:
        interval = replace(bootstrap.interval, method=f"bootstrap over {unit}")
        bootstrap = replace(bootstrap, interval=interval)
    by_group = shared.grouped or several
    discordant = mcnemar.only_first + mcnemar.only_second
    return Comparison(
        first=shared.names[pair[0]],
        second=shared.names[pair[1]],
        rows=shared.rows,
        units=units,
        grouped=shared.grouped,
        accuracies=(_accuracy(first, shared.repeats), _accuracy(second, shared.repeats)),
        difference=_accuracy(first, shared.repeats) - _accuracy(second, shared.repeats),
        bootstrap=bootstrap,
        permutation=permutation,
        mcnemar=mcnemar,
        folds=_over_folds(shared, pair, differences, train_rows),
        cohens_g=mcnemar.only_first / discordant - 0.5 if discordant else None,
        p=permutation if by_group else mcnemar.p,
        decided_by=f"permutation over {unit}" if by_group else "McNemar",
    )


def _accuracy(right: NDArray[np.bool_], repeats: NDArray[np.int64]) -> float:
    return float(np.mean([np.mean(right[repeats == repeat]) for repeat in np.unique(repeats)]))


def _over_folds(
    shared: Shared, pair: tuple[int, int], differences: NDArray[np.float64], train_rows: Sequence[float | None]
) -> ResampledT | None:
    """Nadeau and Bengio's test on the mean difference of each fold."""
    trained = [rows for rows in (train_rows[pair[0]], train_rows[pair[1]]) if rows]
    if not shared.same_folds or not trained:
        return None
    keys = np.column_stack([shared.repeats, shared.folds[pair[0]]])
    place = np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)
    sizes = np.bincount(place)
    return corrected_resampled_t(np.bincount(place, weights=differences) / sizes, min(trained), float(sizes.mean()))


def _judged(found: Sequence[Comparison], *, level: float, margin: float | None) -> tuple[Comparison, ...]:
    """Holm's correction over all pairs, per test, and what follows from it."""
    decided = _corrected([one.p for one in found])
    by_rows = _corrected([one.mcnemar.p for one in found])
    by_folds = _corrected([None if one.folds is None else one.folds.p for one in found])
    answers = []
    for one, p, rows, folds in zip(found, decided, by_rows, by_folds, strict=True):
        verdict: Verdict = "undecided"
        if p is not None:
            verdict = "not distinguishable" if p > 1 - level else "better" if one.difference > 0 else "worse"
        non_inferior = None
        if margin is not None and one.bootstrap is not None:
            non_inferior = one.bootstrap.interval.lower > -margin
        answers.append(
            replace(
                one,
                p_holm=p,
                p_holm_mcnemar=rows,
                p_holm_folds=folds,
                pairs=len(found),
                verdict=verdict,
                margin=margin,
                non_inferior=non_inferior,
            )
        )
    return tuple(answers)


def _corrected(values: Sequence[float | None]) -> list[float | None]:
    """Holm's adjustment of the p-values that there are."""
    adjusted = iter(holm([value for value in values if value is not None]))
    return [None if value is None else next(adjusted) for value in values]
