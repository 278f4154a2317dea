"""What an interval promises, by simulation: it holds the true score as often as its level says."""

import numpy as np
import pytest

from fercli.evaluation.intervals import bootstrap, wilson
from fercli.evaluation.metrics import score
from fercli.records import Predictions
from fercli.seeds import generator

TRUE_ACCURACY = 0.6


def drawn(simulation: int, groups: int, per_group: int) -> tuple[Predictions, np.ndarray]:
    """Rows of groups that are hard or easy as a whole: each group's accuracy is drawn, with mean 0.6."""
    random = generator(simulation, "coverage")
    each = random.beta(3 * TRUE_ACCURACY, 3 * (1 - TRUE_ACCURACY), groups)
    rows = groups * per_group
    right = random.random(rows) < np.repeat(each, per_group)
    truth = random.integers(0, 2, rows)
    answered = np.where(right, truth, 1 - truth)
    nothing = np.zeros(rows, dtype=np.int64)
    predictions = Predictions(
        ids=np.arange(rows).astype(str),
        repeats=nothing,
        folds=nothing,
        splits=np.full(rows, ""),
        truth=truth,
        probabilities=0.1 + 0.8 * np.eye(2)[answered],
        classes=("a", "b"),
    )
    return predictions, np.repeat(np.arange(groups), per_group).astype(str)


def covered(simulations: int, *, groups: int, per_group: int, draws: int) -> tuple[float, float]:
    """How often the bootstrap over groups, and Wilson's interval over rows, hold the true accuracy."""
    held = {"groups": 0, "rows": 0}
    for simulation in range(simulations):
        predictions, names = drawn(simulation, groups, per_group)
        over_groups = bootstrap(predictions, names, seed=simulation, draws=draws)["accuracy"]
        over_rows = wilson(score(predictions).accuracy * len(names), len(names))
        held["groups"] += over_groups.lower <= TRUE_ACCURACY <= over_groups.upper
        held["rows"] += over_rows.lower <= TRUE_ACCURACY <= over_rows.upper
    return held["groups"] / simulations, held["rows"] / simulations


def test_the_bootstrap_over_groups_covers_where_an_interval_over_rows_does_not():
    groups, rows = covered(120, groups=40, per_group=25, draws=150)
    assert 0.87 <= groups <= 0.99  # 0.95 within about four standard errors of 120 simulations
    assert rows < 0.8


@pytest.mark.slow
@pytest.mark.parametrize("groups", [20, 60])
def test_coverage_in_a_thousand_simulations(groups):
    """Percentile intervals are somewhat narrow: 0.93 to 0.95 here, with a standard error of 0.007."""
    covers, _ = covered(1000, groups=groups, per_group=10, draws=1000)
    assert 0.91 <= covers <= 0.97


@pytest.mark.parametrize("rows", [20, 200])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_wilson_covers_shares_near_the_edge_and_few_rows(rows, share):
    """Exactly, over all outcomes, weighted by their probability: no simulation error."""
    from scipy.stats import binom

    held = [wilson(count, rows) for count in range(rows + 1)]
    inside = np.array([entry.lower <= share <= entry.upper for entry in held])
    coverage = float(binom.pmf(np.arange(rows + 1), rows, share) @ inside)
    assert 0.91 <= coverage <= 0.99
