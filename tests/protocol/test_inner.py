"""The inner part of training rows: whole units, about the asked fraction, blind to held-out rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.errors import InputError
from fercli.protocol.duplicates import merge
from fercli.protocol.inner import inner_folds, inner_rows
from fercli.records import Fold


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


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 500), st.integers(2, 6))
def test_inner_folds_divide_the_training_rows_by_whole_units(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(30, 150))
    labels, groups = rng.integers(0, 4, count), rng.integers(0, 20, count)
    copies = rng.integers(0, 3 * count, count)
    train = np.sort(rng.choice(count, size=count - count // 5, replace=False))
    outer = Fold(1, 2, train, np.setdiff1d(np.arange(count), train), train[:0])
    folds = inner_folds(outer, labels, groups, copies, k=k, fraction=0.1, seed=seed)
    units = np.full(count, -1)
    units[train] = merge(groups[train], copies[train])
    assert len(folds) == min(k, units.max() + 1)
    np.testing.assert_array_equal(np.sort(np.concatenate([fold.test for fold in folds])), train)
    for fold in folds:
        assert (fold.repeat, fold.fold) == (1, 2)
        assert len(fold.test)
        np.testing.assert_array_equal(np.sort(np.concatenate([fold.train, fold.test])), train)
        assert not np.isin(units[fold.test], units[fold.train]).any()
        assert np.isin(fold.inner, fold.train).all()
    # Rows that the outer fold holds out are not read.
    labels[outer.test], groups[outer.test], copies[outer.test] = 9, 999, 9999
    again = inner_folds(outer, labels, groups, copies, k=k, fraction=0.1, seed=seed)
    assert [fold.test.tolist() for fold in again] == [fold.test.tolist() for fold in folds]


def test_one_group_of_training_rows_cannot_be_divided() -> None:
    rows = np.arange(10)
    outer = Fold(0, 3, rows, rows[:0], rows[:0])
    with pytest.raises(InputError, match="the training rows of a fold form one group") as refused:
        inner_folds(outer, rows % 2, np.zeros(10, dtype=np.int64), rows, k=5, fraction=0.1, seed=0)
    assert refused.value.where == "repeat 0, fold 3"
