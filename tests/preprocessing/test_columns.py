"""The log of skewed columns and the scalings, against SciPy and by hand."""

import numpy as np
import pytest
from scipy.stats import skew

from fercli.preprocessing.columns import constant_columns, fit_columns, fit_log, fit_scaling, skewness


def test_skewness_is_scipys() -> None:
    rng = np.random.default_rng(0)
    columns = np.column_stack([rng.normal(size=99), rng.exponential(size=99), -(rng.exponential(size=99) ** 2)])
    np.testing.assert_allclose(skewness(columns), skew(columns), rtol=1e-12)
    assert skewness(np.full((5, 1), 0.1))[0] == 0


def test_only_columns_beyond_the_threshold_are_logged_toward_their_tail() -> None:
    rng = np.random.default_rng(0)
    tail = np.exp(1.5 * rng.normal(size=500))
    log = fit_log(np.column_stack([rng.normal(size=500), tail, -tail, rng.random(500)]))
    assert log.direction.tolist() == [0, 1, -1, 0]
    assert log.origin[1] == tail.min()
    assert log.origin[2] == -tail.min()
    assert log.scale[1] == pytest.approx(tail.mean() - tail.min())


def test_the_log_lowers_the_skewness_and_keeps_the_order_beyond_the_training_rows() -> None:
    rng = np.random.default_rng(0)
    tail = np.exp(2 * rng.normal(size=(500, 1)))
    log = fit_log(tail)
    assert skewness(log.apply(tail))[0] < skewness(tail)[0] / 2
    line = np.linspace(-50, 500, 1001)[:, None]
    changed = log.apply(line)
    assert np.all(np.isfinite(changed))
    assert np.all(np.diff(changed[:, 0]) > 0)
    assert np.all(np.diff(fit_log(-tail).apply(line)[:, 0]) > 0)


def test_the_log_by_hand() -> None:
    log = fit_log(np.array([[1.0], [2.0], [6.0]]), np.array([True]))
    np.testing.assert_allclose(
        log.apply(np.array([[1.0], [3.0], [5.0], [-1.0]]))[:, 0], [0, np.log(2), np.log(3), -np.log(2)]
    )


def test_constant_columns_are_neither_logged_nor_divided_by_zero() -> None:
    columns = np.column_stack([np.full(20, 0.1), np.full(20, 1e9), np.zeros(20), np.arange(20.0)])
    assert constant_columns(columns).tolist() == [True, True, True, False]
    log = fit_log(columns, np.ones(4, dtype=bool))
    assert log.direction.tolist() == [0, 0, 0, 1]
    for kind in ("zscore", "minmax", "none"):
        scaling = fit_scaling(columns, kind)
        assert scaling.scale[:3].tolist() == [1, 1, 1]
        assert np.all(np.isfinite(scaling.apply(columns)))


def test_fitting_in_chunks_of_columns_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = np.exp(np.random.default_rng(0).normal(size=(40, 11)) * np.linspace(0.1, 3, 11))
    chosen = np.arange(11) % 2 == 0
    for named in (None, chosen):
        whole = fit_columns(columns, named, "zscore")
        monkeypatch.setattr("fercli.preprocessing.columns._CHUNK", 3)
        parts = fit_columns(columns, named, "zscore")
        monkeypatch.undo()
        np.testing.assert_array_equal(whole[0].direction, parts[0].direction)
        np.testing.assert_allclose(whole[1].apply(whole[0].apply(columns)), parts[1].apply(parts[0].apply(columns)))
