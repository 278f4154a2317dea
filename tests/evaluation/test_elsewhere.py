"""Scores of a model on rows that it was given afterwards: classes by name, and the keys of the contract."""

import json

import numpy as np
import pytest

from fercli.evaluation.elsewhere import by_name, joined_classes, model_metrics
from fercli.evaluation.metrics import score

STORED = {
    "name": "net",
    "kind": "resnet",
    "chance": 0.25,
    "protocol": {
        "scheme": "grouped", "k": 5, "repeats": 1, "groups": 9, "seed": 0, "duplicates": "group", "leaks": ["old"],
    },
    "train": {"accuracy": {"mean": 0.9, "sd": 0.1}, "loss": {"mean": 0.2, "sd": None}},
}  # fmt: skip


def test_classes_are_the_models_and_then_what_it_does_not_know():
    assert joined_classes(("sad", "happy"), ("happy", "angry", "sad", "bored")) == ("sad", "happy", "angry", "bored")


def test_classes_that_the_model_does_not_know_have_probability_0():
    scores = np.array([[0.2, 0.6], [0.0, 0.0]], dtype=np.float32)
    np.testing.assert_allclose(by_name(scores, 3), [[0.25, 0.75, 0], [0, 0, 0]], rtol=1e-6)


def test_an_entry_has_the_keys_of_the_contract_and_the_scores_without_training_rows(made_predictions):
    predictions = made_predictions(rows=40)
    trained = np.arange(40) < 10
    groups = np.array([f"film_{row // 4}" for row in range(40)])
    entry = model_metrics(
        STORED, predictions, groups, on="other", split="test", in_training=trained, majority=1,
        leaks=("new",), seed=0, draws=50,
    )  # fmt: skip
    assert entry["accuracy"] == entry["test"]["accuracy"]["pooled"] == score(predictions).accuracy
    assert entry["without_copies"] == score(predictions, ~trained).as_json()
    assert (entry["copies_in_training"], entry["on"], entry["split"]) == (10, "other", "test")
    assert entry["protocol"]["leaks"] == ["old", "new"]
    assert STORED["protocol"]["leaks"] == ["old"]
    assert entry["majority"]["accuracy"]["pooled"] == pytest.approx(np.mean(predictions.truth == 1))
    assert entry["folds"][0]["interval"]["method"] == "wilson"
    assert entry["intervals"]["accuracy"]["method"] == "bootstrap over 10 groups"
    assert entry["test"]["loss"] == {"mean": entry["log_loss"], "sd": None, "name": "log_loss"}
    assert {"mcc", "brier", "ece", "top2", "aurc", "worst_group", "reliability"} <= set(entry)
    json.dumps(entry, allow_nan=False)


def test_an_unknown_majority_and_no_training_rows_are_null(made_predictions):
    predictions = made_predictions(rows=12)
    nothing = np.zeros(12, dtype=np.bool_)
    entry = model_metrics(
        STORED, predictions, np.full(12, ""), on="x", split="all", in_training=nothing, majority=None,
        leaks=(), seed=0, draws=50,
    )  # fmt: skip
    assert entry["majority"]["accuracy"] == {"mean": None, "sd": None, "pooled": None}
    assert entry["without_copies"] is None
    assert entry["intervals"]["accuracy"]["method"] == "wilson"
