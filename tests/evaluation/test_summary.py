"""The metrics contract: keys, pooled and per-fold numbers, majority, copies."""

import json
from dataclasses import replace

import numpy as np
import pytest

from fercli.evaluation.metrics import score
from fercli.evaluation.summary import mean_sd, run_metrics
from fercli.records import Fold, FoldPlan, FoldProtocol, Predictions, Samples

EMPTY = np.zeros(0, dtype=np.int64)


def made_samples(predictions: Predictions) -> Samples:
    ids, first = np.unique(predictions.ids, return_index=True)
    rows = len(ids)
    return Samples(
        ids=ids,
        labels=np.array(predictions.classes)[predictions.truth[first]],
        splits=np.full(rows, ""),
        groups=np.full(rows, ""),
        sources=ids,
        widths=np.zeros(rows, dtype=np.int64),
        heights=np.zeros(rows, dtype=np.int64),
        classes=predictions.classes,
    )


def made_plan(predictions: Predictions, samples: Samples, scheme: str = "stratified") -> FoldPlan:
    folds = []
    for repeat in np.unique(predictions.repeats).tolist():
        for fold in np.unique(predictions.folds).tolist():
            here = (predictions.repeats == repeat) & (predictions.folds == fold)
            test = np.flatnonzero(np.isin(samples.ids, predictions.ids[here]))
            folds.append(Fold(repeat, fold, np.setdiff1d(np.arange(len(samples)), test), test, EMPTY))
    return FoldPlan(
        protocol=FoldProtocol(scheme, 3, len(set(predictions.repeats.tolist())), 0, 7, "group", ("a leak",)),
        folds=tuple(folds),
        rows=np.arange(len(samples)),
        copies=np.arange(len(samples)),
        split_names=("train", "validation") if scheme == "official" else ("train", "test"),
    )


def metrics_of(predictions: Predictions, plan: FoldPlan | None = None, **changes):
    samples = made_samples(predictions)
    plan = plan or made_plan(predictions, samples)
    measured = np.linspace(0.5, 0.7, len(plan.folds))
    values = {
        "name": "prune-bp",
        "kind": "pruned-bp",
        "on": "sheet",
        "samples": samples,
        "plan": plan,
        "predictions": predictions,
        "train_accuracy": measured,
        "train_loss": measured / 10,
        "test_loss": measured / 5,
        "loss_name": "mse",
    }
    return run_metrics(**{**values, **changes})


def test_keys_of_the_contract(made_predictions):
    metrics = metrics_of(made_predictions(folds=3))
    for key in ("name", "kind", "classes", "on", "split", "protocol", "train", "test", "folds"):
        assert key in metrics
    for key in ("rows", "accuracy", "balanced_accuracy", "macro_f1", "log_loss", "per_class", "confusion"):
        assert key in metrics
    assert set(metrics["train"]) == {"accuracy", "loss"}
    assert set(metrics["train"]["loss"]) == {"mean", "sd"}
    assert set(metrics["test"]["accuracy"]) == {"mean", "sd", "pooled"}
    assert set(metrics["test"]["loss"]) == {"mean", "sd", "name"}
    assert metrics["protocol"] == {
        "scheme": "stratified",
        "k": 3,
        "repeats": 1,
        "groups": 0,
        "seed": 7,
        "duplicates": "group",
        "pooled": False,
        "leaks": ["a leak"],
    }
    assert {"repeat", "fold", "rows", "accuracy", "log_loss"} <= set(metrics["folds"][0])
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics


def test_mean_over_folds_and_pooled_accuracy_differ_where_folds_do(made_predictions):
    predictions = made_predictions(rows=60, folds=3)
    predictions = replace(predictions, folds=np.where(np.arange(60) < 50, 0, 1))
    metrics = metrics_of(predictions)
    first, second = (score(predictions, predictions.folds == fold).accuracy for fold in (0, 1))
    assert metrics["test"]["accuracy"]["mean"] == pytest.approx((first + second) / 2)
    assert metrics["test"]["accuracy"]["pooled"] == pytest.approx((50 * first + 10 * second) / 60)
    assert metrics["test"]["accuracy"]["sd"] == pytest.approx(np.std([first, second], ddof=1))
    assert metrics["accuracy"] == metrics["test"]["accuracy"]["pooled"]
    assert [entry["rows"] for entry in metrics["folds"]] == [50, 10]
    majority = [entry["majority"] for entry in metrics["folds"]]
    assert metrics["majority"]["accuracy"]["pooled"] == pytest.approx((50 * majority[0] + 10 * majority[1]) / 60)
    assert metrics["majority"]["accuracy"]["pooled"] > 0


def test_sd_has_n_minus_one_and_is_null_for_one_fold():
    assert mean_sd([1.0, 3.0]) == {"mean": 2.0, "sd": pytest.approx(np.sqrt(2))}
    assert mean_sd([1.0]) == {"mean": 1.0, "sd": None}
    assert mean_sd([None, float("nan")]) == {"mean": None, "sd": None}


def test_folds_that_hold_out_whole_classes_have_a_majority_of_zero():
    truth = np.repeat([0, 1, 2], 10)
    predictions = Predictions(
        ids=np.array([f"row_{index:02}" for index in range(30)]),
        repeats=np.zeros(30, dtype=np.int64),
        folds=truth.copy(),
        splits=np.full(30, ""),
        truth=truth,
        probabilities=np.full((30, 3), 1 / 3),
        classes=("a", "b", "c"),
    )
    metrics = metrics_of(predictions)
    assert [entry["majority"] for entry in metrics["folds"]] == [0.0, 0.0, 0.0]
    assert metrics["majority"]["accuracy"] == {"mean": 0.0, "sd": 0.0, "pooled": 0.0}
    assert metrics["chance"] == pytest.approx(1 / 3)


def test_majority_is_that_of_the_training_rows(made_predictions):
    predictions = made_predictions(rows=60, folds=3)
    metrics = metrics_of(predictions)
    for fold, entry in enumerate(metrics["folds"]):
        held_out = predictions.folds == fold
        commonest = np.argmax(np.bincount(predictions.truth[~held_out], minlength=4))
        assert entry["majority"] == pytest.approx(np.mean(predictions.truth[held_out] == commonest))


def test_scores_without_rows_whose_copy_stands_in_training(made_predictions):
    predictions = made_predictions(rows=30, folds=3)
    samples = made_samples(predictions)
    plan = made_plan(predictions, samples)
    copies = plan.copies.copy()
    row = {name: index for index, name in enumerate(samples.ids.tolist())}
    copies[row["row_1"]] = copies[row["row_0"]]  # folds 1 and 0: each stands in the other's training
    copies[row["row_5"]] = copies[row["row_2"]]  # both in fold 2: no leak
    metrics = metrics_of(predictions, replace(plan, copies=copies))
    assert metrics["copies_in_training"] == 2
    kept = ~np.isin(predictions.ids, ["row_0", "row_1"])
    assert metrics["without_copies"] == score(predictions, kept).as_json()
    assert metrics["without_copies"]["rows"] == 28
    without = metrics_of(predictions, plan)
    assert without["copies_in_training"] == 0
    assert without["without_copies"] is None


def test_the_official_split_is_named_and_has_no_sd(made_predictions):
    predictions = made_predictions(rows=40, folds=1)
    predictions = replace(
        predictions, ids=np.array([f"PublicTest_{i}" for i in range(40)]), splits=np.full(40, "validation")
    )
    samples = made_samples(predictions)
    plan = replace(made_plan(predictions, samples, "official"))
    metrics = metrics_of(predictions, plan)
    assert metrics["split"] == "validation"
    assert metrics["test"]["accuracy"]["sd"] is None
    assert metrics_of(made_predictions())["split"] == "folds"


def test_with_repeats_every_fold_of_every_repeat_is_listed(made_predictions):
    metrics = metrics_of(made_predictions(rows=30, repeats=2, folds=3))
    assert [(entry["repeat"], entry["fold"]) for entry in metrics["folds"]] == [
        (0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2),
    ]  # fmt: skip
    assert metrics["rows"] == 30
    assert np.sum(metrics["confusion"]) == 60


def test_a_row_that_was_not_predicted_is_our_own_fault_and_said(made_predictions):
    predictions = made_predictions(rows=30, folds=3)
    samples = made_samples(predictions)
    plan = made_plan(predictions, samples)
    short = replace(
        predictions,
        **{
            key: getattr(predictions, key)[1:]
            for key in ("ids", "repeats", "folds", "splits", "truth", "probabilities")
        },
    )
    with pytest.raises(ValueError, match="fold 0 holds out 10 rows, 9 were predicted"):
        metrics_of(short, plan, samples=samples)
    with pytest.raises(ValueError, match="train_loss has 2 numbers for 3 folds"):
        metrics_of(predictions, plan, train_loss=[0.1, 0.2])
