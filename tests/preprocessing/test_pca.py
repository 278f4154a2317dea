"""One-pass PCA against scikit-learn's, on every path: fold chains, divide and conquer, Gram matrix."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from fercli.errors import InputError
from fercli.preprocessing.moments import moments, moments_without
from fercli.preprocessing.passes import passes
from fercli.preprocessing.pca import Projection, fit_projections

PATHS = pytest.mark.parametrize(
    ("rows", "columns", "budget"),
    [(400, 40, 2**30), (400, 40, 0), (123, 500, 2**30)],
    ids=["prefix and suffix", "divide and conquer", "Gram matrix"],
)


def graded(rows: int, columns: int, offset: float = 0.0, seed: int = 0) -> NDArray[np.float64]:
    """Rows whose standard deviations fall from 1 to 1e-4 along random directions, far from the origin by `offset`."""
    rng = np.random.default_rng(seed)
    rank = min(rows // 2, columns)
    directions = np.linalg.qr(rng.normal(size=(columns, rank)))[0].T
    return (rng.normal(size=(rows, rank)) * np.logspace(0, -4, rank)) @ directions + offset * rng.random(columns)


def row_sets(rows: int, k: int = 8) -> list[NDArray[np.int64]]:
    fold = np.random.default_rng(3).permutation(rows) % k
    return [np.flatnonzero(fold != number) for number in range(k)]


def assert_equal_to_sklearn(ours: Projection, features: NDArray[np.float64]) -> None:
    theirs = PCA(svd_solver="full").fit(features)
    count = int(np.sum(theirs.explained_variance_ > 1e-8 * theirs.explained_variance_[0]))
    components = theirs.components_[:count]
    signs = np.sign(np.sum(ours.components[:count] * components, axis=1, keepdims=True))
    np.testing.assert_allclose(ours.components[:count], signs * components, atol=1e-8, rtol=0)
    np.testing.assert_allclose(ours.variances[:count], theirs.explained_variance_[:count], rtol=1e-7)
    np.testing.assert_allclose(ours.mean, theirs.mean_, rtol=1e-12, atol=1e-12)


@PATHS
@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_equal_to_sklearn_in_every_fold(rows: int, columns: int, budget: int, offset: float) -> None:
    features = graded(rows, columns, offset)
    sets = row_sets(rows)
    fitted = fit_projections(features, sets, columns, budget=budget)
    for projection, training in zip(fitted, sets, strict=True):
        assert_equal_to_sklearn(projection, features[training])


@PATHS
@pytest.mark.parametrize("fraction", [0.5, 0.9, 0.999])
def test_fractions_keep_as_many_components_as_sklearn(rows: int, columns: int, budget: int, fraction: float) -> None:
    features = graded(rows, columns)
    sets = row_sets(rows)
    for projection, training in zip(fit_projections(features, sets, fraction, budget=budget), sets, strict=True):
        reference = PCA(fraction, svd_solver="full").fit(features[training])
        assert len(projection.components) == reference.n_components_


@PATHS
def test_a_nan_in_a_held_out_row_changes_no_byte(rows: int, columns: int, budget: int) -> None:
    features = graded(rows, columns)
    sets = row_sets(rows)
    held_out = np.setdiff1d(np.arange(rows), sets[3])
    before = collect(features, sets, budget)
    features[held_out] *= 1000
    features[held_out[0], 0] = np.nan
    after = collect(features, sets, budget)
    assert before[3] == after[3]
    assert before[0] != after[0]


def collect(features: NDArray[np.float64], sets: list[NDArray[np.int64]], budget: int) -> list[bytes]:
    """What each fold's eigenproblem is made of: other folds may hold a NaN, so nothing is decomposed here."""
    from fercli.preprocessing.gram import centred_grams

    (one,) = passes(sets)
    if features.shape[1] > len(features):
        return [gram.tobytes() + mean.tobytes() for mean, _, gram in centred_grams(features, one.rest, one.cells)]
    return [
        part.scatter.tobytes() + part.mean.tobytes()
        for part in moments_without(features, one.rest, one.cells, budget=budget)
    ]


@PATHS
def test_null_components_are_not_kept(rows: int, columns: int, budget: int) -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(rows, 4)) @ rng.normal(size=(4, columns)) + 5
    for projection in fit_projections(features, row_sets(rows), 30, budget=budget):
        assert len(projection.components) == 4
        np.testing.assert_allclose(projection.components @ projection.components.T, np.eye(4), atol=1e-12)


@PATHS
def test_the_largest_entry_of_each_component_is_positive(rows: int, columns: int, budget: int) -> None:
    for projection in fit_projections(graded(rows, columns), row_sets(rows), 5, budget=budget):
        largest = np.argmax(np.abs(projection.components), axis=1)
        assert np.all(projection.components[np.arange(5), largest] > 0)


def test_equal_entries_do_not_let_rounding_choose_the_sign() -> None:
    rng = np.random.default_rng(0)
    along = rng.normal(size=(50, 1))
    for wobble in (0.0, 1e-13, -1e-13):
        features = along * np.array([[1.0, -1.0 + wobble]])
        (projection,) = fit_projections(features, [np.arange(50)], 1)
        assert projection.components[0, 0] > 0


def test_a_subset_of_components_equals_the_first_of_all() -> None:
    features = graded(300, 60)
    (few,), (all_,) = (fit_projections(features, [np.arange(300)], count) for count in (3, 60))
    np.testing.assert_allclose(few.components, all_.components[:3], atol=1e-9)
    assert few.total_variance == pytest.approx(np.var(features, axis=0, ddof=1).sum())


def test_moments_in_chunks_equal_moments_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    features = graded(500, 6, offset=100.0)
    monkeypatch.setattr("fercli.preprocessing.moments._CHUNK_BYTES", 6 * 8 * 37)
    part = moments(features.astype(np.float32), np.arange(500))
    reference = features.astype(np.float32).astype(np.float64)
    centred = reference - reference.mean(axis=0)
    np.testing.assert_allclose(part.mean, reference.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(part.scatter, centred.T @ centred, rtol=1e-10, atol=1e-10)


def test_passes_gather_folds_and_keep_overlapping_sets_apart() -> None:
    sets = row_sets(40, 4)
    gathered = passes([*sets, np.arange(10), np.arange(5, 30)])
    assert [one.positions for one in gathered] == [(0, 1, 2, 3), (4,), (5,)]
    assert len(gathered[0].rest) == 0
    np.testing.assert_array_equal(gathered[2].rest, np.arange(5, 30))


def test_one_row_is_refused() -> None:
    with pytest.raises(InputError, match="PCA needs at least 2 training rows and got 1"):
        fit_projections(graded(10, 3), [np.array([4])], 2)


@pytest.mark.parametrize("rank", [30, 1100])
def test_lanczos_finds_what_the_dense_method_finds(rank: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    rows = random.standard_normal((1100, rank)) * 0.9 ** np.arange(rank) @ random.standard_normal((rank, 1300))
    everything = [np.arange(1100, dtype=np.int64)]
    lanczos = fit_projections(rows, everything, 12)[0]
    again = fit_projections(rows, everything, 12)[0]
    assert lanczos.components.tobytes() == again.components.tobytes()
    monkeypatch.setattr("fercli.preprocessing.pca._LANCZOS_SIZE", 10**9)
    dense = fit_projections(rows, everything, 12)[0]
    np.testing.assert_allclose(lanczos.variances, dense.variances, rtol=1e-10)
    np.testing.assert_allclose(lanczos.components, dense.components, atol=1e-8)


def test_where_lanczos_gives_up_the_dense_method_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    from scipy.sparse.linalg import ArpackNoConvergence

    def never(*arguments: object, **options: object) -> None:
        raise ArpackNoConvergence("no convergence", np.empty(0), np.empty((0, 0)))

    rows = np.random.default_rng(4).standard_normal((1050, 1200))
    everything = [np.arange(1050, dtype=np.int64)]
    expected = fit_projections(rows, everything, 3)[0]
    monkeypatch.setattr("fercli.preprocessing.pca.eigsh", never)
    np.testing.assert_allclose(fit_projections(rows, everything, 3)[0].components, expected.components, atol=1e-8)
