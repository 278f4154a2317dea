"""Preprocessing per fold: leak-free to the byte, equal alone and in one pass, and back from disk unchanged."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.config.preprocessing import PreprocessingConfig
from fercli.errors import ArtifactError, InputError, UsageError
from fercli.preprocessing.foldwise import Fitted, apply, fit, fit_folds, from_arrays
from fercli.protocol.leak_test import Leak, leak_test
from fercli.records import Block, Fold

BLOCKS = (Block("lpq", 0, 8), Block("phog", 8, 20))
CONFIGS = [
    PreprocessingConfig(pca=pca, log=log, scaling=scaling)
    for pca in (None, 3, 0.9)
    for log, scaling in (("auto", "zscore"), ("auto", "minmax"), ("none", "none"))
]
NONE = np.empty(0, dtype=np.int64)


def table(rows: int = 90, columns: int = 20, seed: int = 0) -> NDArray[np.float32]:
    """Correlated columns, one of them skewed, one constant."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(rows, columns)) @ rng.normal(size=(columns, columns))
    features[:, 1] = np.exp(2 * rng.normal(size=rows))
    features[:, 5] = 3.25
    return features.astype(np.float32)


def folds(rows: int = 90, k: int = 6) -> list[Fold]:
    number = np.random.default_rng(1).permutation(rows) % k
    return [Fold(0, fold, np.flatnonzero(number != fold), np.flatnonzero(number == fold), NONE) for fold in range(k)]


@pytest.mark.parametrize("config", CONFIGS, ids=str)
@pytest.mark.parametrize("columns", [20, 120], ids=["fewer columns than rows", "more columns than rows"])
def test_held_out_rows_never_touch_what_is_fitted(config: PreprocessingConfig, columns: int) -> None:
    blocks = (Block("lpq", 0, 8), Block("phog", 8, columns))

    def fit_one(features: NDArray[Any], labels: NDArray[np.int64], fold: Fold) -> Mapping[str, NDArray[Any]]:
        return fit(features, blocks, fold.train, config).to_arrays()

    features = table(columns=columns)
    labels = np.arange(90) % 7
    assert leak_test(fit_one, features, labels, folds()[2]) == ()


@pytest.mark.parametrize("columns", [20, 120])
def test_held_out_rows_never_touch_the_one_pass_over_all_folds(columns: int) -> None:
    """Rows held out in fold 2 are multiplied by 1000: they train in all the others, but not in fold 2."""
    blocks = (Block("lpq", 0, 8), Block("phog", 8, columns))
    config = PreprocessingConfig(pca=3)
    features, parts = table(columns=columns), folds()
    changed = features.copy()
    changed[parts[2].test] *= 1000
    before = fit_folds(features, blocks, [fold.train for fold in parts], config)
    after = fit_folds(changed, blocks, [fold.train for fold in parts], config)
    assert same_bytes(before[2], after[2])
    assert not any(same_bytes(before[fold], after[fold]) for fold in (0, 1, 3, 4, 5))


def same_bytes(first: Fitted, second: Fitted) -> bool:
    left, right = first.to_arrays(), second.to_arrays()
    return left.keys() == right.keys() and all(left[key].tobytes() == right[key].tobytes() for key in left)


def test_a_planted_preprocessor_that_fits_on_all_rows_is_named() -> None:
    config = PreprocessingConfig(pca=None, log="none")

    def cheat(features: NDArray[Any], labels: NDArray[np.int64], fold: Fold) -> Mapping[str, NDArray[Any]]:
        everything = np.arange(len(features))
        honest = fit(features, BLOCKS, fold.train, config).to_arrays()
        spread = np.nanstd(features[everything], axis=0)
        return {**honest, "scaling.scale": spread}

    found = leak_test(cheat, table(), np.arange(90) % 7, folds()[0])
    assert Leak("held-out values x 1000", "scaling.scale") in found
    assert {leak.fitted for leak in found} == {"scaling.scale"}


def test_labels_that_are_read_from_held_out_rows_are_named() -> None:
    def cheat(features: NDArray[Any], labels: NDArray[np.int64], fold: Fold) -> Mapping[str, NDArray[Any]]:
        return {"priors": np.bincount(labels, minlength=7), "fold": np.bincount(labels[fold.train], minlength=7)}

    features = np.zeros((90, 4, 4), dtype=np.uint8)
    assert leak_test(cheat, features, np.arange(90) % 7, folds()[0]) == (Leak("held-out labels permuted", "priors"),)


def test_each_alteration_is_seen_by_what_only_it_changes() -> None:
    def cheat(features: NDArray[Any], labels: NDArray[np.int64], fold: Fold) -> Mapping[str, NDArray[Any]]:
        return {"unread": np.isnan(features).any(axis=0), "largest": np.nan_to_num(np.abs(features)).max(axis=0)}

    features = table()
    features[folds()[0].test] = np.sign(features[folds()[0].test]) * 1e-3
    assert leak_test(cheat, features, np.arange(90) % 7, folds()[0]) == (Leak("one held-out value NaN", "unread"),)
    pixels = np.full((90, 2, 2), 7, dtype=np.uint8)
    assert leak_test(cheat, pixels, np.arange(90) % 7, folds()[0]) == (Leak("held-out pixels inverted", "largest"),)


def test_a_fit_that_does_not_repeat_itself_is_named() -> None:
    rng = np.random.default_rng()

    def drifting(features: NDArray[Any], labels: NDArray[np.int64], fold: Fold) -> Mapping[str, bytes]:
        return {"weights": rng.bytes(8)}

    found = leak_test(drifting, table(), np.arange(90) % 7, folds()[0])
    assert found[0] == Leak("nothing", "weights")


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_all_folds_in_one_pass_give_what_each_gives_alone(config: PreprocessingConfig) -> None:
    features, parts = table(), folds()
    together = fit_folds(features, BLOCKS, [fold.train for fold in parts], config)
    for fold, one in zip(parts, together, strict=True):
        alone = fit(features, BLOCKS, fold.train, config)
        assert alone.names == one.names
        np.testing.assert_allclose(apply(one, features), apply(alone, features), rtol=1e-9, atol=1e-9)


def test_repeats_and_overlapping_row_sets_are_fitted_each_on_its_own_rows() -> None:
    features, config = table(), PreprocessingConfig(pca=4)
    number = np.random.default_rng(5).permutation(90) % 3
    sets = [fold.train for fold in folds()] + [np.flatnonzero(number != fold) for fold in range(3)]
    sets += [np.arange(40), np.arange(30, 80)]
    for rows, one in zip(sets, fit_folds(features, BLOCKS, sets, config), strict=True):
        alone = fit(features, BLOCKS, rows, config)
        np.testing.assert_allclose(apply(one, features), apply(alone, features), rtol=1e-9, atol=1e-9)


def test_training_rows_come_out_scaled() -> None:
    features, rows = table(), np.arange(60)
    scaled = apply(fit(features, BLOCKS, rows, PreprocessingConfig()), features)[rows]
    varying = np.arange(20) != 5
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(scaled.std(axis=0)[varying], 1, atol=1e-12)
    np.testing.assert_array_equal(scaled[:, 5], 0)
    ranged = apply(fit(features, BLOCKS, rows, PreprocessingConfig(scaling="minmax")), features)[rows]
    np.testing.assert_allclose(ranged.min(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(ranged.max(axis=0)[varying], 1, atol=1e-12)


def test_fitted_comes_back_from_arrays_and_json() -> None:
    features = table()
    one = fit(features, BLOCKS, np.arange(60), PreprocessingConfig(pca=0.9))
    back = from_arrays(one.to_arrays(), json.loads(json.dumps(one.meta())))
    assert same_bytes(one, back)
    assert back.meta() == one.meta()
    np.testing.assert_array_equal(apply(back, features), apply(one, features))


def test_stored_preprocessing_that_is_incomplete_or_newer_is_refused() -> None:
    one = fit(table(), BLOCKS, np.arange(60), PreprocessingConfig(pca=3))
    arrays = one.to_arrays()
    with pytest.raises(ArtifactError, match="preprocessing of version 99, this release reads version 1"):
        from_arrays(arrays, {**one.meta(), "version": 99})
    del arrays["pca.1.components"]
    with pytest.raises(ArtifactError, match=r"stored preprocessing lacks 'pca\.1\.components'"):
        from_arrays(arrays, one.meta())


def test_the_order_of_training_rows_does_not_matter() -> None:
    features, config = table(), PreprocessingConfig(pca=3)
    rows = np.random.default_rng(2).permutation(60)
    assert same_bytes(fit(features, BLOCKS, rows, config), fit(features, BLOCKS, np.sort(rows), config))


def test_names_of_the_columns_that_come_out() -> None:
    blocks = (Block("lpq", 0, 2, ("lpq.a", "lpq.b")), Block("phog", 2, 20))
    one = fit(table(), blocks, np.arange(60), PreprocessingConfig(pca=2, log=("phog.pc1",)))
    assert one.names == ("lpq.a", "lpq.b", "phog.pc1", "phog.pc2")
    assert one.meta()["logged"] == ["phog.pc1"]


def test_user_mistakes_are_refused_with_the_place_and_the_remedy() -> None:
    features, rows = table(), np.arange(60)
    with pytest.raises(InputError, match=r"^there is no column lpq\.99 to take the logarithm of$") as caught:
        fit(features, BLOCKS, rows, PreprocessingConfig(log=("lpq.99",)))
    assert caught.value.next_step is not None
    assert caught.value.next_step.startswith("the columns are lpq.0, lpq.1,")
    features[7, 9] = np.nan
    with pytest.raises(InputError, match=r"^a training value is not finite: nan in column phog\.1$") as caught:
        fit(features, BLOCKS, rows, PreprocessingConfig())
    assert caught.value.where == "row 7 of the features"
    one = fit(table(), BLOCKS, rows, PreprocessingConfig())
    with pytest.raises(InputError, match=r"the features have shape \(90, 7\), the model was fitted on 20 columns"):
        apply(one, features[:, :7])
    with pytest.raises(InputError, match="the blocks of columns do not fit 20 columns"):
        fit(table(), (Block("lpq", 0, 21),), rows, PreprocessingConfig())
    with pytest.raises(InputError, match="no component is left: every column is constant"):
        fit(np.ones((9, 3)), (), np.arange(9), PreprocessingConfig(pca=2))


@pytest.mark.parametrize("pca", [0, -1, 0.0, 1.0, 2.5])
def test_pca_out_of_bounds_names_the_option(pca: float) -> None:
    with pytest.raises(UsageError, match="--pca: give a number of components from 1, or a fraction"):
        PreprocessingConfig.of(pca=pca)


def test_config_survives_json() -> None:
    for config in CONFIGS:
        assert PreprocessingConfig(**json.loads(json.dumps(config.stored()))) == config
