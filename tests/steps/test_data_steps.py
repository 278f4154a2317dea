"""synthesize, import-dataset, import-features, extract-features, make-folds: from argv to files and back."""

import errno
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from fercli.artifacts.disk import Disk
from fercli.artifacts.store import Store


def picture(seed: int, shape=(24, 24)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def tree(root: Path, *, shape=(24, 24)) -> Path:
    """Six class-folder pictures in two splits, with one exact copy across them."""
    for number, (split, label) in enumerate(
        [("train", "happy"), ("train", "sad"), ("train", "happy"), ("test", "sad"), ("test", "happy")]
    ):
        folder = root / split / label
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"p{number}.png"), picture(number, shape))
    cv2.imwrite(str(root / "test" / "sad" / "copy.png"), picture(1, shape))
    return root


def packed(root: Path, form: str) -> Path:
    """The tree as an archive beside it."""
    if form == "folder":
        return root
    target = root.with_suffix(f".{form}")
    files = sorted(path for path in root.rglob("*") if path.is_file())
    if form == "zip":
        with zipfile.ZipFile(target, "w") as archive:
            for path in files:
                archive.write(path, path.relative_to(root))
    else:
        with tarfile.open(target, f"w:{form.split('.')[1]}") as archive:
            for path in reversed(files):  # another order than the folder's
                archive.add(path, path.relative_to(root))
    return target


@pytest.mark.parametrize("form", ["folder", "zip", "tar.gz", "tar.xz"])
def test_every_container_gives_the_same_rows(fer, tmp_path, form):
    answer = fer("import-dataset", packed(tree(tmp_path / "faces"), form), "--json")
    assert answer.code == 0, answer.err
    body = json.loads(answer.out)
    assert (body["status"], body["artifact"], body["rows"]) == ("done", "dataset/faces", 6)
    assert body["counts"] == {"train": {"happy": 2, "sad": 1}, "test": {"happy": 1, "sad": 2}}
    artifact = Store(tmp_path / "ws").open("dataset", "faces")
    samples = artifact.samples()
    assert samples.ids.tolist()[0].endswith("test/happy/p4")
    images = artifact.array("images.npy")
    assert np.array_equal(images[samples.ids.tolist().index("train/sad/p1")], picture(1))
    content = samples.extra["content"]
    same = [ident for ident, value in zip(samples.ids, content, strict=True) if (content == value).sum() == 2]
    assert sorted(same) == ["test/sad/copy", "train/sad/p1"]


def test_up_to_date_stale_and_refused(fer, tmp_path):
    root = tree(tmp_path / "faces")
    assert fer("import-dataset", root).code == 0
    again = fer("import-dataset", root, "--json")
    assert json.loads(again.out)["status"] == "up-to-date"
    refused = fer("import-dataset", root, "--size", "12")
    assert refused.code == 2
    assert "dataset/faces stands with another configuration: size: null -> [12, 12]" in refused.err
    cv2.imwrite(str(root / "train" / "sad" / "new.png"), picture(9))
    changed = fer("import-dataset", root, "--json")
    assert json.loads(changed.out)["rows"] == 7
    assert "dataset/faces is stale: source/faces changed" in changed.err


def test_a_corrupt_picture_is_left_out_by_name(fer, tmp_path):
    root = tree(tmp_path / "faces")
    (root / "train" / "sad" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n not a picture")
    body = json.loads(fer("import-dataset", root, "--json").out)
    assert body["rows"] == 6
    assert [item["source"] for item in body["left_out"]] == ["train/sad/broken.png"]
    assert "broken.png" in (tmp_path / "ws/datasets/faces/left_out.csv").read_text()


def test_mixed_sizes_need_a_size(fer, tmp_path):
    root = tree(tmp_path / "faces")
    cv2.imwrite(str(root / "train" / "sad" / "large.png"), picture(9, (30, 40)))
    answer = fer("import-dataset", root)
    assert answer.code == 3
    assert "24x24 (6), 30x40 (1)" in answer.err
    assert "--size 24" in answer.err
    assert fer("import-dataset", root, "--size", "24").code == 0


SHEET = "id,label,group,lpq.a,lpq.b,phog.a\n" + "".join(
    f"s{i},{'happy' if i % 2 else 'sad'},g{i % 5},{i * 0.5},{-i},{i * i}\n" for i in range(20)
)


def test_a_plain_sheet_becomes_features(fer, tmp_path):
    (tmp_path / "table.csv").write_text(SHEET + "s20,sad,g1,nan,1,2\n")
    body = json.loads(fer("import-features", tmp_path / "table.csv", "--json").out)
    assert (body["rows"], body["groups"], body["pca"]) == (20, 5, None)
    assert body["blocks"] == [{"name": "lpq", "columns": 2}, {"name": "phog", "columns": 1}]
    assert len(body["left_out"]) == 1
    features = Store(tmp_path / "ws").open("features", "table").array("features.npy")
    assert features.dtype == np.float32
    assert features[3].tolist() == [1.5, -3.0, 9.0]


def test_a_sheet_of_features_is_no_data_set(fer, tmp_path):
    (tmp_path / "table.csv").write_text(SHEET)
    answer = fer("import-dataset", "table.csv")
    assert answer.code == 3
    assert "fer: error: this is a sheet, in no format that holds or lists pictures\n  where: table.csv" in answer.err
    assert "fer import-features" in answer.err


def test_a_folder_is_no_sheet(fer, tmp_path):
    (tmp_path / "faces").mkdir()
    answer = fer("import-features", "faces")
    assert answer.code == 3
    assert answer.err == (
        "fer: error: this is a folder, not a sheet\n  where: faces\n"
        "  next: name a CSV or XLSX file; pictures come in with fer import-dataset\n"
    )
    assert not (tmp_path / "ws").exists()


def test_folds_keep_groups_and_refuse_too_many(fer, tmp_path):
    (tmp_path / "table.csv").write_text(SHEET)
    fer("import-features", tmp_path / "table.csv")
    body = json.loads(fer("make-folds", "--k", "5", "--json").out)
    assert body["artifact"] == "folds/table-stratified-grouped-5"
    assert body["protocol"]["groups"] == 5
    refused = fer("make-folds", "--k", "6")
    assert refused.code == 3
    assert "k is 6, but there are only 5 groups: the largest legal k is 5" in refused.err
    leak = fer("make-folds", "--k", "5", "--scheme", "stratified")
    assert leak.code == 3
    assert "--allow-group-leak" in leak.err


def test_the_sfew_sheet(fer, real_data):
    body = json.loads(fer("import-features", real_data / "sfew-lpq-phog-pca.xlsx", "--json").out)
    assert (body["rows"], body["groups"]) == (674, 57)
    assert [item["source"] for item in body["left_out"]] == ["Hangover_001949614_00000089"]
    assert body["notes"] == [
        "HarryPotter_Deathly_Hallows_1_001610960_00000028: the same features under the labels fear and surprise "
        "(rows 214 and 612)"
    ]
    assert body["counts"]["none"]["disgust"] == 75
    refused = fer("make-folds", "--k", "100")
    assert (refused.code, "largest legal k is 57" in refused.err) == (3, True)


def test_fer2013_folders(fer, real_data):
    body = json.loads(fer("import-dataset", real_data / "fer2013-train-validation.tar.xz", "--json").out)
    train = {"angry": 3995, "disgust": 436, "fear": 4097, "happy": 7215, "neutral": 4965, "sad": 4830, "surprise": 3171}
    validation = {"angry": 467, "disgust": 56, "fear": 496, "happy": 895, "neutral": 607, "sad": 653, "surprise": 415}
    assert body["counts"] == {"train": train, "validation": validation}
    assert (body["size"], body["color"], body["left_out"]) == ([48, 48], "gray", [])


def synthesize(fer, subjects=6, images=7):
    answer = fer("synthesize", "--subjects", subjects, "--images", images, "--json")
    assert answer.code == 0, answer.err
    return json.loads(answer.out)


def test_synthesize_is_a_function_of_its_seed(fer, tmp_path):
    first = synthesize(fer)
    assert (first["rows"], first["groups"]) == (42, 6)
    assert set(first["counts"]["none"].values()) == {6}
    store = Store(tmp_path / "ws")
    fingerprint = store.open("dataset", "synthetic").manifest.fingerprint
    fer("synthesize", "--subjects", 6, "--images", 7, "--name", "other", "--seed", "1")
    fer("synthesize", "--subjects", 6, "--images", 7, "-w", tmp_path / "elsewhere")
    assert Store(tmp_path / "elsewhere").open("dataset", "synthetic").manifest.fingerprint == fingerprint
    assert store.open("dataset", "other").manifest.fingerprint != fingerprint


def test_extraction_is_the_same_whatever_the_jobs(fer, tmp_path):
    synthesize(fer)
    assert fer("extract-features", "--jobs", "1", "--name", "one").code == 0
    assert fer("extract-features", "--jobs", "2", "--name", "two").code == 0
    store = Store(tmp_path / "ws")
    one, two = store.open("features", "one"), store.open("features", "two")
    assert one.manifest.files["features.npy"] == two.manifest.files["features.npy"]
    assert [block["name"] for block in one.content["blocks"]] == ["phog", "lpq"]
    assert one.content["pca"] == 5


class FullDisk(Disk):
    """Full from the n-th write on."""

    def __init__(self, after: int) -> None:
        self.left = after

    def write(self, handle, data):
        self.left -= 1
        if self.left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().write(handle, data)


def test_a_full_disk_at_every_write_of_every_data_command(fer, tmp_path, monkeypatch):
    """Exit 5, the one message, no half artifact; with space again the same command finishes."""
    (tmp_path / "table.csv").write_text(SHEET)
    tree(tmp_path / "faces")
    commands = [
        ("import-features", tmp_path / "table.csv"),
        ("import-dataset", tmp_path / "faces"),
        ("extract-features", "--descriptors", "lpq", "--jobs", "1"),
        ("make-folds", "--features", "table", "--k", "2"),
    ]
    for command in commands:
        for n in range(1000):
            with monkeypatch.context() as patched:
                patched.setattr("fercli.artifacts.store.Disk", lambda n=n: FullDisk(n))
                answer = fer(*command)
            if answer.code == 0:
                break
            assert answer.code == 5, answer.err
            assert answer.err.splitlines()[-2:] == [
                "fer: error: no space left on the disk",
                "  next: free some space, or choose another --workspace",
            ]
            states = [entry["state"] for entry in json.loads(fer("status", "--json").out)["artifacts"]]
            assert set(states) <= {
                "whole",
                *(f"interrupted: the same command {how}" for how in ("goes on", "begins again")),
            }
        assert n >= 2
        assert all(entry["state"] == "whole" for entry in json.loads(fer("status", "--json").out)["artifacts"])


def test_a_killed_extraction_goes_on_to_the_same_bytes(fer, tmp_path):
    fer("synthesize", "--subjects", "250", "--images", "21")
    reference = fer("extract-features", "--name", "whole", "--jobs", "1")
    assert reference.code == 0, reference.err
    command = [sys.executable, "-m", "fercli", "extract-features", "--name", "killed", "--jobs", "1"]
    slow = {**os.environ, "FER_WORKSPACE": str(tmp_path / "ws"), "OMP_NUM_THREADS": "1"}
    program = (
        "import fercli.steps.extract_features as step, sys; step.FLUSH_SECONDS = 0.0\n"
        "from fercli.cli.app import run; sys.exit(run(sys.argv[1:]))"
    )
    child = subprocess.Popen([sys.executable, "-c", program, *command[3:]], env=slow, stderr=subprocess.DEVNULL)
    marker = tmp_path / "ws/features/.killed.partial/features.npy.rows"
    deadline = time.monotonic() + 60
    while not (marker.exists() and int(marker.read_text() or 0) > 0) and time.monotonic() < deadline:
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert not (tmp_path / "ws/features/killed").exists()
    resumed = fer("extract-features", "--name", "killed", "--jobs", "1", "--json")
    assert json.loads(resumed.out)["status"] == "resumed"
    assert "going on after" in resumed.err
    store = Store(tmp_path / "ws")
    assert (
        store.open("features", "killed").manifest.files["features.npy"]
        == store.open("features", "whole").manifest.files["features.npy"]
    )


def test_rows_that_end_within_a_chunk_are_extracted_again(fer, tmp_path):
    """A partial that another version cut elsewhere: neither repeated rows nor its own values may survive."""
    synthesize(fer)
    assert fer("extract-features", "--name", "whole", "--jobs", "1").code == 0
    store = Store(tmp_path / "ws")
    whole = store.open("features", "whole")
    parent = store.open("dataset", "synthetic").parent()
    draft = store.begin(
        "features",
        "odd",
        algorithm=whole.manifest.algorithm,
        config=whole.config,
        parents=[parent],
        seed=None,
        command=[],
        execution={},
    )
    with pytest.raises(KeyboardInterrupt), draft:
        draft.keep_partial()
        with draft.array_writer("features.npy", (whole.array("features.npy").shape[1],), "float32") as writer:
            writer.append(np.full((5, *writer.row_shape), -1.0, np.float32))
            writer.flush()
            raise KeyboardInterrupt
    assert fer("extract-features", "--name", "odd", "--jobs", "1").code == 0
    assert store.open("features", "odd").manifest.files["features.npy"] == whole.manifest.files["features.npy"]


def test_pictures_and_their_features_run_on_the_same_folds(fer, tmp_path):
    synthesize(fer)
    assert fer("extract-features", "--jobs", "1").code == 0
    made = json.loads(fer("make-folds", "--features", "synthetic", "--k", "3", "--json").out)
    again = json.loads(fer("make-folds", "--dataset", "synthetic", "--k", "3", "--json").out)
    assert (made["status"], again["status"]) == ("done", "up-to-date")
    assert made["artifact"] == again["artifact"]
    parents = Store(tmp_path / "ws").open("folds", "synthetic-stratified-grouped-3").manifest.parents
    assert [(parent.kind, parent.name) for parent in parents] == [("dataset", "synthetic")]


def test_inputs_and_runs_may_be_named_with_their_kind(fer):
    """As every message, `verify` and `remove` name them; it is the same config."""
    assert fer("synthesize", "--subjects", 6, "--images", 7, "--size", 24).code == 0
    assert fer("extract-features", "--descriptors", "lbp", "--jobs", 1, "--dataset", "dataset/synthetic").code == 0
    assert fer("make-folds", "--k", 2, "--name", "f").code == 0
    line = ("train-baseline", "--model", "majority", "--name", "run", "--json")
    states = [
        json.loads(fer(*line, "--features", f"{features}synthetic", "--folds", f"{folds}f").out)["status"]
        for features, folds in (("features/", "folds/"), ("", ""))
    ]
    states += [
        json.loads(fer("evaluate", name, "--draws", 100, "--name", "e", "--json").out)["status"]
        for name in ("run/run", "run")
    ]
    assert states == ["done", "up-to-date", "done", "up-to-date"]
    refused = fer("evaluate", "features/synthetic")
    assert (refused.code, "there is no run called features/synthetic" in refused.err) == (4, True)
