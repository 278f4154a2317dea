"""An evaluation's entry of a run: fresh scores, intervals, and contradictions that are noticed."""

import json

import numpy as np

from fercli.evaluation.metrics import score
from fercli.evaluation.rescore import contradictions, rescore


def test_scores_are_taken_again_and_other_keys_kept(made_predictions):
    predictions = made_predictions(rows=100)
    stored = {"name": "net", "accuracy": 0.99, "train": {"accuracy": {"mean": 0.5, "sd": None}}}
    entry = rescore(stored, predictions, None, seed=0, draws=100)
    assert entry["name"] == "net"
    assert entry["train"] == stored["train"]
    assert entry["accuracy"] == score(predictions).accuracy
    assert sum(bin_["rows"] for bin_ in entry["reliability"]) == 100
    json.dumps(entry, allow_nan=False)


def test_folds_are_scored_again_with_an_interval_each_and_a_false_one_is_named(made_predictions):
    predictions = made_predictions(rows=90, folds=3)
    right = score(predictions, predictions.folds == 1).accuracy
    stored = {"folds": [{"repeat": 0, "fold": 1, "rows": 30, "accuracy": right, "log_loss": 9.0, "majority": 0.2}]}
    entry = rescore(stored, predictions, None, seed=0, draws=10)
    (fold,) = entry["folds"]
    assert fold["majority"] == 0.2
    assert fold["interval"]["lower"] < right < fold["interval"]["upper"]
    assert fold["log_loss"] == score(predictions, predictions.folds == 1).log_loss
    assert contradictions(stored, entry) == []
    lying = {"folds": [{**stored["folds"][0], "accuracy": 0.99}]}
    assert contradictions(lying, entry) == [f"accuracy of repeat 0 fold 1: 0.99 stored, {right} computed"]


def test_intervals_are_over_groups_where_rows_have_them(made_predictions):
    predictions = made_predictions(rows=100)
    plain = rescore({}, predictions, np.full(100, ""), seed=0, draws=100)
    assert plain["intervals"]["accuracy"]["method"] == "wilson"
    assert plain["intervals"]["macro_f1"]["method"] == "bootstrap over rows"
    films = np.array([f"film_{index % 10}" for index in range(100)])
    grouped = rescore({}, predictions, films, seed=0, draws=100)
    assert grouped["intervals"]["accuracy"]["method"] == "bootstrap over 10 groups"
    alone = rescore({}, predictions, np.full(100, "one film"), seed=0, draws=100)
    assert alone["intervals"]["accuracy"] is None


def test_the_worst_group_is_named_among_those_with_enough_rows(made_predictions):
    predictions = made_predictions(rows=60, repeats=2)
    wrong = predictions.predicted != predictions.truth
    groups = np.full(120, "rest")
    by_id = {name: bool(wrong[predictions.ids == name].any()) for name in set(predictions.ids.tolist())}
    hard = [name for name, missed in sorted(by_id.items()) if missed]
    groups[np.isin(predictions.ids, hard[:10])] = "hard"
    groups[np.isin(predictions.ids, hard[10:13])] = "small"
    worst = rescore({}, predictions, groups, seed=0, draws=10)["worst_group"]
    assert (worst["group"], worst["rows"]) == ("hard", 10)
    assert worst["accuracy"] == np.mean(~wrong[groups == "hard"])
    assert rescore({}, predictions, None, seed=0, draws=10)["worst_group"] is None
    assert rescore({}, predictions, np.full(120, ""), seed=0, draws=10)["worst_group"] is None


def test_stored_scores_that_the_predictions_do_not_give_are_named(made_predictions):
    predictions = made_predictions(rows=100)
    stored = score(predictions).as_json()
    entry = rescore(stored, predictions, None, seed=0, draws=10)
    assert contradictions(stored, entry) == []
    assert contradictions({**stored, "accuracy": stored["accuracy"] + 1e-12}, entry) == []
    found = contradictions({**stored, "accuracy": 0.5, "rows": 99}, entry)
    assert found == [f"accuracy: 0.5 stored, {entry['accuracy']} computed", "rows: 99 stored, 100 computed"]
    assert contradictions({**stored, "mcc": None}, entry)[0].startswith("mcc: None stored")
