"""Yardsticks against scikit-learn by hand, and the leak test over every one of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from fercli.baselines.estimators import estimator
from fercli.baselines.fitted import FittedBaseline, from_arrays
from fercli.baselines.training import Rows, final_fold, fit_fold, train_fold, train_folds
from fercli.config.baseline import BASELINES, DEFAULTS, TrainBaselineConfig
from fercli.config.preprocessing import PreprocessingConfig
from fercli.config.protocol import ProtocolConfig
from fercli.errors import ArtifactError, InputError, UsageError
from fercli.preprocessing.foldwise import apply
from fercli.protocol.leak_test import Leak, leak_test
from fercli.records import Block, Fold
from fercli.seeds import integer

BLOCKS = (Block("lpq", 0, 4), Block("phog", 4, 8))
NONE = np.empty(0, dtype=np.int64)
PLAIN = PreprocessingConfig(log="none")


def made_rows(count: int = 140, classes: int = 4, seed: int = 0) -> Rows:
    """Rows in 28 groups whose classes overlap; two of them are copies."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, classes, count)
    features = (rng.normal(size=(count, 8)) + 0.9 * np.eye(8)[targets]).astype(np.float32)
    copies = np.arange(count)
    copies[1] = 0
    return Rows(features, BLOCKS, targets, np.arange(count) // 5, copies, classes)


def made_fold(rows: Rows, k: int = 4, number: int = 1) -> Fold:
    held_out = rows.groups % k == number
    return Fold(0, number, np.flatnonzero(~held_out), np.flatnonzero(held_out), NONE)


def config_of(model: str, **more: Any) -> TrainBaselineConfig:
    return TrainBaselineConfig.of(model=model, trees=20, hidden=8, epochs=15, preprocessing=PLAIN, **more)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("model", [name for name in BASELINES if name != "majority"])
@pytest.mark.parametrize("classes", [2, 4])
def test_a_fold_equals_scikit_learn_run_by_hand(model: str, classes: int) -> None:
    rows = made_rows(classes=classes)
    fold = made_fold(rows)
    config = config_of(model, protocol=ProtocolConfig(monitor="none"))
    answer = train_fold(rows, fold, config)
    by_hand = make_pipeline(
        StandardScaler(),
        estimator(config, DEFAULTS.get(model, {}), columns=8, seed=integer(0, "baselines.fit", 0, 1)),
    )
    with threadpool_limits(1):
        by_hand.fit(rows.features[fold.train].astype(np.float64), rows.targets[fold.train])
        held_out = rows.features[fold.test].astype(np.float64)
        np.testing.assert_array_equal(np.argmax(answer.held_out, axis=1), by_hand.predict(held_out))
        if hasattr(by_hand, "predict_proba"):
            np.testing.assert_allclose(answer.held_out, by_hand.predict_proba(held_out), atol=1e-9)
        else:
            scores = by_hand.decision_function(held_out)
            scores = np.column_stack([np.zeros(len(scores)), scores]) if classes == 2 else scores
            expected = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
            np.testing.assert_allclose(answer.held_out, expected, atol=1e-9)
    assert answer.test_accuracy == pytest.approx(by_hand.score(held_out, rows.targets[fold.test]))


@pytest.mark.filterwarnings("ignore:Variables are collinear")
@pytest.mark.parametrize("count", [300, 15], ids=["more rows than columns", "fewer"])
def test_lda_of_collinear_histograms_is_that_of_scikit_learn(count: int) -> None:
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 4, 400)
    counts = rng.poisson(3 + 4 * np.eye(20)[targets] + np.roll(np.eye(20), 5, axis=1)[targets])
    histograms = (counts / counts.sum(axis=1, keepdims=True)).astype(np.float32)
    everything = np.arange(400)
    rows = Rows(histograms, (Block("lpq", 0, 20),), targets, everything, everything, 4)
    fold = Fold(0, 0, everything[:count], everything[300:], NONE)
    answer = train_fold(rows, fold, config_of("lda"))
    svd = LinearDiscriminantAnalysis(solver="svd").fit(histograms[:count].astype(np.float64), targets[:count])
    expected = svd.predict_proba(histograms[300:].astype(np.float64))
    np.testing.assert_allclose(answer.held_out, expected, atol=1e-8)


def test_majority_answers_the_shares_of_its_training_rows() -> None:
    rows = made_rows()
    fold = made_fold(rows)
    shares = np.bincount(rows.targets[fold.train], minlength=4) / len(fold.train)
    answer = train_fold(rows, fold, config_of("majority"))
    np.testing.assert_allclose(answer.held_out, np.tile(shares, (len(fold.test), 1)), atol=1e-15)
    assert answer.train_accuracy == pytest.approx(shares.max())
    assert answer.train_loss == pytest.approx(-np.sum(shares * np.log(shares)))


def fitted_things(model: str, rows: Rows) -> Any:
    config = config_of(model, grid_rows=90)

    def fit_one(features: NDArray[Any], labels: NDArray[np.int64], fold: Fold) -> Mapping[str, NDArray[Any] | bytes]:
        own = Rows(features, rows.blocks, labels, rows.groups, rows.copies, rows.classes)
        fitted = fit_fold(own, fold, config)
        tried = repr(fitted.choice.tried).encode()
        return {**fitted.preprocessing.to_arrays(), **fitted.model.to_arrays(), "tried": tried}

    return fit_one


@pytest.mark.parametrize("model", BASELINES)
def test_held_out_rows_never_touch_what_is_fitted(model: str) -> None:
    rows = made_rows(100)
    assert leak_test(fitted_things(model, rows), rows.features, rows.targets, made_fold(rows)) == ()


def test_a_planted_trainer_that_scales_on_all_rows_is_named() -> None:
    rows = made_rows(100)
    honest = fitted_things("lda", rows)

    def cheat(features: NDArray[Any], labels: NDArray[np.int64], fold: Fold) -> Mapping[str, NDArray[Any] | bytes]:
        return {**honest(features, labels, fold), "scaling.scale": np.nanstd(features.astype(np.float64), axis=0)}

    found = leak_test(cheat, rows.features, rows.targets, made_fold(rows))
    assert Leak("held-out values x 1000", "scaling.scale") in found
    assert {leak.fitted for leak in found} == {"scaling.scale"}


def test_a_planted_grid_that_reads_held_out_labels_is_named() -> None:
    rows = made_rows(100)
    config = config_of("knn")

    def cheat(features: NDArray[Any], labels: NDArray[np.int64], fold: Fold) -> Mapping[str, NDArray[Any] | bytes]:
        own = Rows(features, rows.blocks, labels, rows.groups, rows.copies, rows.classes)
        everything = Fold(fold.repeat, fold.fold, np.arange(len(features)), NONE, NONE)
        try:
            return {"tried": repr(fit_fold(own, everything, config).choice.tried).encode()}
        except InputError:
            return {}

    found = leak_test(cheat, rows.features, rows.targets, made_fold(rows))
    assert {leak.alteration for leak in found} == {
        "held-out labels permuted",
        "held-out values x 1000",
        "one held-out value NaN",
    }


@pytest.mark.parametrize("model", ["rbf-svm", "forest"])
def test_the_bytes_do_not_depend_on_the_jobs(model: str) -> None:
    rows = made_rows()
    folds = [made_fold(rows, number=number) for number in range(4)]
    alone = list(train_folds(rows, folds, config_of(model), jobs=1, threads=2))
    beside = list(train_folds(rows, folds, config_of(model), jobs=2, threads=2))
    for one, other in zip(alone, beside, strict=True):
        assert one.held_out.tobytes() == other.held_out.tobytes()
        left, right = one.fitted.model.to_arrays(), other.fitted.model.to_arrays()
        assert all(left[key].tobytes() == right[key].tobytes() for key in left)


@pytest.mark.parametrize("model", BASELINES)
def test_what_was_fitted_comes_back_from_arrays(model: str) -> None:
    rows = made_rows()
    fitted = fit_fold(rows, made_fold(rows), config_of(model))
    back = from_arrays(fitted.model.to_arrays(), fitted.model.meta())
    x = apply(fitted.preprocessing, rows.features)
    assert back.probabilities(x).tobytes() == fitted.model.probabilities(x).tobytes()
    assert fitted.model.probabilities(x).sum(axis=1) == pytest.approx(np.ones(len(x)))
    alone = np.concatenate([back.probabilities(x[row : row + 1]) for row in range(20)])
    np.testing.assert_allclose(alone, back.probabilities(x[:20]), atol=1e-9)


@pytest.mark.parametrize("model", BASELINES)
def test_a_class_without_training_rows_has_probability_0(model: str) -> None:
    rows = made_rows()
    train = np.flatnonzero(rows.targets != 2)
    test = np.flatnonzero(rows.targets == 2)
    answer = train_fold(rows, Fold(0, 0, train, test, NONE), config_of(model))
    assert np.all(answer.held_out[:, 2] == 0)
    assert answer.test_accuracy == 0
    assert answer.test_loss == pytest.approx(-np.log(1e-15))


def test_a_single_class_is_always_answered() -> None:
    rows = made_rows()
    only = np.flatnonzero(rows.targets == 3)
    answer = train_fold(rows, Fold(0, 0, only[5:], only[:5], NONE), config_of("lda"))
    assert answer.fitted.model.model == "majority"
    np.testing.assert_array_equal(answer.held_out, np.tile([0.0, 0.0, 0.0, 1.0], (5, 1)))


def test_a_final_fold_holds_nothing_out() -> None:
    rows = made_rows()
    answer = train_fold(rows, final_fold(np.arange(140)), config_of("lda"))
    assert answer.held_out.shape == (0, 4)
    assert answer.test_accuracy is None


def test_held_out_values_that_are_not_finite_are_refused_with_their_row() -> None:
    rows = made_rows()
    fold = made_fold(rows)
    rows.features[fold.test[2], 3] = np.nan
    with pytest.raises(InputError, match=r"^a held-out row has a value that is not finite") as caught:
        train_fold(rows, fold, config_of("forest"))
    assert caught.value.where == f"row {fold.test[2]} of the features"


def test_choosing_on_the_scored_rows_is_refused() -> None:
    with pytest.raises(UsageError, match="--monitor validation would choose on the rows that are scored"):
        config_of("lda", protocol=ProtocolConfig(monitor="validation"))
    with pytest.raises(UsageError, match="--model: input should be 'majority', 'lda'"):
        TrainBaselineConfig.of(model="svm")


def test_stored_yardsticks_that_are_unknown_or_incomplete_are_refused() -> None:
    rows = made_rows()
    fitted: FittedBaseline = fit_fold(rows, made_fold(rows), config_of("lda")).model
    with pytest.raises(ArtifactError, match="there is no yardstick called oracle"):
        from_arrays(fitted.to_arrays(), {**fitted.meta(), "model": "oracle"})
    arrays = fitted.to_arrays()
    del arrays["scale"]
    with pytest.raises(ArtifactError, match="the stored yardstick lacks 'scale'"):
        from_arrays(arrays, fitted.meta())
