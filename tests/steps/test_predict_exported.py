"""`fer predict` with an exported model: faces are cut and pictures fitted as the run's data set had them."""

import csv
import io
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

NET = ("--variant", "cnn", "--width", 4, "--epochs", 1, "--device", "cpu", "--k", 2, "--threads", 1)


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """An empty workspace, with photos of two classes beside it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FER_WORKSPACE", str(tmp_path / "ws"))
    for label in ("happy", "sad"):
        Path("photos", label).mkdir(parents=True)
        for shift in range(4):
            moved = np.roll(data.astronaut()[:256, 96:352, ::-1], 3 * shift, axis=1)
            cv2.imwrite(f"photos/{label}/{shift}.png", moved if label == "happy" else 255 - moved // 2)
    cv2.imwrite("astronaut.png", data.astronaut()[..., ::-1])


def scored(fer, *arguments):
    answer = fer("predict", "astronaut.png", "--threads", 1, *arguments)
    assert answer.code == 0, answer.err
    row = next(csv.DictReader(io.StringIO(answer.out)))
    return np.array([float(row["p_happy"]), float(row["p_sad"])]), answer.err


@pytest.mark.parametrize("ending", ["safetensors", "onnx"])
def test_an_exported_model_cuts_faces_and_fits_pictures_as_its_run_does(workspace, fer, ending):
    """Margin, alignment and fit of the data set stand in the file, and change the scores; none may be forgotten."""
    if ending == "onnx":
        pytest.importorskip("onnxruntime")
    size = ("--size", "24x36", "--fit", "stretch", "--color", "gray")
    cut = ("--faces", "crop", "--margin", 0.4, "--no-align", "--no-face", "keep")
    assert fer("import-dataset", "photos", "--name", "cut", *size, *cut).code == 0
    assert fer("train-resnet", *NET, "--name", "net").code == 0
    assert fer("export", "net", "--format", ending, "--out", f"net.{ending}").code == 0
    own, _ = scored(fer, "--model", "net")
    exported, said = scored(fer, "--model", f"net.{ending}")
    assert "faces are cut as the model's own data set was: margin 0.4, align False" in said
    np.testing.assert_allclose(exported, own, atol=1e-6)
    otherwise, _ = scored(fer, "--model", f"net.{ending}", "--margin", 0.02)
    assert np.abs(otherwise - own).max() > 1e-5, "the margin decides nothing, so that this test would prove nothing"


def test_an_exported_model_that_states_no_possible_crop_is_refused(workspace, fer):
    assert fer("synthesize", "--subjects", 4, "--images", 7, "--size", 24).code == 0
    assert fer("train-resnet", *NET, "--name", "net").code == 0
    assert fer("export", "net", "--format", "safetensors", "--out", "forged").code == 0
    path = Path("forged/model.json")
    facts = json.loads(path.read_text())
    for faces in ({"margin": 1e9}, {"margin": "wide"}, {"align": 7}):
        facts["export"]["faces"] = faces
        path.write_text(json.dumps(facts))
        answer = fer("predict", "astronaut.png", "--model", "forged")
        assert (answer.code, "its metadata do not fit: faces: --" in answer.err) == (4, True), answer.err


def test_a_folder_that_is_no_model_is_not_called_a_broken_artifact(workspace, fer):
    """Whoever names a folder of pictures must not be told to remove it."""
    answer = fer("predict", "astronaut.png", "--model", "photos")
    assert answer.code == 4
    assert answer.err.endswith(
        "fer: error: the folder is neither a run nor an exported model\n  where: photos\n"
        "  next: name a run, or a file or folder that fer export wrote\n"
    )
