"""`fer audit` from the command line: exit codes, exact texts, JSON, files, and a workspace left as it was."""

import csv
import json

import cv2
import numpy as np
import pytest

from fercli.seeds import generator

MEMBERS = "set,rows,cross_split,conflicting,id,label,split,group,source"


def face(number):
    noise = generator(11, "step", number).normal(size=(8, 8)).repeat(6, 0).repeat(6, 1)
    return np.clip(128 + 40 * noise, 0, 255).astype(np.uint8)


@pytest.fixture
def source(tmp_path):
    """Eight different pictures and, by test, what is planted beside them."""
    folder = tmp_path / "faces"

    def write(pictures):
        for path, pixels in pictures.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            data = pixels if isinstance(pixels, bytes) else cv2.imencode(".png", pixels)[1].tobytes()
            (folder / path).write_bytes(data)
        return folder

    write({f"{('train', 'validation')[n % 2]}/{('happy', 'sad')[n // 4]}/c{n}.png": face(n) for n in range(8)})
    return write


PLANTED = {
    "validation/sad/copy.png": face(0),  # of a happy training picture
    "train/happy/noisy.png": np.clip(face(1).astype(int) + np.arange(48) % 5, 0, 255).astype(np.uint8),
    "train/sad/black.png": np.zeros((48, 48), np.uint8),
    "train/sad/broken.png": cv2.imencode(".png", face(3))[1].tobytes()[:200],
    "train/sad/notes.txt": b"not a picture",
}
ALL = "cross-split-duplicates,conflicting-labels,near-duplicates,unreadable,blank"


def tree(root):
    return {
        path.relative_to(root): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not path.name.endswith(".lock")
    }


def imported(fer, folder):
    answer = fer("import-dataset", folder, "--quiet")
    assert answer.code == 0, answer.err


def test_clean_data_pass_every_gate(fer, source):
    imported(fer, source({}))
    answer = fer("audit", "--fail-on", ALL, "--json")
    body = json.loads(answer.out)
    assert (answer.code, body["status"], body["artifact"]) == (0, "done", None)
    nothing = {"groups": 0, "images": 0, "cross_split": 0, "conflicting": 0}
    assert body["exact"] == body["near"] == nothing
    assert (body["images"], body["blank"], body["unreadable"]) == (8, 0, 0)
    assert body["splits"] == {"train": 4, "validation": 4}
    assert body["classes"] == {"happy": 4, "sad": 4}
    assert [gate["passed"] for gate in body["gates"]] == [True] * 5


def test_planted_faults_are_shown_and_then_fail(fer, source, tmp_path):
    imported(fer, source(PLANTED))
    before = tree(tmp_path / "ws")
    answer = fer("audit", "--fail-on", ALL)
    assert answer.code == 6
    assert answer.err == (
        "fer: error: 5 of 5 gates failed: sets of equal pictures across splits: 1; sets of equal pictures with "
        "different labels: 1; sets of nearly equal pictures: 1; files that could not be read: 1; blank pictures: 1\n"
        f"  where: --fail-on {ALL}\n"
        "  next: list them with --out FOLDER, then mend the source and import it again\n"
    )
    for line in (
        "blank pictures (standard deviation below 1): 1",
        "nearly constant pictures (below 5): 0",
        "validation pictures that equal a training picture: 1",
    ):
        assert line in answer.out.splitlines()
    assert tree(tmp_path / "ws") == before
    listed = fer("audit", "--fail-on", "blank", "--out", "lists")
    assert listed.code == 6
    assert listed.err.splitlines()[-1] == "  next: see the lists in lists, then mend the source and import it again"


def test_a_failed_gate_and_the_findings_are_one_object(fer, source):
    imported(fer, source(PLANTED))
    answer = fer("audit", "--fail-on", "blank", "--json")
    body = json.loads(answer.out)
    assert (answer.code, body["status"], body["error"]["code"], body["error"]["kind"]) == (6, "failed", 6, "gate")
    assert body["exact"] == {"groups": 1, "images": 2, "cross_split": 1, "conflicting": 1}
    assert body["near"] == {"groups": 1, "images": 2, "cross_split": 1, "conflicting": 0}
    assert (body["blank"], body["unreadable"], body["left_out"]) == (1, 1, 2)
    assert body["copies_of_training_rows"] == {"validation": 1}
    assert body["gates"] == [{"expression": "blank", "value": 1, "passed": False}]


def test_out_lists_every_finding_and_shows_the_worst(fer, source, tmp_path):
    imported(fer, source(PLANTED))
    out = tmp_path / "lists" / "deep"
    answer = fer("audit", "--out", out, "--json")
    names = ["unreadable.csv", "duplicates.csv", "near.csv", "blank.csv", "contact-sheet.png"]
    assert json.loads(answer.out)["files"] == [str(out / name) for name in names]
    assert sorted(path.name for path in out.iterdir()) == sorted(names)
    assert (out / "duplicates.csv").read_text().splitlines() == [
        MEMBERS,
        "0,2,1,1,train/happy/c0,happy,train,,train/happy/c0.png",
        "0,2,1,1,validation/sad/copy,sad,validation,,validation/sad/copy.png",
    ]
    with (out / "near.csv").open() as handle:
        near = list(csv.DictReader(handle))
    assert [row["id"] for row in near] == ["train/happy/noisy", "validation/happy/c1"]
    assert float(near[0]["difference_to_first"]) == 0
    assert 0 < float(near[1]["difference_to_first"]) < 0.4
    assert (out / "blank.csv").read_text().splitlines()[1:] == ["train/sad/black,sad,train,train/sad/black.png,0.0,1"]
    sheet = cv2.imread(str(out / "contact-sheet.png"))
    assert sheet.shape[1] > 1000
    assert sheet.shape[0] > 600  # three strips: a set of equal ones, a near set, a blank one
    first = (out / "contact-sheet.png").read_bytes()
    fer("audit", "--out", out)
    assert (out / "contact-sheet.png").read_bytes() == first


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            ("--fail-on", "blank,typo"),
            "fer: error: nothing to fail on is called 'typo'\n  where: --fail-on blank,typo\n"
            "  next: choose from cross-split-duplicates, conflicting-labels, near-duplicates, unreadable, blank\n",
        ),
        (
            ("--near-bits", "9"),
            "fer: error: --near-bits: input should be less than or equal to 8\n  where: --near-bits 9\n"
            "  next: give --near-bits at least 0, at most 8\n",
        ),
        (
            ("--dataset", "faces", "--features", "x"),
            "fer: error: --dataset and --features are two inputs\n  next: give one of them\n",
        ),
    ],
)
def test_usage_errors_are_exact(fer, source, arguments, text):
    imported(fer, source({}))
    answer = fer("audit", *arguments)
    assert (answer.code, answer.out, answer.err) == (2, "", text)


def test_out_onto_a_file_is_refused_before_the_work(fer, source, tmp_path):
    imported(fer, source({}))
    (tmp_path / "taken").write_text("mine")
    answer = fer("audit", "--out", tmp_path / "taken")
    assert (answer.code, (tmp_path / "taken").read_text()) == (2, "mine")
    assert "--out is a file, not a folder" in answer.err


def test_an_empty_workspace_says_how_to_fill_it(fer):
    answer = fer("audit")
    assert answer.code == 4
    assert "make one with fer import-dataset SOURCE or fer synthesize" in answer.err


@pytest.fixture
def features(fer, tmp_path):
    rows = generator(12, "rows").normal(size=(30, 3))
    rows[9] = rows[4]
    rows[20, 1] = 90
    lines = ["id,label,split,a.x,a.y,b.z"]
    for number, row in enumerate(rows):
        label, split = ("happy", "sad")[number % 2], ("train", "test")[number // 6 % 2]
        lines.append(f"r{number},{label},{split}," + ",".join(repr(float(value)) for value in row))
    lines.append("r30,sad,train,1,NaN,2")
    (tmp_path / "sheet.csv").write_text("\n".join(lines) + "\n")
    assert fer("import-features", tmp_path / "sheet.csv", "--quiet").code == 0


def test_features_are_audited_when_they_are_all_there_is(fer, features, tmp_path):
    answer = fer("audit", "--json", "--out", tmp_path / "out", "--fail-on", "cross-split-duplicates,unreadable")
    body = json.loads(answer.out)
    assert (answer.code, body["audited"]) == (6, "features/sheet")
    assert body["exact"] == {"groups": 1, "images": 2, "cross_split": 1, "conflicting": 1}
    assert body["near"] is None
    assert body["blank"] is None
    assert body["unreadable"] == 1
    assert [(entry["id"], entry["component"]) for entry in body["dominating"]] == [("r20", "a.y")]
    assert body["error"]["message"] == (
        "2 of 2 gates failed: sets of equal rows across splits: 1; rows that could not be read: 1"
    )
    assert (tmp_path / "out" / "duplicates.csv").read_text().splitlines() == [
        MEMBERS,
        "0,2,1,1,r4,happy,train,,row 6",
        "0,2,1,1,r9,sad,test,,row 11",
    ]
    assert not (tmp_path / "out" / "contact-sheet.png").exists()


def test_features_cannot_be_blank(fer, features):
    answer = fer("audit", "--fail-on", "blank")
    assert (answer.code, answer.err) == (
        2,
        "fer: error: an audit of features does not look for blank\n  where: --fail-on blank\n"
        "  next: choose from cross-split-duplicates, conflicting-labels, unreadable\n",
    )


@pytest.mark.real_data
def test_the_counts_of_the_real_pictures(fer, real_data):
    archive = real_data / "fer2013-train-validation.tar.xz"
    assert fer("import-dataset", archive, "--name", "fer2013", "--quiet").code == 0
    body = json.loads(fer("audit", "--json").out)
    assert body["exact"] == {"groups": 1273, "images": 2805, "cross_split": 270, "conflicting": 47}
    assert (body["images"], body["blank"], body["unreadable"]) == (32_298, 12, 0)
    assert body["copies_of_training_rows"] == {"validation": 280}
    assert body["near"]["groups"] > 500


@pytest.mark.real_data
def test_the_equal_rows_of_the_real_sheet(fer, real_data):
    assert fer("import-features", real_data / "sfew-lpq-phog-pca.xlsx", "--name", "sfew", "--quiet").code == 0
    answer = fer("audit", "--fail-on", "conflicting-labels")
    assert answer.code == 6
    assert "sets of equal rows with different labels: 1" in answer.err
    name = "HarryPotter_Deathly_Hallows_1_001610960_00000028"
    assert f"{name} (fear); {name}#2 (surprise)" in answer.out


def test_a_dry_run_says_what_it_would_look_at_and_writes_nothing(fer, tmp_path):
    assert fer("synthesize", "--subjects", 2, "--images", 7, "--size", 24, "--name", "faces").code == 0
    answer = fer("audit", "--out", tmp_path / "lists", "--fail-on", "blank", "--dry-run")
    assert answer.code == 0
    assert f"would audit 14 rows of dataset/faces, and write lists into {tmp_path / 'lists'}" in answer.out
    assert not (tmp_path / "lists").exists()
