"""train-resnet with the strong recipe: what is scored by which views, and the same views wherever the model goes."""

import json

import numpy as np
import pytest
import torch
from test_train_resnet import SMALL, assert_same_results, make_dataset

from fercli.artifacts.store import Store
from fercli.artifacts.tables import read_predictions
from fercli.resnet.fitted import FittedNet, NetScorer

STRONG = ("--recipe", "strong", *SMALL, "--warmup", "1", "--crop", "16", "--lr", "0.02")


@pytest.fixture
def workspace(tmp_path):
    make_dataset(tmp_path / "ws", side=20)
    return tmp_path / "ws"


def test_a_run_tells_what_its_views_bring_and_its_models_use_them(fer, workspace):
    answer = fer("train-resnet", *STRONG, "--views", "ten-crop", "--k", "2", "--json")
    assert answer.code == 0, answer.err
    body = json.loads(answer.out)
    assert list(body["views"]) == ["none", "flip", "ten-crop"]
    assert body["views"]["ten-crop"]["confusion"] == body["confusion"]
    assert body["views"]["none"]["log_loss"] != body["log_loss"]
    assert body["gap"] == pytest.approx(body["train"]["accuracy"]["mean"] - body["views"]["none"]["accuracy"])
    store = Store(workspace)
    run, data = store.open("run", "cnn"), store.open("dataset", "faces")
    predictions, images = read_predictions(run.file("predictions.csv")), data.array("images.npy")
    where = {name: row for row, name in enumerate(data.samples().ids)}
    for fold in (0, 1):
        folder = f"folds/0/{fold:02d}"
        record = run.json(f"{folder}/model.json")
        assert (record["views"], record["architecture"]["crop"]) == ("ten-crop", 16)
        net = FittedNet.read(record, run.file(f"{folder}/weights.safetensors").read_bytes(), where="here")
        chosen = predictions.folds == fold
        rows = [where[name] for name in predictions.ids[chosen]]
        scores = NetScorer(net, torch.device("cpu")).scores(np.asarray(images)[rows])
        np.testing.assert_allclose(scores, predictions.probabilities[chosen], atol=1e-5)
    config = json.loads((workspace / "runs/cnn/artifact.json").read_text())["config"]
    assert (config["views"], config["crop"], config["ema"], config["optimizer"]) == ("ten-crop", 16, 1.0, "nesterov")
    talk = fer("train-resnet", *STRONG, "--views", "ten-crop", "--k", "2")
    assert "by views" in talk.out
    assert "ten-crop" in talk.out


def test_views_change_the_scores_and_not_the_network(fer, workspace):
    bodies = {}
    for views in ("none", "flip", "ten-crop"):
        answer = fer("train-resnet", *STRONG, "--views", views, "--k", "2", "--name", views, "--json")
        bodies[views] = json.loads(answer.out)
    weights = {(workspace / f"runs/{views}/folds/0/01/weights.safetensors").read_bytes() for views in bodies}
    assert len(weights) == 1
    assert "views" not in bodies["none"]
    for views, shared in (("flip", ("none", "flip")), ("ten-crop", ("none", "flip", "ten-crop"))):
        for name in shared:
            scored = {**bodies[views]["views"][name]}
            assert scored.pop("without_copies") is None
            assert scored == {key: bodies[name][key] for key in scored}
    assert bodies["flip"]["test"]["loss"]["mean"] == pytest.approx(bodies["flip"]["log_loss"], rel=1e-5)
    assert bodies["none"]["test"]["loss"]["mean"] == pytest.approx(bodies["none"]["log_loss"], rel=1e-5)


def test_scores_elsewhere_are_by_the_same_views(fer, workspace):
    make_dataset(workspace, side=20, seed=5, name="others")
    for views in ("none", "ten-crop"):
        arguments = ("--dataset", "faces", "--k", "2", "--views", views, "--name", views)
        answer = fer("train-resnet", *STRONG, *arguments)
        assert answer.code == 0, answer.err
    answer = fer("evaluate", "none", "ten-crop", "--on", "others", "--json")
    assert answer.code == 0, answer.err
    first, second = json.loads(answer.out)["runs"]
    assert first["log_loss"] != second["log_loss"]


def test_an_interrupted_strong_run_scores_the_same(fer, workspace, monkeypatch):
    from fercli.workflow import net_training

    arguments = ("train-resnet", *STRONG, "--views", "flip", "--k", "2")
    assert fer(*arguments, "--name", "whole").code == 0
    monkeypatch.setattr(net_training, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(net_training, "SAVING_SHARE", 0.0)
    replace, count = net_training.Nets._measured, [0]

    def killed(self, training):
        count[0] += 1
        if count[0] == 2:
            raise KeyboardInterrupt
        return replace(self, training)

    monkeypatch.setattr(net_training.Nets, "_measured", killed)
    assert fer(*arguments, "--name", "broken").code == 130
    answer = fer(*arguments, "--name", "broken", "--json")
    assert json.loads(answer.out)["status"] == "resumed", answer.err
    assert_same_results(workspace, "whole", "broken")


@pytest.mark.parametrize(("given", "stored"), [((), "fp32"), (("--precision", "bf16"), "bf16")])
def test_the_precision_in_force_is_said_and_stored(fer, workspace, given, stored):
    answer = fer("train-resnet", *SMALL, "--k", "2", "--epochs", "1", "--warmup", "0", "--no-final-model", *given)
    assert answer.code == 0, answer.err
    assert f"batches of 16, {stored}" in answer.err
    config = json.loads((workspace / "runs/cnn/artifact.json").read_text())["config"]
    assert (config["precision"], config["compile"]) == (stored, False)


def test_compiling_without_a_compiler_is_an_error_before_any_work(fer, workspace, monkeypatch):
    monkeypatch.setattr("fercli.resnet.compiling.shutil.which", lambda name: None)
    answer = fer("train-resnet", *SMALL, "--compile")
    assert answer.code == 5, answer.err
    assert "torch.compile needs a C++ compiler" in answer.err
    assert not (workspace / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message", "remedy"),
    [
        (("--crop", "21"), 2, "crops of 21x21 pixels do not fit into pictures of 20x20", "--crop 20"),
        (("--crop", "12"), 3, "cnn needs pictures of at least 16 pixels a side", "--crop 16"),
        (("--views", "five"), 2, "--views: input should be 'none', 'flip' or 'ten-crop'", "give one of these"),
        (("--ema", "-1"), 2, "--ema: input should be greater than or equal to 0", "give --ema at least 0"),
    ],
)
def test_refusals(fer, workspace, arguments, code, message, remedy):
    answer = fer("train-resnet", *SMALL, *arguments)
    assert answer.code == code, answer.err
    assert message in answer.err
    assert remedy in answer.err.split("next:")[1]


def test_blocks_that_are_built_for_whole_pictures_refuse_smaller_views(fer, tmp_path):
    make_dataset(tmp_path / "ws", side=34)
    answer = fer("train-resnet", "--variant", "du-improved-resnet50", "--views", "ten-crop", "--device", "cpu")
    assert answer.code == 2, answer.err
    assert "take whole pictures of 34x34, not views of 31x31" in answer.err
    assert "--crop 31" in answer.err
