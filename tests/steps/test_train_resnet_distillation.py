"""train-resnet --distil-from: the fold's own teacher, a parent of the run, and none that has seen held-out rows."""

import json

import numpy as np
import pytest
from test_train_resnet import SMALL, assert_same_results, make_dataset

from fercli.artifacts.store import Store
from fercli.artifacts.tables import read_csv

TEACHER = ("train-resnet", *SMALL, "--k", "2")
STUDENT = (*TEACHER, "--distil-from", "cnn", "--name", "student")


@pytest.fixture
def workspace(fer, tmp_path):
    make_dataset(tmp_path / "ws")
    answer = fer(*TEACHER)
    assert answer.code == 0, answer.err
    return tmp_path / "ws"


def test_the_teacher_is_a_parent_and_another_teacher_makes_another_run(fer, workspace):
    answer = fer(*STUDENT, "--json")
    assert answer.code == 0, answer.err
    student = Store(workspace).open("run", "student")
    teacher = Store(workspace).open("run", "cnn")
    assert teacher.parent() in student.manifest.parents
    config = student.manifest.config
    assert (config["distil_from"], config["distil_weight"], config["distil_temperature"]) == ("cnn", 0.5, 1.0)
    for folder in ("folds/0/01", "model"):
        weights = [(run.path / folder / "weights.safetensors").read_bytes() for run in (student, teacher)]
        assert weights[0] != weights[1]
    assert json.loads(fer(*STUDENT, "--json").out)["status"] == "up-to-date"
    assert fer(*TEACHER, "--epochs", "2", "--force").code == 0
    again = fer(*STUDENT, "--json")
    assert json.loads(again.out)["status"] == "done", again.err


def test_each_fold_learns_from_its_own_teacher(fer, workspace):
    """With the teacher's word alone, the second fold's first loss is its divergence from that fold's network."""
    fer(*STUDENT, "--distil-weight", "1", "--epochs", "8", "--lr", "0.01")
    header, rows = read_csv(workspace / "runs/student/history.csv")
    for fold in ("0", "1"):
        losses = [float(row[header.index("train_loss")]) for row in rows if row[1] == fold]
        assert losses[-1] < 0.5 * losses[0]


def test_an_interrupted_student_ends_with_the_same_results(fer, workspace, monkeypatch):
    from fercli.workflow import net_training

    more = ("--mixup", "0.2", "--ema", "1", "--class-weights", "balanced")
    assert fer(*STUDENT, *more).code == 0
    measured, count = net_training.Nets._measured, [0]

    def interrupted(self, training):
        count[0] += 1
        if count[0] == 2:
            raise KeyboardInterrupt
        return measured(self, training)

    monkeypatch.setattr(net_training.Nets, "_measured", interrupted)
    assert fer(*STUDENT, *more, "--name", "broken").code == 130
    assert json.loads(fer(*STUDENT, *more, "--name", "broken", "--json").out)["status"] == "resumed"
    assert_same_results(workspace, "student", "broken")


@pytest.mark.parametrize(
    ("arguments", "code", "message", "remedy"),
    [
        (("--seed", "1"), 3, "a leak: in fold 0 of repeat 0 run/cnn has seen", "the same folds"),
        (("--k", "3"), 3, "a leak: in fold 0 of repeat 0 run/cnn has seen", "the same folds"),
        (("--repeats", "2"), 3, "repeat", "the same folds"),
        (("--patience", "2"), 3, "rows that choose here", "--patience 0 --keep last"),
        (("--name", "cnn"), 2, "run/cnn cannot learn from itself", "--name"),
        (("--distil-from", "nobody"), 4, "there is no run called nobody", "cnn"),
        (
            ("--distil-weight", "0"),
            2,
            "--distil-weight: input should be greater than 0",
            "give --distil-weight more than 0, at most 1",
        ),
    ],
)
def test_refusals(fer, workspace, arguments, code, message, remedy):
    answer = fer(*STUDENT, *arguments)
    assert answer.code == code, answer.err
    assert message in answer.err
    assert remedy in answer.err.split("next:")[1]
    assert not (workspace / "runs/student").exists()


def test_a_teacher_without_a_final_model_teaches_the_folds_alone(fer, workspace):
    assert fer(*TEACHER, "--no-final-model", "--name", "short").code == 0
    student = (*TEACHER, "--distil-from", "short", "--name", "student")
    answer = fer(*student)
    assert answer.code == 2
    assert "no model on all rows for the final model to learn from" in answer.err
    assert fer(*student, "--no-final-model").code == 0


def test_a_teacher_of_other_data_is_refused(fer, workspace):
    make_dataset(workspace, seed=4, name="others")
    answer = fer(*STUDENT, "--dataset", "others")
    assert answer.code == 2, answer.err
    assert "was trained on other data than dataset/others" in answer.err


def test_a_teacher_that_chose_on_the_same_inner_rows_may_teach_one_that_chooses(fer, workspace):
    choosing = ("--patience", "3", "--epochs", "4")
    assert fer(*TEACHER, *choosing, "--name", "chosen").code == 0
    answer = fer(*TEACHER, *choosing, "--distil-from", "chosen", "--name", "student")
    assert answer.code == 0, answer.err
    roles = [np.load(workspace / f"runs/{name}/folds/0/00/rows.npy") for name in ("chosen", "student")]
    assert (roles[0] == roles[1]).all()


def test_changed_held_out_rows_reach_neither_teacher_nor_student(fer, workspace):
    def spoil(images):
        images[48:] = 255 - images[48:] // 3

    weights = []
    for pixels in (None, spoil):
        make_dataset(workspace, official=True, groups=False, pixels=pixels, seed=9)
        for arguments in (("--name", "old"), ("--distil-from", "old", "--name", "new")):
            answer = fer("train-resnet", *SMALL, "--scheme", "official", *arguments, "--force")
            assert answer.code == 0, answer.err
        weights.append((workspace / "runs/new/folds/0/00/weights.safetensors").read_bytes())
    assert weights[0] == weights[1]


def test_the_cost_of_a_student_is_told_beforehand(fer, workspace):
    answer = fer(*STUDENT, "--dry-run", "--json")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["seconds"] > 0
    assert not (workspace / "runs/student").exists()
