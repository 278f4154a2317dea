"""Forgeries in evaluations, above all in those on other data, whose rows and leaks only the evaluation states."""

import json
import shutil

import numpy as np
import pytest
from forging import Forger
from verify_workspaces import CLASSES

from fercli.artifacts.tables import predictions_bytes, read_predictions
from fercli.evaluation.metrics import score

ON = "evaluation/elsewhere"
TABLE = "predictions/bp.csv"


def lines_of(fer, *artifacts):
    answer = fer("verify", *artifacts, "--json")
    body = json.loads(answer.out)
    assert answer.code == (4 if body["findings"] else 0)
    assert body["stale"] == []
    return [finding["line"] for finding in body["findings"]]


def drop_a_wrong_row(forger):
    """With the scores restated, so that the accuracy is truly that of the rows that are left."""

    def drop(lines):
        lines.remove(next(line for line in lines if line["truth"] != line["predicted"]))

    forger.rows(ON, TABLE, drop)
    left = score(read_predictions(forger.path(ON, TABLE))).as_json()
    forger.json(ON, "evaluation.json", lambda body: body["runs"][0].update(left))


def add_a_row(forger):
    forger.rows(ON, TABLE, lambda lines: lines.append({**lines[0], "id": "row_99"}))


def turn_the_rows(forger):
    forger.rows(ON, TABLE, lambda lines: lines.reverse())


def swap_the_classes(forger):
    path = forger.path(ON, TABLE)
    path.write_text(path.read_text().replace("p_calm,p_glad", "p_glad,p_calm"))


def answer_what_is_true(forger):
    """Every row as the best possible model answers it, all scores restated."""
    path = forger.path(ON, TABLE)
    predictions = read_predictions(path)
    predictions.probabilities[:] = np.where(np.arange(3) == predictions.truth[:, None], 0.8, 0.1)
    path.write_bytes(predictions_bytes(predictions))
    forger.json(ON, "evaluation.json", lambda body: body["runs"][0].update(score(predictions).as_json()))


def predict_another(forger):
    def flip(lines):
        lines[0]["predicted"] = next(name for name in CLASSES if name != lines[0]["predicted"])

    forger.rows(ON, TABLE, flip)


def entry(**values):
    return lambda forger: forger.json(ON, "evaluation.json", lambda body: body["runs"][0].update(values))


def keep_the_leak_to_itself(forger):
    forger.json(ON, "evaluation.json", lambda body: body["runs"][0]["protocol"].update(leaks=[]))


def take_back_the_leave(forger):
    forger.manifest(ON, lambda manifest: manifest["config"].update(allow_train_rows=False))


@pytest.fixture
def elsewhere(workspace, fer):
    root = workspace("columns")
    on = ("--on", "ws/features/made", "--allow-train-rows", "--draws", 100, "--require", "accuracy>=0")
    assert fer("evaluate", "bp", *on, "--name", "elsewhere", "--quiet").code == 0
    return root


def test_an_evaluation_on_data_that_was_named_by_a_path_is_fine_from_any_folder(elsewhere, fer, monkeypatch):
    monkeypatch.chdir(elsewhere)
    assert lines_of(fer, ON) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (drop_a_wrong_row, f"a row that was asked for is not scored ({TABLE}, row_"),
        (add_a_row, f"a row is scored that was not asked for ({TABLE}, row_99)"),
        (turn_the_rows, f"the rows are not in the order of the data ({TABLE}): stored row_71, recomputed row_00"),
        (swap_the_classes, f"the classes are not those of model and data in their order ({TABLE}, header)"),
        (answer_what_is_true, f"a prediction is not what the run's model gives ({TABLE}, row_"),
        (predict_another, f"predicted is not the most probable class ({TABLE}, row_00"),
        (keep_the_leak_to_itself, "protocol.leaks (evaluation.json, bp, protocol.leaks): stored []"),
        (take_back_the_leave, "72 of 72 scored rows are rows that run/bp was fitted on"),
        (entry(split="test"), "split (evaluation.json, bp, split): stored test, recomputed all"),
        (entry(copies_in_training=0), "copies_in_training (evaluation.json, bp, copies_in_training): stored 0"),
        (entry(left_out=[{"id": "row_99"}]), "left_out (evaluation.json, bp, left_out)"),
        (entry(gates=[]), "a gate is not answered by the scores: (evaluation.json, bp, gates"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_forged_evaluation_on_other_data_is_named(change, words, elsewhere, fer):
    with Forger(elsewhere) as forger:
        change(forger)
    lines = lines_of(fer, ON)
    assert any(words in line for line in lines), lines


def test_a_run_that_was_left_out_of_an_evaluation_is_named(workspace, fer):
    def drop(body):
        gone = body["runs"].pop()["name"]
        body["gates"] = [gate for gate in body["gates"] if gate["run"] != gone]

    with Forger(workspace("columns")) as forger:
        forger.json("evaluation/bp_lda", "evaluation.json", drop)
        told = {"runs": ["bp"], "summary": "1 runs; 1 of 1 gates passed"}
        forger.manifest("evaluation/bp_lda", lambda manifest: manifest["content"].update(told))
    words = "the runs are not those that the evaluation was made from (evaluation.json, runs): stored bp, recomputed "
    assert lines_of(fer, "evaluation/bp_lda") == [f"evaluation/bp_lda: {words}bp, lda"]


def test_data_that_came_back_after_an_evaluation_makes_no_finding(workspace, fer, tmp_path):
    root = workspace("columns")
    shutil.move(root / "features" / "made", tmp_path / "made")
    assert fer("evaluate", "lda", "--draws", 100, "--name", "alone", "--quiet").code == 0
    shutil.move(tmp_path / "made", root / "features" / "made")
    assert lines_of(fer, "evaluation/alone") == []


def test_a_net_on_other_data_is_scored_by_its_model(workspace, fer):
    root = workspace("pictures")
    on = ("--on", "dataset/made", "--allow-train-rows", "--draws", 100, "--device", "cpu", "--threads", 1)
    assert fer("evaluate", "net", *on, "--name", "elsewhere", "--quiet").code == 0
    assert lines_of(fer, ON) == []

    def nudge(lines):
        for line in lines:
            line["p_calm"] = repr(float(line["p_calm"]) + 0.001)
            line["p_glad"] = repr(float(line["p_glad"]) - 0.001)

    with Forger(root) as forger:
        forger.rows(ON, "predictions/net.csv", nudge)
    assert any(
        "a prediction is not what the run's model gives (predictions/net.csv" in line for line in lines_of(fer, ON)
    )
    with Forger(root) as forger:
        forger.manifest(ON, lambda manifest: manifest["config"].update(device="cuda"))
    assert not [line for line in lines_of(fer, ON) if "a prediction is not" in line]


def test_one_split_that_was_asked_for_is_all_that_is_scored(fer, tmp_path):
    rows = "".join(
        f"r{row},{('happy', 'sad')[row % 2]},{'validation' if row % 4 == 3 else 'train'},{row * 0.5},{(7 * row) % 11}\n"
        for row in range(24)
    )
    (tmp_path / "rows.csv").write_text("id,label,split,a.x,a.y\n" + rows)
    assert fer("import-features", "rows.csv").code == 0
    assert fer("train-baseline", "--model", "lda", "--name", "bp", "--jobs", 1).code == 0
    on = ("--on", "rows", "--split", "validation", "--draws", 100, "--name", "elsewhere")
    assert fer("evaluate", "bp", *on).code == 0
    assert lines_of(fer, ON) == []
    with Forger(tmp_path / "ws") as forger:
        forger.manifest(ON, lambda manifest: manifest["config"].update(split="train", allow_train_rows=True))
    words = f"evaluation/elsewhere: a row is scored that was not asked for ({TABLE}, r11; 6 rows in all)"
    assert any(line.startswith(words) for line in lines_of(fer, ON))
