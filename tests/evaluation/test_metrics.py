"""Scores against scikit-learn, by hand, and at the edges where they are undefined."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from fercli.evaluation.metrics import SCORES, confusion_matrix, log_losses, macro_f1_of, mcc_of, score
from fercli.records import Predictions


def hard(truth: list[int], predicted: list[int], classes: int = 3) -> Predictions:
    """Predictions that put everything on one class."""
    return Predictions(
        ids=np.array([f"row_{index}" for index in range(len(truth))]),
        repeats=np.zeros(len(truth), dtype=np.int64),
        folds=np.zeros(len(truth), dtype=np.int64),
        splits=np.full(len(truth), ""),
        truth=np.array(truth, dtype=np.int64),
        probabilities=np.eye(classes)[predicted].reshape(len(truth), classes),
        classes=tuple("abcdefg"[:classes]),
    )


def test_scores_equal_scikit_learn(made_predictions):
    predictions = made_predictions(rows=500, classes=7)
    truth, predicted, probabilities = predictions.truth, predictions.predicted, predictions.probabilities
    scored = score(predictions)
    precision, recall, _, support = reference.precision_recall_fscore_support(truth, predicted)
    assert scored.rows == 500
    assert scored.accuracy == pytest.approx(reference.accuracy_score(truth, predicted))
    assert scored.balanced_accuracy == pytest.approx(reference.balanced_accuracy_score(truth, predicted))
    assert scored.macro_f1 == pytest.approx(reference.f1_score(truth, predicted, average="macro"))
    assert scored.log_loss == pytest.approx(reference.log_loss(truth, probabilities))
    assert scored.mcc == pytest.approx(reference.matthews_corrcoef(truth, predicted))
    assert scored.top2 == pytest.approx(reference.top_k_accuracy_score(truth, probabilities, k=2))
    assert scored.brier == pytest.approx(np.mean(np.sum((probabilities - np.eye(7)[truth]) ** 2, axis=1)))
    assert [entry.precision for entry in scored.per_class] == pytest.approx(precision.tolist())
    assert [entry.recall for entry in scored.per_class] == pytest.approx(recall.tolist())
    assert [entry.support for entry in scored.per_class] == support.tolist()
    specificity = [
        reference.recall_score(truth != index, predicted != index) for index in range(7)
    ]  # specificity of a class is the recall of "not this class"
    assert [entry.specificity for entry in scored.per_class] == pytest.approx(specificity)
    np.testing.assert_array_equal(scored.confusion, reference.confusion_matrix(truth, predicted))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
def test_macro_f1_and_mcc_with_absent_classes_equal_scikit_learn(pairs):
    truth, predicted = np.array(pairs).T
    confusion = confusion_matrix(truth, predicted, 4)
    expected = reference.f1_score(truth, predicted, average="macro", zero_division=0)
    assert macro_f1_of(confusion) == pytest.approx(expected)
    coefficient = mcc_of(confusion)
    if coefficient is None:
        assert len(set(truth.tolist())) == 1 or len(set(predicted.tolist())) == 1
    else:
        assert coefficient == pytest.approx(reference.matthews_corrcoef(truth, predicted), abs=1e-12)


def test_confusion_is_truth_then_predicted():
    scored = score(hard([0, 0, 1], [2, 2, 1]))
    assert scored.confusion.tolist() == [[0, 0, 2], [0, 1, 0], [0, 0, 0]]


def test_precision_of_a_class_never_predicted_is_undefined_and_its_f1_is_zero():
    scored = score(hard([0, 0, 1, 1], [0, 0, 0, 0], classes=3))
    assert scored.per_class[1].precision is None
    assert scored.per_class[1].recall == 0.0
    assert scored.per_class[2].recall is None  # no rows
    assert scored.per_class[2].specificity == 1.0
    assert scored.macro_f1 == pytest.approx((2 / 3 + 0) / 2)
    assert scored.mcc is None  # scikit-learn: 0


def test_specificity_is_undefined_where_every_row_is_of_the_class():
    assert score(hard([1, 1], [1, 0])).per_class[1].specificity is None


def test_no_rows_have_no_scores_and_json_holds_no_nan(made_predictions):
    predictions = made_predictions()
    scored = score(predictions, np.zeros(len(predictions.ids), dtype=bool))
    assert scored.rows == 0
    assert all(getattr(scored, key) is None for key in SCORES)
    assert scored.confusion.tolist() == np.zeros((4, 4), dtype=int).tolist()
    assert "NaN" not in json.dumps(scored.as_json(), allow_nan=False)


def test_log_loss_is_clipped_and_finite():
    scored = score(hard([0], [1]))
    assert scored.log_loss == pytest.approx(-np.log(1e-15))
    assert log_losses(np.array([[1.0, 0.0]]), np.array([0])).tolist() == [0.0]


def test_of_equal_probabilities_the_first_class_is_predicted_and_the_first_two_are_top2():
    predictions = replace(hard([1, 2], [0, 0]), probabilities=np.full((2, 3), 1 / 3))
    scored = score(predictions)
    assert scored.accuracy == 0.0
    assert scored.top2 == 0.5


def test_with_repeats_scores_are_means_rows_are_ids_and_confusion_is_the_sum(made_predictions):
    predictions = made_predictions(rows=90, repeats=3)
    parts = [score(predictions, predictions.repeats == repeat) for repeat in range(3)]
    whole = score(predictions)
    assert whole.rows == 90
    assert whole.confusion.sum() == 270
    for key in SCORES:
        assert getattr(whole, key) == pytest.approx(np.mean([getattr(part, key) for part in parts]))
    assert sum(entry.support for entry in whole.per_class) == 90
    assert whole.per_class[2].precision == pytest.approx(np.mean([part.per_class[2].precision for part in parts]))


def test_a_mask_scores_only_its_rows(made_predictions):
    predictions = made_predictions()
    mask = predictions.folds == 1
    expected = np.mean(predictions.predicted[mask] == predictions.truth[mask])
    assert score(predictions, mask).accuracy == pytest.approx(expected)
    assert score(predictions, mask).rows == mask.sum()


def test_json_keys_are_those_of_the_contract(made_predictions):
    payload = score(made_predictions()).as_json()
    contract = ["rows", "accuracy", "balanced_accuracy", "macro_f1", "log_loss", "per_class", "confusion"]
    assert set(contract) <= set(payload)
    assert list(payload["per_class"]["class_0"]) == ["precision", "recall", "specificity", "support"]
