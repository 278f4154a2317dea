"""fer predict from files to rows: faces, damage, models of every kind, and what is saved when it is stopped."""

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from fercli.artifacts.store import Store
from fercli.cli.app import run
from fercli.datasets.images import opencv
from fercli.inference.scorers import scorer_of
from fercli.workflow.model_files import model_files
from fercli.workflow.predictions_out import COLUMNS

cv2 = opencv()
CLASSES = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
HEADER = ["source", "frame", "face", "x", "y", "w", "h", "status", "predicted", *(f"p_{name}" for name in CLASSES)]
NET = ("--variant", "cnn", "--width", 4, "--epochs", 1, "--device", "cpu")
SHEET = "id,label,shape.a,shape.b\n" + "".join(f"r{i},{'happy' if i % 2 else 'sad'},{i},{i % 3}\n" for i in range(12))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A workspace with a net, a network and a yardstick on drawn faces, and one on a sheet of somebody else."""
    root = tmp_path_factory.mktemp("trained")
    (root / "sheet.csv").write_text(SHEET)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    shared = ("--k", 2, "--threads", 1, "--quiet")
    for command in (
        ("synthesize", "--subjects", 4, "--images", 7, "--size", 24),
        ("extract-features", "--jobs", 1, "--descriptors", "lbp"),
        ("train-resnet", *NET, "--name", "net", *shared),
        ("train-bp", "--features", "synthetic", "--epochs", 2, "--hidden", 4, "--name", "bp", *shared),
        ("train-baseline", "--features", "synthetic", "--model", "lda", "--jobs", 1, "--name", "lda", *shared),
        ("import-features", root / "sheet.csv"),
        ("train-bp", "--features", "sheet", "--epochs", 2, "--hidden", 4, "--name", "foreign", *shared),
    ):
        assert run([str(part) for part in (*command, "-w", root / "ws")]) == 0, command
    for number, handler in handlers.items():
        signal.signal(number, handler)
    return root / "ws"


@pytest.fixture
def predict(fer, trained, tmp_path, monkeypatch):
    """`fer predict` in the trained workspace, with pictures beside."""
    monkeypatch.setenv("FER_WORKSPACE", str(trained))
    cv2.imwrite("astronaut.png", data.astronaut()[..., ::-1])
    cv2.imwrite("coins.png", data.coins())

    def call(*arguments, model="net"):
        return fer("predict", *arguments, *(("--model", model) if model else ()), "--threads", 1)

    return call


def rows(text):
    table = list(csv.reader(io.StringIO(text)))
    assert table[0] == HEADER
    return [dict(zip(HEADER, row, strict=True)) for row in table[1:]]


def scores(row):
    return np.array([float(row[f"p_{name}"]) for name in CLASSES])


def film(name, count=8):
    """The astronaut's face moving to the right, and a last frame without it."""
    writer = cv2.VideoWriter(
        name, cv2.VideoWriter_fourcc(*("mp4v" if name.endswith("mp4") else "MJPG")), 10, (320, 240)
    )
    face = cv2.resize(data.astronaut()[40:200, 150:310, ::-1], (140, 140))
    for number in range(count):
        canvas = np.full((240, 320, 3), 90, np.uint8)
        if number < count - 1:
            left = 20 + 10 * number % 160
            canvas[40:180, left : left + 140] = face
        writer.write(canvas)
    writer.release()


def test_the_astronaut_has_one_face_and_coins_have_none(predict):
    answer = predict("astronaut.png", "coins.png")
    assert answer.code == 0, answer.err
    face, none = rows(answer.out)
    assert [face[key] for key in ("source", "frame", "face", "status")] == ["astronaut.png", "0", "1", "ok"]
    x, y, w, h = (int(face[key]) for key in "xywh")
    assert 170 <= x <= 185
    assert 60 <= y <= 72
    assert 88 <= w == h <= 105
    assert face["predicted"] == CLASSES[int(np.argmax(scores(face)))]
    assert scores(face).sum() == pytest.approx(1, abs=1e-5)
    assert list(none.values()) == ["coins.png", "0", "0", "", "", "", "", "no-face", "", *[""] * 7]
    assert "2 pictures, 1 face, 1 no-face" in answer.err


def test_a_folder_with_damage_gives_every_other_row_and_exit_3(predict):
    Path("p").mkdir()
    shutil.copy("astronaut.png", "p/a.png")
    whole = Path("astronaut.png").read_bytes()
    Path("p/b.png").write_bytes(whole[: len(whole) // 2])
    Path("p/c.jpg").write_text("not a picture\n")
    cv2.imwrite("p/d.png", np.zeros((1, 1), np.uint8))
    Path("p/notes.txt").write_text("x")
    shutil.copy("astronaut.png", "p/z.png")
    answer = predict("p", "--out", "rows.csv")
    assert answer.code == 3
    found = rows(Path("rows.csv").read_text())
    assert [(row["source"], row["status"]) for row in found] == [
        ("p/a.png", "ok"),
        ("p/b.png", "unreadable"),
        ("p/c.jpg", "unreadable"),
        ("p/d.png", "no-face"),
        ("p/z.png", "ok"),
    ]
    assert answer.err.endswith(
        "fer: error: 2 of 5 pictures could not be read\n  where: the first: p/b.png\n"
        "  next: mend them or leave them out; every other row is written\n"
    )
    assert "fer: warning: p/b.png: the PNG file is truncated\n" in answer.err
    assert "fer: warning: p/c.jpg: not a PNG, JPEG, BMP, GIF, WebP, TIFF or PGM/PPM file\n" in answer.err
    assert "fer: warning: 1 files are no pictures by their names, the first: p/notes.txt\n" in answer.err


def test_too_large_is_a_row_and_counts_as_unreadable(predict):
    answer = predict("astronaut.png", "--max-pixels", 512 * 512 - 1)
    assert answer.code == 3
    assert rows(answer.out)[0]["status"] == "too-large"
    assert "1 of 1 pictures could not be read, 1 of them too large" in answer.err
    assert "astronaut.png: 512x512 pixels are more than --max-pixels 262,143" in answer.err


@pytest.mark.parametrize("name", ["v.avi", "v.mp4"])
def test_every_frame_of_a_video_has_its_rows(predict, name):
    film(name)
    found = rows(predict(name).out)
    assert [(row["frame"], row["face"]) for row in found] == [*((str(n), "1") for n in range(7)), ("7", "0")]
    places = [int(row["x"]) for row in found[:7]]
    np.testing.assert_allclose(np.diff(places), 10, atol=6)
    assert [row["frame"] for row in rows(predict(name, "--every", 3).out)] == ["0", "3", "6"]
    assert [row["frame"] for row in rows(predict(name, "--every", 3, "--limit", 2).out)] == ["0", "3"]


@pytest.mark.parametrize("model", ["net", "bp", "lda"])
def test_alone_or_in_a_batch_and_as_the_run_scores_its_own_pictures(predict, trained, model):
    store = Store(trained)
    pictures = store.open("dataset", "synthetic").array("images.npy")[:6]
    Path("p").mkdir()
    for number, pixels in enumerate(pictures):
        cv2.imwrite(f"p/{number}.png", pixels)
    together = np.array([scores(row) for row in rows(predict("p", "--faces", "whole", model=model).out)])
    one = predict("p/3.png", "--faces", "whole", model=model)
    np.testing.assert_allclose(scores(rows(one.out)[0]), together[3], atol=1e-5)
    small = np.array([scores(r) for r in rows(predict("p", "--faces", "whole", "--batch-size", 2, model=model).out)])
    np.testing.assert_allclose(small, together, atol=1e-5)
    inputs = pictures if model == "net" else store.open("features", "synthetic").array("features.npy")[:6]
    wanted = scorer_of(model_files(store.open("run", model))).scores(inputs)
    np.testing.assert_allclose(together, wanted, atol=1e-5)


def test_exported_models_score_as_their_runs(predict, trained, fer):
    pytest.importorskip("onnxruntime")
    for model, name in (("net", "net.onnx"), ("net", "net.safetensors"), ("lda", "lda.onnx")):
        assert fer("export", model, "--format", name.split(".")[1], "--out", name).code == 0
        exported = rows(predict("astronaut.png", model=name).out)[0]
        own = rows(predict("astronaut.png", model=model).out)[0]
        np.testing.assert_allclose(scores(exported), scores(own), atol=1e-5)


def test_a_run_may_be_named_by_its_path_from_another_workspace(predict, trained, monkeypatch):
    monkeypatch.setenv("FER_WORKSPACE", "elsewhere")
    answer = predict("astronaut.png", model=trained / "runs" / "bp")
    assert answer.code == 0, answer.err
    assert rows(answer.out)[0]["status"] == "ok"


def test_a_run_on_somebody_elses_sheet_cannot_take_pictures(predict):
    answer = predict("astronaut.png", model="foreign")
    assert answer.code == 3
    assert answer.err == (
        "fer: error: run/foreign was trained on features/sheet, a feature sheet that somebody else made: pictures "
        "cannot become its columns\n  where: --model foreign\n"
        "  next: name a run on features of fer extract-features, or a run of train-resnet\n"
    )


def test_features_that_are_gone_are_said_to_be(predict, trained, tmp_path, monkeypatch):
    shutil.copytree(trained, tmp_path / "less")
    monkeypatch.setenv("FER_WORKSPACE", str(tmp_path / "less"))
    shutil.rmtree(tmp_path / "less/datasets/synthetic")
    answer = predict("astronaut.png", model="bp")
    assert answer.code == 4
    assert "the pictures that features/synthetic was extracted from are not in this workspace or have" in answer.err
    assert predict("astronaut.png", model="net").code == 0
    shutil.rmtree(tmp_path / "less/features/synthetic")
    answer = predict("astronaut.png", model="bp")
    assert answer.code == 4
    assert "the features that run/bp was trained on are not in this workspace or have changed" in answer.err


def test_without_a_model_the_one_in_the_box_is_taken(predict, trained, monkeypatch):
    from fercli.inference import boxed

    files = model_files(Store(trained).open("run", "net"))
    monkeypatch.setattr(boxed, "boxed_model_files", lambda: files)
    body = json.loads(predict("astronaut.png", "--json", model=None).out)
    assert body["model"] == "the model in the box"
    assert len(body["faces"]) == 1


def test_models_that_are_not_there(predict):
    answer = predict("astronaut.png", model="none")
    assert (answer.code, answer.out) == (4, "")
    assert "there is no run called none" in answer.err
    answer = predict("astronaut.png", model="none.onnx")
    assert answer.code == 4
    assert "the model cannot be read" in answer.err


def test_json_is_one_object_with_rows_and_counts(predict):
    Path("c.jpg").write_text("x")
    answer = predict("astronaut.png", "coins.png", "c.jpg", "--json")
    assert answer.code == 3
    body = json.loads(answer.out)
    assert {key: body[key] for key in ("schema", "command", "status", "artifact")} == {
        "schema": 1,
        "command": "predict",
        "status": "failed",
        "artifact": None,
    }
    assert (body["error"]["code"], body["error"]["message"]) == (3, "1 of 3 pictures could not be read")
    assert body["model"] == "run/net"
    assert body["classes"] == list(CLASSES)
    assert (body["pictures"], body["face_count"], body["skipped"]) == (3, 1, 0)
    assert body["counts"] == {"ok": 1, "abstained": 0, "no-face": 1, "unreadable": 1, "too-large": 0}
    assert sum(body["predicted"].values()) == 1
    assert [row["status"] for row in body["faces"]] == ["ok", "no-face", "unreadable"]
    assert list(body["faces"][0]) == HEADER
    assert body["faces"][1]["x"] is None
    assert body["faces"][1]["p_happy"] is None
    assert rows(predict("astronaut.png").out)[0]["p_happy"] == str(body["faces"][0]["p_happy"])


def test_it_abstains_below_the_confidence(predict):
    row = rows(predict("astronaut.png", "--min-confidence", 0.999).out)[0]
    assert (row["status"], row["predicted"], row["face"]) == ("abstained", "", "1")
    assert scores(row).sum() == pytest.approx(1, abs=1e-5)


def test_what_becomes_of_pictures_without_a_face(predict):
    assert rows(predict("coins.png", "--no-face", "skip").out) == []
    failed = predict("coins.png", "astronaut.png", "--no-face", "fail")
    assert failed.code == 3
    assert [row["status"] for row in rows(failed.out)] == ["no-face", "ok"]
    assert "fer: error: 1 of 2 pictures show no face\n  where: the first: coins.png\n" in failed.err


def test_one_of_several_faces(predict):
    face = data.astronaut()[30:200, 140:310, ::-1]
    wall = np.full((500, 900, 3), 100, np.uint8)
    wall[100:440, 20:360] = cv2.resize(face, (340, 340))
    wall[180:350, 400:570] = face
    cv2.imwrite("wall.png", wall)
    every = rows(predict("wall.png").out)
    assert [row["face"] for row in every] == ["1", "2"]
    assert int(every[0]["w"]) > int(every[1]["w"])
    assert rows(predict("wall.png", "--which", "largest").out)[0]["x"] == every[0]["x"]
    assert rows(predict("wall.png", "--which", "central").out)[0]["x"] == every[1]["x"]


def test_annotated_pictures_under_their_own_names(predict):
    film("v.avi", 2)
    cv2.imwrite("small.bmp", np.full((20, 30), 80, np.uint8))
    answer = predict("astronaut.png", "small.bmp", "v.avi", "--annotate", "seen", "--out", "rows.csv")
    assert answer.code == 0, answer.err
    written = sorted(path.relative_to("seen").as_posix() for path in Path("seen").rglob("*") if path.is_file())
    assert written == ["astronaut.png", "small.bmp.png", "v.avi/000000.jpg", "v.avi/000001.jpg"]
    drawn = cv2.imread("seen/astronaut.png")
    changed = np.flatnonzero((drawn != data.astronaut()[..., ::-1]).any(axis=(1, 2)))
    row = rows(Path("rows.csv").read_text())[0]
    assert changed.min() < int(row["y"]) < int(row["y"]) + int(row["h"]) <= changed.max() + 3
    assert answer.out.endswith("wrote rows.csv\nwrote pictures into seen\n")


def test_annotations_never_go_among_the_pictures_that_are_read(predict, tmp_path):
    before = Path("astronaut.png").read_bytes()
    Path("p/sub").mkdir(parents=True)
    for arguments in (("astronaut.png", "--annotate", "."), ("p", "--annotate", "p/sub"), ("p", "--annotate", "p")):
        answer = predict(*arguments)
        assert answer.code == 2
        assert "--annotate would write among the pictures that are read" in answer.err
    assert Path("astronaut.png").read_bytes() == before


def test_the_output_is_there_whole_or_not_at_all(predict, monkeypatch):
    from fercli.steps import predict as step

    Path("rows.csv").write_text(",".join(COLUMNS) + "\nold")

    def failing(*arguments, **options):
        yield next(real(*arguments, **options))
        raise OSError(28, "No space left on device")

    real = step.labelled_frames
    monkeypatch.setattr(step, "labelled_frames", failing)
    assert predict("astronaut.png", "--out", "rows.csv").code == 5
    assert Path("rows.csv").read_text() == ",".join(COLUMNS) + "\nold"
    assert list(Path().glob(".rows*")) == []
    Path("folder").mkdir()
    answer = predict("astronaut.png", "--out", "folder")
    assert (answer.code, "--out is a folder, not a file" in answer.err) == (2, True)


def test_out_replaces_predictions_and_nothing_else(predict):
    picture = Path("astronaut.png").read_bytes()
    answer = predict("astronaut.png", "--out", "astronaut.png")
    assert answer.code == 2
    assert "--out is a CSV file\n  where: astronaut.png\n  next: name it astronaut.csv\n" in answer.err
    assert Path("astronaut.png").read_bytes() == picture
    Path("list.csv").write_text("path,label\nastronaut.png,happy\n")
    answer = predict("astronaut.png", "--out", "list.csv")
    assert answer.code == 2
    assert "fer: error: --out: a file that holds no predictions stands there, and is not replaced" in answer.err
    assert Path("list.csv").read_text().startswith("path,label")
    Path("rows.csv").touch()
    assert predict("astronaut.png", "--out", "rows.csv").code == 0
    rows = Path("rows.csv").read_text()
    assert predict("astronaut.png", "--out", "rows.csv").code == 0
    assert Path("rows.csv").read_text() == rows


def test_stopped_by_a_signal_it_saves_what_it_has(predict, trained, tmp_path):
    film("v.avi", 400)
    command = ("predict", "v.avi", "--model", "lda", "--out", "rows.csv", "--batch-size", "1", "--threads", "1")
    environment = {**os.environ, "FER_WORKSPACE": str(trained), "OMP_NUM_THREADS": "1"}
    child = subprocess.Popen(
        [sys.executable, "-m", "fercli", *command], env=environment, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not any(part.stat().st_size > 500 for part in Path().glob(".rows.csv*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    said = child.communicate(timeout=30)[1]
    assert child.returncode == 130, said
    found = rows(Path("rows.csv").read_text())
    assert 1 <= len(found) < 400
    assert [row["frame"] for row in found] == [str(number) for number in range(len(found))]
    assert list(Path().glob(".rows*")) == []
    assert "the rows until here are in rows.csv" in said


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "there is nothing to predict"),
        (("astronaut.png", "--webcam", "0"), 2, "give pictures or a camera, not both"),
        (("--webcam", "77"), 5, "there is no camera 77"),
        (("none.png",), 3, "there is no such file or folder"),
        (("empty",), 3, "there is no picture in the sources; 0 files are none by their names"),
        (("astronaut.png", "--device", "cuda:9"), 5, "device cuda:9 is not available"),
        (("astronaut.png", "--min-confidence", "2"), 2, "--min-confidence: input should be less than or equal to 1"),
        (("astronaut.png", "--which", "best"), 2, "--which: input should be 'all', 'largest' or 'central'"),
        (("astronaut.png", "--detector", "yunet"), 2, "--detector yunet needs its network"),
        (
            ("astronaut.png", "--detector", "yunet", "--detector-model", "astronaut.png"),
            3,
            "OpenCV does not take this file for a YuNet network",
        ),
    ],
)
def test_refusals(predict, arguments, code, message):
    Path("empty").mkdir()
    answer = predict(*arguments)
    assert answer.code == code, answer.err
    assert message in answer.err


def test_a_closed_pipe_ends_it_quietly(predict, trained):
    command = f"{sys.executable} -m fercli predict astronaut.png coins.png coins.png --model lda | true"
    environment = {**os.environ, "FER_WORKSPACE": str(trained)}
    script = f"set -o pipefail; {command}"
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 141
    assert "Traceback" not in done.stderr


def test_a_dry_run_says_what_it_would_read_and_writes_nothing(fer, tmp_path):
    assert cv2.imwrite(str(tmp_path / "a.png"), np.zeros((48, 48), np.uint8))
    answer = fer("predict", tmp_path / "a.png", "--out", tmp_path / "rows.csv", "--dry-run")
    assert answer.code == 0
    rows = tmp_path / "rows.csv"
    assert f"would read 1 source, score every face with the model in the box, and write to {rows}" in answer.out
    assert not rows.exists()


def test_what_a_killed_process_left_is_cleared_away_and_what_lives_is_not(fer, tmp_path):
    assert cv2.imwrite(str(tmp_path / "a.png"), np.zeros((48, 48), np.uint8))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = [tmp_path / f".rows.csv.{pid}.partial" for pid in (ended.pid, os.getppid())]
    for file in left:
        file.touch()
    assert fer("predict", tmp_path / "a.png", "--out", tmp_path / "rows.csv").code == 0
    assert [file.exists() for file in left] == [False, True]
