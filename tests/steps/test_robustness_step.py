"""`fer robustness`: level 0 is the run's own score, classical and deep alike; what cannot be corrupted is refused."""

import json

import numpy as np
import pytest

from fercli.artifacts.store import Store
from fercli.artifacts.tables import read_csv, read_predictions
from fercli.evaluation.metrics import score

FAST = ("--draws", 100, "--jobs", 1, "--threads", 1)
LBP = ("extract-features", "--descriptors", "lbp", "--lbp-grid", "2x2", "--jobs", 1)
NET = ("train-resnet", "--variant", "cnn", "--width", 4, "--epochs", 1, "--device", "cpu", "--threads", 1, "--k", 2)
LDA = ("train-baseline", "--model", "lda", "--name", "lda", "--threads", 1, "--jobs", 1)


@pytest.fixture
def faces(tmp_path, fer):
    assert fer("synthesize", "--subjects", 6, "--images", 7, "--size", 24, "--name", "faces").code == 0
    assert fer(*LBP).code == 0
    return Store(tmp_path / "ws")


def ask(fer, *arguments):
    answer = fer("robustness", *arguments, "--json", *FAST)
    assert answer.code == 0, answer.err
    return json.loads(answer.out)


def metrics(store, run):
    return store.open("run", run).json("metrics.json")


@pytest.mark.parametrize("trainer", ["lda", "net", "bp"])
def test_level_0_is_the_runs_own_score_exactly(trainer, faces, fer):
    train = {
        "lda": (*LDA, "--k", 3, "--repeats", 2),
        "net": (*NET, "--name", "net"),
        "bp": ("train-bp", "--name", "bp", "--hidden", 4, "--epochs", 5, "--k", 3, "--threads", 1),
    }[trainer]
    assert fer(*train).code == 0
    body = ask(fer, trainer, "--kinds", "blur,jpeg", "--levels", "5,2")
    own = metrics(faces, trainer)
    for key in ("accuracy", "balanced_accuracy", "macro_f1", "rows"):
        assert body["clean"][key] == own[key]
    assert body["clean"]["log_loss"] == pytest.approx(own["log_loss"], abs=1e-4)
    assert body["check"] == {"largest_difference": body["check"]["largest_difference"], "same_labels": True}
    assert body["check"]["largest_difference"] <= 1e-5
    assert [curve["kind"] for curve in body["curves"]] == ["blur", "jpeg"]
    for curve in body["curves"]:
        assert curve["levels"][0]["strength"] is None
        assert [level["level"] for level in curve["levels"]] == [0, 2, 5]
        for level in curve["levels"][1:]:
            assert level["lost"]["accuracy"] == pytest.approx(own["accuracy"] - level["accuracy"])
            assert level["lost"]["interval"]["method"] == "bootstrap over 6 groups"
        assert curve["levels"][2]["log_loss"] != curve["levels"][0]["log_loss"]
    assert body["artifact"] == f"report/{trainer}-robustness"
    report = faces.open("report", f"{trainer}-robustness")
    assert {"index.html", "figures/robustness.png", "figures/robustness.svg", "figures/examples.png"} <= set(
        report.manifest.files
    )
    header, rows = read_csv(report.file("tables/robustness.csv"))
    assert [row[:2] for row in rows] == [
        ["clean", "0"],
        *([kind, level] for kind in ("blur", "jpeg") for level in "25"),
    ]
    assert float(rows[1][header.index("accuracy")]) == body["curves"][0]["levels"][1]["accuracy"]
    page = report.file("index.html").read_text()
    assert "level 0 gives the run&#x27;s own predictions" in page
    assert ask(fer, trainer, "--kinds", "blur,jpeg", "--levels", "2,5")["status"] == "up-to-date"
    assert not (faces.root / "ledger.jsonl").exists()


def test_a_limit_takes_some_of_the_same_corrupted_rows(faces, fer):
    assert fer(*LDA, "--k", 3).code == 0
    body = ask(fer, "--kinds", "noise", "--levels", 1, "--limit", 14)
    assert body["clean"]["rows"] == body["curves"][0]["levels"][1]["rows"] == 14
    assert set(body["clean"]["per_class"]) == set(body["classes"])
    assert body["limit"] == 14
    stored = read_predictions(faces.open("run", "lda").file("predictions.csv"))
    from fercli.workflow.examined import proportional

    samples = faces.open("dataset", "faces").samples()
    kept = samples.ids[proportional(samples.targets, 14, 0)]
    assert body["clean"]["accuracy"] == score(stored, np.isin(stored.ids, kept)).accuracy
    whole = ask(fer, "--kinds", "noise", "--levels", 1, "--limit", 1000)
    assert whole["limit"] is None
    assert whole["clean"]["rows"] == 42


def test_predictions_that_the_models_do_not_give_are_refused(faces, fer, tmp_path):
    assert fer(*LDA, "--k", 3).code == 0
    run = faces.open("run", "lda")
    text = run.file("predictions.csv").read_text().splitlines()
    cells = text[1].split(",")
    cells[-7:] = ["0.7", *["0.05"] * 6]
    forged = "\n".join([text[0], ",".join(cells), *text[2:]]) + "\n"
    # the hash too: what is refused is not the file but that the models do not give it
    manifest = json.loads((run.path / "artifact.json").read_text())
    from hashlib import sha256

    manifest["files"]["predictions.csv"] = {"sha256": sha256(forged.encode()).hexdigest(), "bytes": len(forged)}
    (run.path / "predictions.csv").write_text(forged)
    (run.path / "artifact.json").write_text(json.dumps(manifest))
    answer = fer("robustness", "--kinds", "blur", "--levels", 1, *FAST)
    assert answer.code == 4
    assert "the clean pictures do not give the predictions of run/lda: 1 of 14 rows of folds/0/00 differ" in answer.err
    assert faces.names("report") == []


def test_other_data_is_scored_by_the_final_model_and_its_own_rows_are_refused(faces, fer):
    assert fer(*LDA, "--k", 3).code == 0
    assert fer("synthesize", "--subjects", 4, "--images", 7, "--size", 24, "--name", "fresh", "--seed", 7).code == 0
    body = ask(fer, "--on", "fresh", "--kinds", "occlusion", "--levels", 3)
    assert body["artifact"] == "report/lda-robustness-on-fresh"
    assert (body["own"], body["on"], body["clean"]["rows"], body["check"]) == (False, "fresh", 28, None)
    scored = json.loads(fer("evaluate", "lda", "--on", "fresh", "--json", "--draws", 100, "--jobs", 1).out)["runs"][0]
    assert body["clean"]["accuracy"] == scored["accuracy"]
    assert body["clean"]["intervals"] == scored["intervals"]
    refused = fer("robustness", "--on", "dataset/faces", "--kinds", "blur", *FAST)
    assert refused.code == 3
    assert "42 of 42 scored rows are rows that run/lda was fitted on" in refused.err
    allowed = ask(fer, "--on", "dataset/faces", "--kinds", "blur", "--levels", 1, "--allow-train-rows", "--name", "own")
    assert "42 of 42 scored rows are rows that the model was fitted on (--allow-train-rows)" in allowed["leaks"]
    through = ask(fer, "--on", "features/faces", "--kinds", "blur", "--levels", 1, "--allow-train-rows", "--name", "f")
    assert through["clean"]["accuracy"] == allowed["clean"]["accuracy"]


def test_test_rows_go_through_the_ledger(tmp_path, fer):
    from test_train_resnet import make_dataset

    make_dataset(tmp_path / "ws", official=True, held_out="test")
    assert fer(*NET[:-2], "--batch-size", 16).code == 0
    told = fer("robustness", "--kinds", "noise", "--levels", 1, "--limit", 9, "--name", "some", *FAST).out
    assert "scored: the model fitted on the training rows, on the test rows" in told
    assert "9 rows drawn class by class with seed 0 (--limit)" in told
    ledger = tmp_path / "ws/ledger.jsonl"
    before = len(ledger.read_text().splitlines())
    assert ask(fer, "--kinds", "noise", "--levels", 1)["split"] == "test"
    (line,) = [json.loads(line) for line in ledger.read_text().splitlines()[before:]]
    assert (line["run"], line["purpose"], line["rows"]) == ("cnn", "robustness", 24)
    ask(fer, "--kinds", "noise", "--levels", 1)
    assert len(ledger.read_text().splitlines()) == before + 1, "up to date: nothing was scored"


def test_what_cannot_be_corrupted_is_refused_with_the_reason(tmp_path, fer):
    lines = ["id,label,a.1,a.2,b.1"]
    drawn = np.random.default_rng(0).normal(size=(30, 3))
    lines += [f"r{row},{'ab'[row % 2]},{','.join(f'{v:.4f}' for v in drawn[row])}" for row in range(30)]
    (tmp_path / "sheet.csv").write_text("\n".join(lines) + "\n")
    assert fer("import-features", tmp_path / "sheet.csv").code == 0
    assert fer(*LDA, "--k", 3).code == 0
    answer = fer("robustness", *FAST)
    assert answer.code == 3
    assert (
        "run/lda is about features/sheet, a feature sheet that somebody else made: there are no pictures" in answer.err
    )


def test_what_is_not_there_or_not_meant_is_said_before_any_work(faces, fer):
    assert fer(*LDA, "--k", 3).code == 0
    forest = ("train-baseline", "--model", "forest", "--trees", 5, "--name", "forest", "--k", 3, "--jobs", 1)
    assert fer(*forest).code == 0
    cases = (
        ((), 2, "the workspace has 2 runs"),
        (("lda", "--kinds", "noise,fog"), 2, "--kinds"),
        (("lda", "--kinds", "noise,noise"), 2, "--kinds: name each one once"),
        (("lda", "--levels", "0,6"), 2, "--levels"),
        (("lda", "--split", "test"), 2, "--split says which rows of --on DATA to score: give --on too"),
        (("nothing",), 4, "choose one of: forest, lda"),
        (("forest", "--kinds", "blur"), 4, "run/forest does not keep the models of its folds"),
    )
    for arguments, code, message in cases:
        answer = fer("robustness", *arguments, *FAST)
        assert (answer.code, message in answer.err) == (code, True), answer.err
    dry = fer("robustness", "lda", "--kinds", "blur", "--levels", "1,2", "--dry-run", *FAST)
    assert "would score 126 pictures, 42 rows of dataset/faces at 1 kinds of 2 levels and clean, about " in dry.out
    estimate = json.loads(fer("robustness", "lda", "--dry-run", "--json", *FAST).out)
    assert (estimate["rows"], estimate["pictures"]) == (42, 42 * 36)
    assert 0 < estimate["seconds"] < 60
    assert faces.names("report") == []
    changed = ("synthesize", "--subjects", 3, "--images", 7, "--size", 24, "--name", "faces", "--force")
    assert fer(*changed).code == 0
    gone = fer("robustness", "lda", *FAST)
    assert gone.code == 4
    assert "the pictures behind features/faces, dataset/faces, are not in this workspace or have changed" in gone.err
