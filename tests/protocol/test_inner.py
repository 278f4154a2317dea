"""The inner part of training rows: whole units, about the asked fraction, blind to held-out rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.protocol.duplicates import merge
from fercli.protocol.inner import inner_rows


def draw(train: np.ndarray, labels: np.ndarray, groups: np.ndarray, copies: np.ndarray, **which: int) -> np.ndarray:
    chosen = {"seed": 0, "repeat": 0, "fold": 0, **which}
    return inner_rows(train, labels, groups, copies, fraction=0.1, **chosen)


def test_one_row_in_ten_of_every_class() -> None:
    labels = np.repeat(np.arange(7), 100)
    inner = draw(np.arange(700), labels, np.arange(700), np.arange(700))
    assert np.bincount(labels[inner]).tolist() == [10] * 7


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 500))
def test_groups_and_copies_stay_together(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(10, 200))
    labels, groups = rng.integers(0, 4, count), rng.integers(0, 30, count)
    copies = rng.integers(0, 3 * count, count)
    train = np.sort(rng.choice(count, size=count - count // 5, replace=False))
    inner = draw(train, labels, groups, copies)
    fit = np.setdiff1d(train, inner)
    assert np.isin(inner, train).all()
    assert 0 < len(inner) < len(train)
    assert not np.intersect1d(groups[inner], groups[fit]).size
    assert not np.intersect1d(copies[inner], copies[fit]).size


def test_only_seed_repeat_fold_and_training_rows_decide() -> None:
    rng = np.random.default_rng(0)
    labels, groups, copies = rng.integers(0, 7, 300), rng.integers(0, 60, 300), np.arange(300)
    train = np.arange(200)
    first = draw(train, labels, groups, copies)
    # Held-out rows get other labels, and join groups of training rows through copies.
    labels[200:], copies[200:], groups[200:] = 0, np.arange(100), 0
    np.testing.assert_array_equal(first, draw(train, labels, groups, copies))
    for which in ({"seed": 1}, {"repeat": 1}, {"fold": 1}):
        assert not np.array_equal(first, draw(train, labels, groups, copies, **which))


@pytest.mark.parametrize(("units", "expected"), [([0, 0, 0], []), ([0, 0, 1], [2])])
def test_coarse_groups_give_what_they_can(units: list[int], expected: list[int]) -> None:
    groups = np.array(units)
    assert merge(groups, np.arange(3)).tolist() == units
    assert draw(np.arange(3), np.zeros(3, dtype=np.int64), groups, np.arange(3)).tolist() == expected
