"""`fer evaluate --on`: models on other data, by name of label; training rows refused, test rows in the ledger."""

import csv
import json
import shutil

import numpy as np
import pytest

from fercli.artifacts.store import Store
from fercli.artifacts.tables import read_predictions
from fercli.evaluation.metrics import score

NAMES = ("calm", "glad", "sore")
DRAWS = ("--draws", 100, "--jobs", 1)


def write_sheet(path, *, rows, seed, labels=NAMES, splits=("",), columns="a.1,a.2,a.3,b.1", repeat=()):
    """Rows whose first columns follow the label; `repeat`: (row, earlier row) whose values are equal."""
    drawn = np.random.default_rng(seed)
    width = columns.count(",") + 1
    values = drawn.normal(size=(rows, width))
    for row in range(rows):
        values[row, row % len(labels) % width] += 2.5
    for row, earlier in repeat:
        values[row] = values[earlier]
    lines = [f"id,label,split,group,{columns}"]
    for row in range(rows):
        cells = [f"{path.stem}{row}", labels[row % len(labels)], splits[row % len(splits)], f"{path.stem}p{row // 3}"]
        lines.append(",".join([*cells, *(f"{value:.6f}" for value in values[row])]))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def ws(tmp_path, fer):
    """A run on a sheet of 60 rows."""
    assert fer("import-features", write_sheet(tmp_path / "home.csv", rows=60, seed=0)).code == 0
    train(fer, "lda")
    return Store(tmp_path / "ws")


def train(fer, name, *more):
    answer = fer("train-baseline", "--model", "lda", "--name", name, "--threads", 1, "--jobs", 1, *more)
    assert answer.code == 0, answer.err


def ask(fer, *arguments):
    answer = fer("evaluate", *arguments, "--json", *DRAWS)
    assert answer.code == 0, answer.err
    return json.loads(answer.out)


def test_a_model_is_scored_on_features_with_the_same_columns(ws, tmp_path, fer):
    assert fer("import-features", write_sheet(tmp_path / "away.csv", rows=45, seed=1)).code == 0
    assert fer("train-bp", "--features", "home", "--epochs", 40, "--hidden", 6, "--threads", 1).code == 0
    body = ask(fer, "--on", "away", "--require", "accuracy>=0.5")
    assert body["artifact"] == "evaluation/all-on-away"
    lda, bp = body["runs"]
    assert (lda["name"], bp["name"], lda["on"], lda["split"]) == ("lda", "train-bp", "away", "all")
    assert lda["rows"] == 45
    assert lda["left_out"] == []
    assert lda["protocol"]["k"] == 5
    assert [fold["rows"] for fold in lda["folds"]] == [45]
    assert lda["majority"]["accuracy"]["pooled"] == pytest.approx(1 / 3)
    assert lda["intervals"]["accuracy"]["method"] == "bootstrap over 15 groups"
    assert [gate["passed"] for gate in body["gates"]] == [True, True]
    contract = {
        "name",
        "kind",
        "classes",
        "on",
        "split",
        "protocol",
        "train",
        "test",
        "folds",
        "confusion",
        "per_class",
    }
    assert contract <= set(lda)
    stored = read_predictions(ws.root / "evaluations/all-on-away/predictions/lda.csv")
    assert score(stored).accuracy == lda["accuracy"]
    assert stored.ids.tolist() == [f"away{row}" for row in range(45)]
    assert "test_scorings" not in body
    assert not (ws.root / "ledger.jsonl").exists()
    assert ask(fer, "--on", "away", "--require", "accuracy>=0.5")["status"] == "up-to-date"


def test_the_table_shows_the_best_run_first_and_says_what_was_scored(ws, tmp_path, fer):
    assert fer("import-features", write_sheet(tmp_path / "away.csv", rows=45, seed=1)).code == 0
    train(fer, "lost", "--features", "home", "--pca", 1)
    out = fer("evaluate", "--on", "away", "--details", *DRAWS).out
    assert "Scores of model/ on away (all rows)" in out
    assert "each run's model/, fitted on all training rows" in out
    assert out.index("lda ") < out.index("lost ")
    assert "calibration error" in out
    assert "AURC" in out


def test_training_rows_are_refused_by_content_and_said_where_they_are_allowed(ws, tmp_path, fer):
    shutil.copy(tmp_path / "home.csv", tmp_path / "same.csv")
    lines = (tmp_path / "same.csv").read_text().splitlines()
    (tmp_path / "same.csv").write_text("\n".join(line.replace("home", "same") for line in lines[:10]) + "\n")
    assert fer("import-features", tmp_path / "same.csv").code == 0
    for data, rows, first in (("home", 60, "home0"), ("same", 9, "same0")):
        answer = fer("evaluate", "--on", data, *DRAWS)
        assert answer.code == 3
        assert f"{rows} of {rows} scored rows are rows that run/lda was fitted on, by the hash of their" in answer.err
        assert f"features/{data}, the first: {first}" in answer.err
        assert ws.names("evaluation") == []
    text = fer("evaluate", "--on", "home", "--allow-train-rows", *DRAWS)
    assert text.code == 0
    assert "60 of 60 scored rows are rows that the model was fitted on (--allow-train-rows)" in text.out
    assert "no row is left to score without them" in text.out
    body = ask(fer, "--on", "home", "--allow-train-rows")
    (run,) = body["runs"]
    assert run["copies_in_training"] == 60
    assert run["without_copies"]["accuracy"] is None
    assert run["protocol"]["leaks"] == [
        "60 of 60 scored rows are rows that the model was fitted on (--allow-train-rows)"
    ]


def test_the_test_split_is_scored_through_the_ledger_and_with_and_without_copies(tmp_path, fer):
    splits = ("train", "train", "train", "train", "validation", "test")
    sheet = write_sheet(tmp_path / "split.csv", rows=90, seed=0, splits=splits, repeat=((5, 6), (11, 12)))
    assert fer("import-features", sheet).code == 0
    train(fer, "lda")
    ledger = tmp_path / "ws/ledger.jsonl"
    assert not ledger.exists()
    body = ask(fer, "lda", "--on", "split", "--split", "test")
    (run,) = body["runs"]
    assert body["artifact"] == "evaluation/lda-on-split-test"
    assert (run["rows"], run["split"], run["copies_in_training"]) == (15, "test", 2)
    assert run["without_copies"]["rows"] == 13
    assert body["test_scorings"] == 1
    (line,) = [json.loads(line) for line in ledger.read_text().splitlines()]
    assert (line["run"], line["purpose"], line["rows"]) == ("lda", "evaluate --on split", 15)
    again = fer("evaluate", "lda", "--on", "split", "--split", "test", *DRAWS)
    assert "is up to date" in again.err
    assert "test splits were scored 1 time in this workspace" in again.out
    assert "2 of 15 rows equal a training row; without them accuracy is" in again.out
    assert ask(fer, "lda", "--on", "split", "--split", "test", "--seed", 1)["test_scorings"] == 2
    assert ask(fer, "lda", "--on", "split", "--split", "validation")["runs"][0]["rows"] == 15
    assert len(ledger.read_text().splitlines()) == 2
    refused = fer("evaluate", "lda", "--on", "split", *DRAWS)
    assert refused.code == 3
    assert "60 of 90 scored rows" in refused.err
    assert "score others, e.g. --split test" in refused.err


def test_labels_are_matched_by_name_and_rows_of_unknown_ones_are_counted(ws, tmp_path, fer):
    labels = ("sore", "able", "calm")  # other numbers, one class more and one less
    assert fer("import-features", write_sheet(tmp_path / "other.csv", rows=30, seed=2, labels=labels)).code == 0
    body = ask(fer, "--on", "other")
    (run,) = body["runs"]
    assert run["classes"] == ["calm", "glad", "sore", "able"]
    assert run["rows"] == 20
    assert {item["reason"] for item in run["left_out"]} == {"label able, which run/lda does not know"}
    assert len(run["left_out"]) == 10
    assert body["warnings"] == ["features/other: 10 rows left out: label able, which run/lda does not know"]
    stored = read_predictions(ws.root / "evaluations/all-on-other/predictions/lda.csv")
    with (tmp_path / "other.csv").open(newline="") as handle:
        truth = {row["id"]: row["label"] for row in csv.DictReader(handle)}
    assert [stored.classes[index] for index in stored.truth] == [truth[name] for name in stored.ids.tolist()]
    np.testing.assert_array_equal(stored.probabilities[:, 3], 0)
    np.testing.assert_allclose(stored.probabilities.sum(axis=1), 1)
    assert [run["per_class"][name]["support"] for name in run["classes"]] == [10, 0, 10, 0]
    assert fer("import-features", write_sheet(tmp_path / "none.csv", rows=6, seed=2, labels=("up", "down"))).code == 0
    answer = fer("evaluate", "--on", "none", *DRAWS)
    assert answer.code == 3
    assert "no row of features/none has a label that run/lda knows" in answer.err
    assert "labels down, up" in answer.err
    assert "the model's classes are calm, glad, sore" in answer.err


def test_what_does_not_fit_is_refused_before_any_work(ws, tmp_path, fer):
    sheet = write_sheet(tmp_path / "wide.csv", rows=9, seed=3, columns="a.1,a.2,a.3,b.1,b.2")
    assert fer("import-features", sheet).code == 0
    assert fer("synthesize", "--subjects", 2, "--images", 7, "--size", 24, "--name", "faces").code == 0
    cases = (
        (("--on", "wide"), 3, "features/wide has other columns than features/home, on which run/lda was trained"),
        (("--on", "faces"), 3, "run/lda was trained on a feature sheet that somebody else made"),
        (("--on", "nowhere"), 4, "choose one of: dataset/faces, features/home, features/wide"),
        (("--on", "home", "--split", "test"), 3, "features/home has no rows of the test split"),
        (("--split", "test"), 2, "--split says which rows of --on DATA to score: give --on too"),
        (("--on", "home", "--split", "tst"), 2, "--split: input should be 'train', 'validation' or 'test'"),
    )
    for arguments, code, message in cases:
        answer = fer("evaluate", *arguments, *DRAWS)
        assert (answer.code, message in answer.err) == (code, True), answer.err
    assert ws.names("evaluation") == []


def test_without_the_training_data_nobody_can_tell_and_that_is_said(ws, tmp_path, fer):
    assert fer("import-features", write_sheet(tmp_path / "away.csv", rows=45, seed=1)).code == 0
    write_sheet(tmp_path / "home.csv", rows=60, seed=9)
    assert fer("import-features", tmp_path / "home.csv").code == 0  # other rows under the same name
    answer = fer("evaluate", "--on", "away", *DRAWS)
    assert answer.code == 4
    assert "the features that run/lda was trained on are not in this workspace or have changed" in answer.err


@pytest.fixture
def faces(tmp_path, fer):
    """Faces with a run on their features, and other faces."""
    for name, seed in (("faces", 0), ("fresh", 7)):
        assert fer("synthesize", "--subjects", 8, "--images", 7, "--size", 24, "--name", name, "--seed", seed).code == 0
    return Store(tmp_path / "ws")


def test_pictures_are_extracted_with_the_settings_of_the_runs_own_features(faces, fer):
    extract = ("extract-features", "--descriptors", "lbp", "--lbp-grid", "3x3", "--jobs", 1, "--dataset")
    assert fer(*extract, "faces").code == 0
    train(fer, "lda")
    extracted = ask(fer, "--on", "fresh", "--name", "pictures")["runs"][0]
    assert extracted["rows"] == 56
    assert fer(*extract, "fresh").code == 0
    from_features = ask(fer, "--on", "features/fresh", "--name", "columns")["runs"][0]
    assert extracted == from_features
    other = ("extract-features", "--descriptors", "lbp", "--lbp-grid", "2x2", "--jobs", 1, "--dataset", "fresh")
    assert fer(*other, "--name", "coarse").code == 0
    answer = fer("evaluate", "--on", "coarse", *DRAWS)
    assert answer.code == 3
    assert "descriptors.lbp_grid: [3, 3] -> [2, 2]" in answer.err
    again = fer("evaluate", "--on", "faces", *DRAWS)  # the pictures behind its own features
    assert (again.code, "56 of 56 scored rows" in again.err) == (3, True)


def test_a_net_is_scored_on_pictures(faces, fer):
    options = ("--variant", "cnn", "--width", 4, "--epochs", 1, "--device", "cpu", "--threads", 1, "--k", 2)
    assert fer("train-resnet", "--dataset", "faces", *options).code == 0
    body = ask(fer, "cnn", "--on", "fresh", "--threads", 1)
    assert body["runs"][0]["rows"] == 56
    assert body["runs"][0]["log_loss"] < 3
    refused = fer("evaluate", "cnn", "--on", "dataset/faces", *DRAWS)
    assert refused.code == 3
    dry = fer("evaluate", "cnn", "--on", "fresh", "--name", "other", "--dry-run", *DRAWS)
    assert "cnn: 56 rows of dataset/fresh" in dry.out
    assert faces.names("evaluation") == ["cnn-on-fresh"]
    changed = ("synthesize", "--subjects", 3, "--images", 7, "--size", 24, "--name", "faces", "--force")
    assert fer(*changed).code == 0
    unknown = fer("evaluate", "cnn", "--on", "fresh", "--seed", 1, *DRAWS)
    assert unknown.code == 3
    assert "the data that run/cnn was fitted on is not in this workspace or has changed" in unknown.err
    allowed = fer("evaluate", "cnn", "--on", "fresh", "--allow-train-rows", *DRAWS)
    assert allowed.code == 0
    assert "the rows that the model was fitted on are not in this workspace: some may be scored here" in allowed.out
