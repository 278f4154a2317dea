"""Means over rows with intervals over groups: the same draws and the same accuracy as the scores' own bootstrap."""

import numpy as np
import pytest

from fercli.evaluation.intervals import bootstrap
from fercli.evaluation.row_means import row_means
from fercli.records import Predictions


def predictions(rows=60, repeats=2):
    random = np.random.default_rng(4)
    ids = np.tile(np.array([f"r{index}" for index in range(rows)]), repeats)
    return Predictions(
        ids=ids,
        repeats=np.repeat(np.arange(repeats), rows),
        folds=np.zeros(rows * repeats, dtype=np.int64),
        splits=np.full(rows * repeats, ""),
        truth=np.tile(random.integers(0, 3, rows), repeats),
        probabilities=random.dirichlet(np.ones(3), rows * repeats),
        classes=("a", "b", "c"),
    )


@pytest.mark.parametrize("grouped", [True, False])
def test_being_right_as_a_quantity_gives_the_interval_of_accuracy(grouped):
    scored = predictions()
    groups = np.array([f"g{int(name[1:]) % 7}" for name in scored.ids]) if grouped else None
    right = (scored.predicted == scored.truth).astype(float)
    (mean, interval), (nothing, none) = row_means(
        np.stack([right, np.zeros(len(right))], axis=1), scored.ids, groups, seed=3, draws=200
    )
    expected = bootstrap(scored, groups, seed=3, draws=200)["accuracy"]
    assert mean == pytest.approx(right.mean())
    assert interval.method == expected.method
    assert (interval.lower, interval.upper) == pytest.approx((expected.lower, expected.upper))
    assert (nothing, none.lower, none.upper) == (0, 0, 0)


def test_one_group_has_no_interval():
    scored = predictions(rows=5, repeats=1)
    ((mean, interval),) = row_means(np.ones((5, 1)), scored.ids, np.full(5, "film"), seed=0, draws=100)
    assert (mean, interval) == (1.0, None)
