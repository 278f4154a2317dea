"""One seam for every trained model: the same scores as the trainer's, alone as in a batch, and damage by name."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load, save

from fercli.artifacts.store import Store
from fercli.artifacts.tables import read_predictions
from fercli.errors import ArtifactError, InputError
from fercli.inference.model_files import ModelFiles
from fercli.inference.scorers import scorer_of
from fercli.workflow.model_files import model_files

NET = ("--variant", "cnn", "--width", 4, "--epochs", 1, "--device", "cpu")
RUNS = {
    "bp": ("train-bp", "--epochs", 3, "--hidden", 6),
    "pruned": ("prune-bp", "--epochs", 3, "--hidden", 6, "--correlated", 0.4, "--retrain-epochs", 1),
    "lda": ("train-baseline", "--model", "lda"),
    "forest": ("train-baseline", "--model", "forest", "--trees", 5),
    "net": ("train-resnet", *NET),
}


@pytest.fixture
def trained(fer, tmp_path):
    """Run one trainer on drawn faces and open its run."""

    def train(name: str, *more: object):
        assert fer("synthesize", "--subjects", 6, "--images", 7, "--size", 24).code == 0
        if name != "net":
            assert fer("extract-features", "--jobs", 1, "--descriptors", "lbp").code == 0
        arguments = ("--k", 3, "--threads", 1, "--name", name, *more)
        answer = fer(*RUNS[name], *arguments, *(("--jobs", 1) if RUNS[name][0] == "train-baseline" else ()))
        assert answer.code == 0, answer.err
        store = Store(tmp_path / "ws")
        data = store.open("dataset" if name == "net" else "features", "synthetic")
        return store.open("run", name), data, data.array("images.npy" if name == "net" else "features.npy")

    return train


@pytest.mark.parametrize("name", list(RUNS))
def test_a_stored_model_scores_as_the_trainer_did_alone_and_in_a_batch(name, trained):
    run, data, inputs = trained(name)
    samples = data.samples()
    final = scorer_of(model_files(run))
    assert final.classes == samples.classes
    assert final.input == ("pixels" if name == "net" else "columns")
    whole = final.scores(inputs)
    assert whole.shape == (42, 7)
    assert whole.dtype == np.float32
    np.testing.assert_allclose(whole.sum(axis=1), 1, atol=1e-5)
    alone = np.concatenate([final.scores(inputs[row : row + 1]) for row in range(0, 42, 5)])
    np.testing.assert_allclose(alone, whole[::5], atol=1e-5)
    if name == "forest":
        return
    predictions = read_predictions(run.file("predictions.csv"))
    place = {own: row for row, own in enumerate(samples.ids.tolist())}
    for fold in range(3):
        own = predictions.folds == fold
        rows = [place[one] for one in predictions.ids[own].tolist()]
        scored = scorer_of(model_files(run, f"folds/0/{fold:02d}")).scores(inputs[rows])
        np.testing.assert_allclose(scored, predictions.probabilities[own], atol=1e-5)


def test_what_is_not_stored_is_said(trained):
    run, _, _ = trained("forest", "--no-final-model")
    with pytest.raises(ArtifactError, match="the forest of each fold is not stored"):
        scorer_of(model_files(run, "folds/0/00"))
    with pytest.raises(ArtifactError, match="run/forest has no model on all rows: it was trained with --no-final-mod"):
        model_files(run)


def test_inputs_that_cannot_be_scored_are_refused(trained):
    run, _, features = trained("lda")
    scorer = scorer_of(model_files(run))
    with pytest.raises(InputError, match=rf"the model was fitted on {features.shape[1]} columns"):
        scorer.scores(features[:, :5])
    spoiled = np.array(features[:4])
    spoiled[2, 1] = np.nan
    with pytest.raises(InputError, match="1 rows hold values that are not finite") as caught:
        scorer.scores(spoiled)
    assert caught.value.where == "row 2 of the batch"


def test_pictures_of_another_size_are_refused(trained):
    run, _, _ = trained("net")
    with pytest.raises(InputError, match="trained on 24x24 gray pictures, these are 48x48 gray"):
        scorer_of(model_files(run)).scores(np.zeros((1, 48, 48), dtype=np.uint8))


def in_memory(files: dict[str, bytes]) -> ModelFiles:
    return ModelFiles("run/x", "model", lambda name: files[name])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda files: files.update({"model.json": b"{"}), "model.json is not readable JSON"),
        (lambda files: files.update({"model.json": b"[]"}), "model.json describes no model"),
        (
            lambda files: files.update({"model.json": b'{"kind": "svm"}'}),
            "no model that this release knows: kind 'svm'",
        ),
        (lambda files: files.update({"weights.safetensors": b"junk"}), "not readable weights"),
        (lambda files: files.update({"weights.safetensors": files["weights.safetensors"][:-4]}), "not readable"),
        (lambda files: drop(files, "w1"), "the network lacks 'w1'"),
        (lambda files: older(files), "preprocessing of version 99"),
    ],
)
def test_damaged_files_are_named(change, message, trained):
    run, _, _ = trained("bp")
    files = {path.name: path.read_bytes() for path in Path(run.path / "model").iterdir()}
    scorer_of(in_memory(files))
    change(files)
    with pytest.raises(ArtifactError, match=message) as caught:
        scorer_of(in_memory(files))
    assert caught.value.next_step


def drop(files: dict[str, bytes], name: str) -> None:
    arrays = load(files["weights.safetensors"])
    files["weights.safetensors"] = save({key: array for key, array in arrays.items() if key != name})


def older(files: dict[str, bytes]) -> None:
    facts = json.loads(files["model.json"])
    facts["preprocessing"]["version"] = 99
    files["model.json"] = json.dumps(facts).encode()
