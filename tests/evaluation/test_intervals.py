"""Intervals against SciPy, and the coverage they promise."""

import numpy as np
import pytest
from scipy.stats import binomtest

from fercli.evaluation.intervals import bootstrap, group_numbers, wilson
from fercli.evaluation.metrics import score
from fercli.records import Predictions
from fercli.seeds import generator


@pytest.mark.parametrize(("successes", "rows"), [(0, 10), (3, 20), (150, 674), (10, 10)])
def test_wilson_equals_scipy(successes, rows):
    expected = binomtest(successes, rows).proportion_ci(method="wilson")
    interval = wilson(successes, rows)
    assert interval is not None
    assert interval.lower == pytest.approx(expected.low, abs=1e-12)
    assert interval.upper == pytest.approx(expected.high, abs=1e-12)


def test_wilson_covers_as_it_promises():
    random = generator(0, "wilson.coverage")
    hits = random.binomial(200, 0.3, size=2000)
    inside = [wilson(int(count), 200) for count in hits]
    share = np.mean([entry.lower <= 0.3 <= entry.upper for entry in inside if entry is not None])
    assert 0.93 <= share <= 0.97


def test_no_rows_have_no_interval():
    assert wilson(0, 0) is None


def test_bootstrap_over_rows_agrees_with_wilson_and_holds_the_score(made_predictions):
    predictions = made_predictions(rows=400)
    intervals = bootstrap(predictions, None, seed=0)
    scored = score(predictions)
    expected = wilson(scored.accuracy * 400, 400)
    assert intervals["accuracy"].lower == pytest.approx(expected.lower, abs=0.015)
    assert intervals["accuracy"].upper == pytest.approx(expected.upper, abs=0.015)
    for key in ("accuracy", "balanced_accuracy", "macro_f1", "log_loss"):
        assert intervals[key].lower < getattr(scored, key) < intervals[key].upper
    assert intervals["accuracy"].method == "bootstrap over rows"


def test_rows_that_stand_and_fall_together_widen_the_interval(made_predictions):
    predictions = made_predictions(rows=300)
    # each row thirty times under new ids: 9,000 rows, yet what is known is known of 300 groups
    copies = 30
    many = Predictions(
        ids=np.array([f"{index}_{name}" for index in range(copies) for name in predictions.ids]),
        repeats=np.tile(predictions.repeats, copies),
        folds=np.tile(predictions.folds, copies),
        splits=np.tile(predictions.splits, copies),
        truth=np.tile(predictions.truth, copies),
        probabilities=np.tile(predictions.probabilities, (copies, 1)),
        classes=predictions.classes,
    )
    by_group = bootstrap(many, np.tile(predictions.ids, copies), seed=0, draws=500)["accuracy"]
    by_row = bootstrap(many, None, seed=0, draws=500)["accuracy"]
    single = bootstrap(predictions, None, seed=0, draws=500)["accuracy"]
    assert by_group.upper - by_group.lower == pytest.approx(single.upper - single.lower, rel=0.15)
    assert by_group.upper - by_group.lower > 4 * (by_row.upper - by_row.lower)
    assert by_group.method == "bootstrap over 300 groups"


def test_the_same_seed_gives_the_same_interval_and_another_seed_another(made_predictions):
    predictions = made_predictions()
    first, again, other = (bootstrap(predictions, None, seed=seed, draws=100) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_repeats_of_a_row_are_drawn_together(made_predictions):
    once = made_predictions(rows=200)
    twice = Predictions(
        ids=np.tile(once.ids, 2),
        repeats=np.repeat([0, 1], 200),
        folds=np.tile(once.folds, 2),
        splits=np.tile(once.splits, 2),
        truth=np.tile(once.truth, 2),
        probabilities=np.tile(once.probabilities, (2, 1)),
        classes=once.classes,
    )
    # the same answers twice carry no more knowledge than once
    assert bootstrap(twice, None, seed=0, draws=200)["macro_f1"] == bootstrap(once, None, seed=0, draws=200)["macro_f1"]


def test_one_group_has_no_interval_and_rows_without_group_stand_alone(made_predictions):
    predictions = made_predictions(rows=10)
    assert bootstrap(predictions, np.full(10, "film"), seed=0)["accuracy"] is None
    groups = np.array(["film"] * 4 + [""] * 6)
    assert len(np.unique(group_numbers(predictions.ids, groups))) == 7
    named_alike = group_numbers(np.array(["a", "b"]), np.array(["b", ""]))
    assert len(np.unique(named_alike)) == 2
