"""import-dataset --faces crop: what is cut, what is left out by name, and what the artifact says of it."""

import json
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from fercli.artifacts.store import Store
from fercli.config.import_dataset import ImportDatasetConfig
from fercli.datasets.images import opencv
from fercli.workflow import face_sheet

cv2 = opencv()


@pytest.fixture
def photos(fer, tmp_path):
    """Two pictures of the astronaut, large and small, and two without a face, in class folders."""
    for label in ("happy", "sad"):
        (tmp_path / "photos" / label).mkdir(parents=True)
    face = data.astronaut()[30:200, 140:310, ::-1]
    both = np.full((400, 700, 3), 90, np.uint8)
    both[20:360, 20:360] = cv2.resize(face, (340, 340))
    both[115:285, 380:550] = face
    cv2.imwrite("photos/happy/astronaut.png", data.astronaut()[..., ::-1])
    cv2.imwrite("photos/happy/both.png", both)
    cv2.imwrite("photos/sad/coins.png", data.coins())
    cv2.imwrite("photos/sad/noise.png", np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8))

    def call(*more):
        answer = fer("import-dataset", "photos", "--faces", "crop", "--size", 48, "--color", "gray", *more)
        artifact = Store(tmp_path / "ws").open("dataset", "photos") if answer.code == 0 else None
        return answer, artifact

    return call


def test_faces_are_cut_and_pictures_without_one_are_left_out_by_name(photos):
    answer, artifact = photos("--json")
    assert answer.code == 0, answer.err
    body = json.loads(answer.out)
    assert body["left_out"] == [
        {"source": "sad/coins.png", "reason": "no-face"},
        {"source": "sad/noise.png", "reason": "no-face"},
    ]
    assert (body["rows"], body["faces"]) == (2, {"found": 2, "without": 2})
    samples = artifact.samples()
    assert samples.ids.tolist() == ["happy/astronaut", "happy/both"]
    boxes = np.array([list(map(int, text.split(","))) for text in samples.extra["face"]])
    np.testing.assert_allclose(boxes[0], (177, 66, 97, 97), atol=6)
    assert boxes[1][2] > 150
    assert float(samples.extra["face_angle"][0]) == pytest.approx(3.6, abs=2)
    assert samples.widths.tolist() == [512, 700]
    assert artifact.array("images.npy").shape == (2, 48, 48)


def test_the_contact_sheet_is_there_and_stands_outside_the_fingerprint(photos, monkeypatch):
    answer, artifact = photos()
    sheet = artifact.path / "contact-sheet.png"
    assert answer.out.endswith(f"2 faces found, 2 pictures without one\nlook at them: {sheet}\n")
    assert min(cv2.imread(str(sheet)).shape[:2]) > 300
    before = artifact.manifest
    monkeypatch.setattr(face_sheet, "face_sheet", lambda *_: b"as another release draws it")
    sheet.write_bytes(b"")
    _, again = photos("--force")
    assert sheet.read_bytes() == b"as another release draws it"
    assert again.manifest.fingerprint == before.fingerprint


def test_the_most_central_face_and_margins(photos):
    largest = photos()[1].samples()
    _, central = photos("--which", "central", "--margin", 0.2, "--no-align", "--force")
    first, second = (samples.extra["face"][1].split(",") for samples in (largest, central.samples()))
    assert int(first[2]) > int(second[2]) + 50
    assert int(second[0]) > 380
    assert central.samples().extra["face_angle"].tolist() == ["0.0", "0.0"]
    assert {key: central.config[key] for key in ("which", "margin", "align")} == {
        "which": "central",
        "margin": 0.2,
        "align": False,
    }


def test_pictures_without_a_face_can_be_kept_or_end_it(photos):
    _, kept = photos("--no-face", "keep")
    assert kept.samples().extra["face"].tolist()[2:] == ["", ""]
    assert kept.content["left_out"] == []
    answer, _ = photos("--no-face", "fail", "--force")
    assert answer.code == 3
    assert "fer: error: no face found\n  where: sad/coins.png\n" in answer.err


def test_other_options_of_faces_are_another_data_set(photos):
    assert photos()[0].code == 0
    answer, _ = photos("--margin", 0.1)
    assert answer.code == 2
    assert "margin" in answer.err


def test_whole_pictures_have_no_options_of_faces_in_their_key():
    assert set(ImportDatasetConfig().stored()) == {"format", "faces", "size", "fit", "color"}
    cropped = ImportDatasetConfig(faces="crop", detector="yunet", detector_model="/some/where/yunet.onnx").stored()
    assert cropped["detector_model"] == "yunet.onnx"
    assert cropped["min_face"] is None


def test_a_detectors_network_is_a_parent_and_must_be_there(photos):
    answer, _ = photos("--detector", "yunet", "--detector-model", "none.onnx")
    assert answer.code == 3
    Path("text.onnx").write_text("no network")
    answer, _ = photos("--detector", "yunet", "--detector-model", "text.onnx")
    assert answer.code == 3
    assert "OpenCV does not take this file for a YuNet network" in answer.err


def test_predict_cuts_faces_as_the_models_own_data_set(photos, fer):
    face = data.astronaut()[30:200, 140:310, ::-1]
    for number in range(6):
        cv2.imwrite(f"photos/{'happy' if number % 2 else 'sad'}/x{number}.png", np.roll(face, 2 * number, axis=1))
    assert photos("--margin", 0.4, "--no-align")[0].code == 0
    trained = fer(
        *("train-resnet", "--dataset", "photos", "--variant", "cnn", "--width", 4, "--epochs", 1, "--k", 2),
        *("--monitor", "none", "--device", "cpu", "--threads", 1, "--name", "net"),
    )
    assert trained.code == 0, trained.err
    answer = fer("predict", "photos/happy/astronaut.png", "--model", "net")
    assert "faces are cut as the model's own data set was: margin 0.4, align False" in answer.err
    given = fer("predict", "photos/happy/astronaut.png", "--model", "net", "--margin", 0.4, "--no-align")
    assert "faces are cut as" not in given.err
    assert given.out == answer.out
    assert fer("predict", "photos/happy/astronaut.png", "--model", "net", "--margin", 0).out != answer.out
