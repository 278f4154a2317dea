"""Forgeries of form: tables, arrays and manifests that do not belong together, with every hash made to fit."""

import json

import numpy as np
import pytest
from forging import Forger

RUN = "run/pruned"
FOLD = "folds/0/00"


def predict_in_fold_7(forger):
    forger.rows("run/lda", "predictions.csv", lambda lines: lines[0].update(fold="7"))


def state_another_width(forger):
    forger.json(RUN, f"{FOLD}/model.json", lambda facts: facts.update(hidden=facts["hidden"] + 1))


def state_another_width_before(forger):
    forger.json(RUN, f"{FOLD}/model.json", lambda facts: facts.update(hidden_before=99))


def lose_a_unit_number(forger):
    def cut(arrays):
        arrays["units"] = arrays["units"][:-1]

    forger.tensors(RUN, f"{FOLD}/weights.safetensors", cut)


def lose_a_receipt(forger):
    forger.rows(RUN, "receipts.csv", lambda lines: lines.pop(0))


def least_missed_unasked(forger):
    forger.rows(RUN, "receipts.csv", lambda lines: lines[0].update(criterion="least-missed"))


def shorten_features(forger):
    path = forger.path("features/made", "features.npy")
    np.save(path, np.load(path)[:-1])


def shorten_roles(forger):
    path = forger.path("run/lda", f"{FOLD}/rows.npy")
    np.save(path, np.load(path)[:-1])


def regroup_the_table(forger):
    forger.rows("folds/standing", "folds.csv", lambda lines: lines[3].update(group="nobody"))


def name_no_folds(forger):
    def drop(manifest):
        manifest["parents"] = [parent for parent in manifest["parents"] if parent["kind"] != "folds"]

    forger.manifest("run/lda", drop)


def lose_a_class(forger):
    def drop(facts):
        facts["classes"] = facts["classes"][:2]

    forger.json("run/lda", f"{FOLD}/model.json", drop)


def other_rows_than_the_data_set(forger):
    forger.rows("features/made", "samples.csv", lambda lines: lines[0].update(source="elsewhere"))


def lose_contents(forger):
    path = forger.path("dataset/made", "samples.csv")
    path.write_text("".join(line.rsplit(",", 1)[0] + "\n" for line in path.read_text().splitlines()))


def add_a_column(forger):
    path = forger.path("features/made", "features.npy")
    features = np.load(path)
    np.save(path, np.concatenate([features, features[:, :1]], axis=1))


@pytest.mark.parametrize(
    ("kind", "change", "words"),
    [
        ("columns", predict_in_fold_7, "run/lda: a fold that does not exist is predicted (predictions.csv, fold 0/7)"),
        ("columns", state_another_width, f"the width is not that of the weights ({FOLD}/model.json, hidden): stored"),
        (
            "columns",
            state_another_width_before,
            f"the width before pruning is not --hidden ({FOLD}/model.json): stored 99, recomputed 8",
        ),
        ("columns", lose_a_unit_number, f"units have other numbers than the weights have columns ({FOLD}/weights"),
        ("columns", lose_a_unit_number, f"a unit is neither saved nor removed ({FOLD}/weights.safetensors, unit"),
        ("columns", lose_a_receipt, "a unit is neither saved nor removed (folds/0/0"),
        (
            "columns",
            least_missed_unasked,
            "removed as least-missed that did not cross the threshold (receipts.csv, row 2",
        ),
        ("columns", shorten_features, "features.npy has 71 rows, the artifact 72"),
        ("columns", shorten_roles, f"another number of rows than the data ({FOLD}/rows.npy): stored 71, recomputed 72"),
        ("columns", regroup_the_table, "folds/standing: the table is not that of its rows (folds.csv, row 5: row_03)"),
        ("columns", name_no_folds, "run/lda names no folds among its parents, and its rows have no official split"),
        ("columns", lose_a_class, f"the classes are not those of features/made in their order ({FOLD}/model.json"),
        ("columns", lose_a_class, f"another number of classes ({FOLD}): stored 2, recomputed 3"),
        (
            "pictures",
            other_rows_than_the_data_set,
            "features/made: the rows are not those of dataset/made (samples.csv)",
        ),
        ("pictures", lose_contents, "dataset/made: rows have no content hash (samples.csv, column content)"),
        ("pictures", add_a_column, "features/made: another number of columns (features.npy): stored"),
    ],
)
def test_what_does_not_belong_together_is_named(kind, change, words, workspace, fer):
    with Forger(workspace(kind)) as forger:
        change(forger)
    answer = fer("verify", "--folds-sampled", "all", "--json")
    assert answer.code == 4
    body = json.loads(answer.out)
    assert {entry["result"] for entry in body["checked"] if entry["check"] == "key and fingerprint"} == {"fine"}
    assert any(words in finding["line"] for finding in body["findings"]), [one["line"] for one in body["findings"]]


def test_an_artifact_under_another_name_is_named(workspace, fer):
    root = workspace("columns")
    (root / "runs" / "lda").rename(root / "runs" / "best")
    answer = fer("verify", "best")
    assert answer.code == 4
    assert "run/best: the name is not that of the folder (artifact.json): stored lda, recomputed best" in answer.out


def test_a_row_scored_twice_on_other_data_is_named(workspace, fer):
    root = workspace("columns")
    on = ("evaluate", "bp", "--on", "made", "--allow-train-rows", "--draws", 100, "--name", "elsewhere", "--quiet")
    assert fer(*on).code == 0
    with Forger(root) as forger:
        forger.rows("evaluation/elsewhere", "predictions/bp.csv", lambda lines: lines.append(lines[0]))
    answer = fer("verify", "elsewhere")
    assert answer.code == 4
    assert "a row is scored more than once (predictions/bp.csv): stored 73, recomputed 72" in answer.out
