import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from fercli.bp.estimator import SigmoidBPClassifier


@pytest.mark.parametrize(
    "estimator", [SigmoidBPClassifier(), SigmoidBPClassifier(prune=False, precision="float32", hidden=16)]
)
def test_scikit_learn_accepts_it_without_exceptions(estimator):
    # Skipped are only the checks that need pandas or SCIPY_ARRAY_API; no check is expected to fail.
    results = check_estimator(estimator, on_skip=None)
    assert {result["status"] for result in results} <= {"passed", "skipped"}
    assert sum(result["status"] == "passed" for result in results) > 40


@pytest.fixture(scope="module")
def blobs():
    return make_blobs(300, n_features=5, centers=4, cluster_std=2.0, random_state=3)


def test_it_composes_and_learns(blobs):
    x, y = blobs
    model = make_pipeline(StandardScaler(), SigmoidBPClassifier(hidden=16))
    assert cross_val_score(model, x, y, cv=3).min() > 0.85


def test_pruned_units_are_gone_and_told(blobs):
    x, y = blobs
    x = StandardScaler().fit_transform(x)
    model = SigmoidBPClassifier(hidden=24, correlated=0.6, retrain_epochs=2).fit(x, y)
    whole = SigmoidBPClassifier(hidden=24, prune=False).fit(x, y)
    assert len(model.receipt_) > 0
    assert model.n_hidden_ == 24 - len(model.receipt_) == model.network_.w1.shape[2]
    rounds = max(record.round for record in model.receipt_)
    assert model.n_iter_ == len(model.loss_curve_) == 40 + 2 * rounds
    assert (whole.n_hidden_, whole.receipt_, whole.n_iter_) == (24, [], 40)


def test_random_state_decides(blobs):
    x, y = blobs

    def scores(state):
        return SigmoidBPClassifier(hidden=8, epochs=3, random_state=state).fit(x, y).predict_proba(x)

    np.testing.assert_array_equal(scores(1), scores(1))
    np.testing.assert_array_equal(scores(np.random.RandomState(2)), scores(np.random.RandomState(2)))
    assert not np.allclose(scores(1), scores(2))


def test_a_bad_parameter_is_named_at_fit(blobs):
    with pytest.raises(ValueError, match="lr: input should be greater than 0"):
        SigmoidBPClassifier(lr=-1).fit(*blobs)
