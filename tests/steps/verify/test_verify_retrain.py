"""`fer verify --retrain`: weights that learned from held-out rows, in runs whose columns were fitted rightly."""

import json
from dataclasses import replace

import numpy as np
import pytest
from forging import Forger
from verify_workspaces import BP, PRUNE

from fercli.steps import prune_bp, train_baseline, train_bp
from fercli.workflow.verification_retraining import ALGORITHMS

TRAINED = "run/leaky: a prediction is not what training on the fold's training rows gives (predictions.csv, fold 0/"


def lines(fer, *arguments):
    answer = fer("verify", *arguments, "--folds-sampled", "all", "--json")
    body = json.loads(answer.out)
    assert answer.code == (4 if body["findings"] else 0)
    return [finding["line"] for finding in body["findings"]]


def test_the_algorithm_versions_are_those_of_the_trainers():
    steps = {"train-bp": train_bp, "prune-bp": prune_bp, "train-baseline": train_baseline}
    assert {name: step.ALGORITHM for name, step in steps.items()} == ALGORITHMS


def test_runs_as_they_are_trained_are_trained_alike(workspace, fer):
    workspace("columns")
    more = ("--folds", "standing", "--threads", 1, "--quiet")
    assert fer("train-bp", *BP, "--patience", 2, "--name", "stopped", *more).code == 0
    worse = ("--until-worse", "--inner-k", 2)
    assert fer("prune-bp", *BP, *PRUNE, *worse, "--name", "smaller", *more).code == 0
    assert fer("prune-bp", *PRUNE, "--from", "bp", "--name", "on", "--quiet").code == 0
    answer = fer("verify", "--retrain", "--folds-sampled", "all", "--json")
    assert answer.code == 0
    checks = [entry for entry in json.loads(answer.out)["checked"] if entry["check"] == "trained again"]
    runs = ("bp", "knn", "lda", "on", "pruned", "smaller", "stopped")
    assert [(entry["artifact"], entry["count"]) for entry in checks] == [(f"run/{name}", 3) for name in runs]


def test_a_bp_trainer_whose_weights_learn_from_the_held_out_rows(workspace, fer, monkeypatch):
    from fercli.bp.foldwise import prepare

    def planted(*arguments):
        right = prepare(*arguments)
        rows = [
            replace(own, x=np.concatenate([own.x, own.test_x]), y=np.concatenate([own.y, own.test_y]))
            for own in right.rows
        ]
        return replace(right, rows=tuple(rows))

    workspace("columns")
    with monkeypatch.context() as patched:
        patched.setattr("fercli.workflow.bp_inputs.prepare", planted)
        assert fer("train-bp", *BP, "--name", "leaky", "--threads", 1, "--quiet").code == 0
    assert not [line for line in lines(fer, "leaky") if TRAINED in line]
    found = lines(fer, "leaky", "--retrain")
    assert len([line for line in found if line.startswith(TRAINED)]) == 3


@pytest.mark.parametrize("model", ["lda", "knn"])
def test_a_baseline_whose_model_learns_from_the_held_out_rows(model, workspace, fer, monkeypatch):
    from fercli.baselines.training import fit_fold

    def planted(rows, fold, config, *, threads=1):
        right = fit_fold(rows, fold, config, threads=threads)
        every = fit_fold(rows, replace(fold, train=np.arange(len(rows.targets))), config, threads=threads)
        return replace(right, model=every.model)

    workspace("columns")
    with monkeypatch.context() as patched:
        patched.setattr("fercli.baselines.training.fit_fold", planted)
        train = ("train-baseline", "--model", model, "--name", "leaky", "--threads", 1, "--jobs", 1, "--quiet")
        assert fer(*train).code == 0
    assert lines(fer, "leaky") == [], "its columns are right, and its predictions are what its model gives"
    found = lines(fer, "leaky", "--retrain")
    assert len([line for line in found if line.startswith(TRAINED)]) == 3


def test_a_pruned_network_that_was_trained_longer_than_it_says(workspace, fer):
    with Forger(workspace("columns")) as forger:
        forger.manifest("run/pruned", lambda manifest: manifest["config"].update(retrain_epochs=1))
    assert lines(fer, "pruned") == []
    assert [line for line in lines(fer, "pruned", "--retrain") if "what training on the fold's training rows" in line]


def test_a_pruned_network_that_was_pruned_by_another_threshold(workspace, fer):
    with Forger(workspace("columns")) as forger:
        forger.manifest("run/pruned", lambda manifest: manifest["config"].update(correlated=0.99))
    words = "training on the fold's training rows leaves another number of units (folds/0/0"
    assert [line for line in lines(fer, "pruned", "--retrain") if words in line]


def test_nets_are_not_trained_again(workspace, fer):
    workspace("pictures")
    body = json.loads(fer("verify", "net", "--retrain", "--json").out)
    assert [one["result"] for one in body["checked"] if one["check"] == "trained again"] == [
        "not made: nets are not trained again"
    ]


def test_what_cannot_be_trained_again_is_said(workspace, fer):
    root = workspace("columns")
    with Forger(root) as forger:
        forger.manifest("run/bp", lambda manifest: manifest.update(algorithm=1))
        forger.manifest("run/pruned", lambda manifest: manifest["config"].update(device="cuda"))
    body = json.loads(fer("verify", "run/bp", "run/pruned", "--retrain", "--json").out)
    results = {one["artifact"]: one["result"] for one in body["checked"] if one["check"] == "trained again"}
    assert results == {
        "run/bp": "not made: it is of algorithm version 1, this release has 2",
        "run/pruned": "not made: it was trained on another device than a CPU",
    }
