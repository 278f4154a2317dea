"""The PCA benchmark: both shapes, exact solvers agree, a different result is not timed, data are seeded."""

from dataclasses import replace

import numpy as np
import pytest

from fercli.benchmarks import pca
from fercli.benchmarks.pca import benchmark, difference, made, training_rows
from fercli.preprocessing.pca import fit_projections


@pytest.mark.parametrize(("shape", "rival"), [((90, 20), "covariance_eigh"), ((40, 70), "arpack")])
def test_ours_comes_first_and_the_exact_solvers_agree(shape, rival):
    ours, full, *rest = benchmark("made", made(*shape), folds=4, components=5, repeats=1)
    assert (ours.implementation, ours.agreement, ours.ratio) == ("fercli", None, 1)
    assert full.implementation == "scikit-learn full"
    assert rest[0].implementation == f"scikit-learn {rival}"
    assert 0 < full.agreement < 1e-10
    assert 0 < rest[0].agreement < 1e-10
    assert full.ratio == pytest.approx(full.seconds / ours.seconds)
    assert all(timing.exact for timing in (ours, full, *rest))
    for timing in (ours, full):
        assert (timing.rows, timing.columns) == shape
        assert timing.peak_bytes > 8 * shape[1] * 5


def test_a_randomised_default_is_named_and_not_called_exact():
    found = list(benchmark("made", made(600, 1100), folds=2, components=5, repeats=1))
    assert [timing.implementation for timing in found][1:] == [
        "scikit-learn full",
        "scikit-learn arpack",
        "scikit-learn default (randomized)",
    ]
    assert [timing.exact for timing in found] == [True, True, True, False]


def test_the_reference_is_left_out_where_it_takes_minutes():
    assert pca.solvers(4750, 936, 20) == ("full", "covariance_eigh", "auto")
    assert pca.solvers(4750, 5120, 20) == ("arpack", "auto")
    assert pca.solvers(20, 50, 20) == ("full", "auto")


def test_a_different_result_is_not_timed(monkeypatch):
    def turned(features, row_sets, components):
        first, *rest = fit_projections(features, row_sets, components)
        return [*rest, replace(first, components=first.components[::-1])]

    monkeypatch.setattr(pca, "fit_projections", turned)
    with pytest.raises(ArithmeticError, match="made: our components and those of scikit-learn's full differ by"):
        next(benchmark("made", made(60, 10), folds=3, components=4, repeats=1))


def test_the_difference_sees_each_part():
    found = fit_projections(made(50, 12), [np.arange(50)], 4)[0]
    assert difference(found, replace(found, components=-found.components)) == 0
    assert difference(found, replace(found, mean=found.mean + 1e-3)) == pytest.approx(1e-3)
    assert difference(found, replace(found, variances=found.variances * 2)) == pytest.approx(0.5)
    missing = replace(found, components=found.components[:2], variances=found.variances[:2])
    assert difference(missing, found) == float("inf")


def test_folds_hold_out_every_row_once_and_data_are_seeded():
    sets = training_rows(50, 4, seed=1)
    left_out = np.concatenate([np.setdiff1d(np.arange(50), rows) for rows in sets])
    assert sorted(left_out.tolist()) == list(range(50))
    np.testing.assert_array_equal(made(5, 4, seed=2), made(5, 4, seed=2))
    assert not np.array_equal(made(5, 4, seed=2), made(5, 4, seed=3))
