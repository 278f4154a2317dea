"""`fer verify` on workspaces that are whole, damaged and stale: what is checked, said and answered."""

import json
import re
import shutil

import numpy as np
import pytest
from forging import Forger


def bytes_of(root):
    return {
        path: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".locks" not in path.parts
    }


@pytest.mark.parametrize("kind", ["columns", "pictures"])
def test_whole_workspaces_have_no_finding_and_stay_as_they_are(kind, workspace, fer):
    root = workspace(kind)
    before = bytes_of(root)
    answer = fer("verify", "--folds-sampled", "all", "--json")
    assert answer.code == 0
    assert "fer: " not in answer.err, "neither a warning nor an error, at most the progress of a slow machine"
    body = json.loads(answer.out)
    assert body["findings"] == []
    assert body["stale"] == []
    made = [entry for entry in body["checked"] if entry["artifact"] != "run/knn"]
    assert {entry["result"] for entry in made} == {"fine"}
    checks = {(entry["artifact"], entry["check"]): entry for entry in body["checked"]}
    wanted = {
        "columns": {
            ("features/made", "rows"): 72,
            ("folds/standing", "drawn as its scheme says"): 72,
            ("run/bp", "log shift, scaler, PCA"): 4,
            ("run/bp", "scores by stored models"): 72,
            ("run/bp", "training scores"): 144,
            ("run/pruned", "pruning statistics"): 4,
            ("run/pruned", "predictions-control"): 72,
            ("run/lda", "scores by stored models"): 72,
            ("run/knn", "scores by stored models"): 0,
            ("evaluation/bp_lda", "scores, intervals, gates"): 2,
        },
        "pictures": {
            ("dataset/made", "pictures"): 72,
            ("features/made", "extraction"): 8,
            ("run/net", "normalisation"): 4,
            ("run/net", "scores by stored models"): 72,
        },
    }[kind]
    assert {key: checks[key]["count"] for key in wanted} == wanted
    left = {entry["result"] for entry in body["checked"]} - {"fine"}
    assert left == (
        {"not made: the knn of a fold is not stored; --retrain fits it anew"} if kind == "columns" else set()
    )
    assert bytes_of(root) == before, "verify changes nothing"


def test_the_table_lists_every_check_and_the_last_line_counts_them(workspace, fer):
    workspace("columns")
    answer = fer("verify", "run/bp", "folds/standing")
    assert answer.code == 0
    assert answer.out.startswith("Verified: 2 artifacts\n")
    rows = [re.split(r"  +", line.strip()) for line in answer.out.splitlines()]
    assert ["run/bp", "log shift, scaler, PCA", "2 models", "fine"] in rows
    assert answer.out.splitlines()[-1] == "everything is as it says: 15 checks, no finding"


def test_the_seed_draws_the_fold(workspace, fer):
    """A fold whose scaler is another is found by some seeds and not by others, and always with all."""
    root = workspace("columns")

    def shift(arrays):
        arrays["scaling.center"] = arrays["scaling.center"] + 0.25

    with Forger(root) as forger:
        forger.tensors("run/knn", "folds/0/01/preprocessing.safetensors", shift)
    codes = {fer("verify", "knn", "--seed", seed, "--quiet").code for seed in range(8)}
    assert codes == {0, 4}
    assert fer("verify", "knn", "--folds-sampled", "all").code == 4


def test_a_changed_byte_is_named(workspace, fer):
    root = workspace("columns")
    path = root / "runs" / "bp" / "history.csv"
    path.write_bytes(path.read_bytes().replace(b"train", b"trail", 1))
    answer = fer("verify", "bp")
    assert answer.code == 4
    line = "run/bp: a file was changed after it was written (history.csv): stored "
    assert [one for one in answer.out.splitlines() if one.startswith(line)]
    assert "fer: error: 1 finding in run/bp" in answer.err
    body = json.loads(fer("verify", "bp", "--json").out)
    assert (body["status"], body["error"]["code"], body["error"]["kind"]) == ("failed", 4, "artifact")
    assert body["findings"][0]["where"] == "history.csv"
    assert [entry["passed"] for entry in body["checked"] if entry["check"] == "files"] == [False]


def test_damage_of_one_artifact_does_not_end_the_checks_of_the_others(workspace, fer):
    root = workspace("columns")
    (root / "runs" / "lda" / "metrics.json").unlink()
    (root / "runs" / "knn" / "artifact.json").write_text("{")
    answer = fer("verify")
    assert answer.code == 4
    assert "run/lda: run lda is damaged: metrics.json is missing" in answer.out
    assert "run/knn: artifact.json is not readable JSON" in answer.out
    assert "run/pruned" in answer.out


def test_a_damaged_parent_is_named_once_and_what_needs_it_is_not_checked(workspace, fer):
    root = workspace("columns")
    (root / "features" / "made" / "samples.csv").unlink()
    body = json.loads(fer("verify", "--json").out)
    assert [finding["artifact"] for finding in body["findings"]] == ["features/made"]
    assert "samples.csv is missing" in body["findings"][0]["what"]
    stale = {line.partition(":")[0]: line for line in body["stale"]}
    assert set(stale) == {"folds/standing", "run/bp", "run/knn", "run/lda", "run/pruned", "evaluation/bp_lda"}
    assert "features/made is damaged" in stale["run/lda"]


def test_a_file_that_the_manifest_does_not_list_is_named(workspace, fer):
    (workspace("columns") / "runs" / "bp" / "notes.txt").write_text("mine")
    answer = fer("verify", "bp")
    assert answer.code == 4
    assert "run/bp: a file that the manifest does not list (notes.txt)" in answer.out


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("key", "the key does not follow from config and parents (artifact.json, key)"),
        ("fingerprint", "the fingerprint does not follow from the files (artifact.json, fingerprint)"),
    ],
)
def test_a_manifest_that_was_edited_is_named(place, words, workspace, fer):
    root = workspace("columns")
    Forger(root).manifest("run/lda", lambda manifest: manifest.update({place: "0" * 64}))
    answer = fer("verify", "lda")
    assert answer.code == 4
    assert f"run/lda: {words}" in answer.out


def test_a_parent_that_changed_is_stale_and_no_corruption(workspace, fer):
    root = workspace("columns")
    assert fer("make-folds", "--k", 3, "--seed", 1, "--name", "standing", "--force", "--quiet").code == 0
    answer = fer("verify", "--json")
    assert answer.code == 0
    body = json.loads(answer.out)
    assert body["findings"] == []
    assert "run/bp: folds/standing changed" in body["stale"]
    assert "fer: warning: stale, and no corruption: run/bp: folds/standing changed" in answer.err
    checks = {(entry["artifact"], entry["check"]): entry for entry in body["checked"]}
    assert checks["run/bp", "fits"]["result"] == "not made: its folds changed since or are gone"
    assert checks["run/bp", "fits"]["passed"] is None
    assert checks["run/bp", "metrics"]["result"] == "fine"
    shutil.rmtree(root / "features" / "made")
    body = json.loads(fer("verify", "run/lda", "--json").out)
    assert body["stale"] == ["run/lda: features/made is gone; folds/standing changed"]


def test_scores_are_taken_again_even_where_the_data_is_gone(workspace, fer):
    root = workspace("columns")
    with Forger(root) as forger:
        forger.json("run/lda", "metrics.json", lambda metrics: metrics.update({"accuracy": 0.99}))
    shutil.rmtree(root / "features" / "made")
    answer = fer("verify", "run/lda")
    assert answer.code == 4
    assert "a score is not what the predictions give: accuracy (metrics.json, accuracy): stored 0.99," in answer.out


def test_what_does_not_stand_and_what_cannot_be_meant(workspace, fer):
    workspace("columns")
    missing = fer("verify", "run/nobody")
    assert (missing.code, missing.err.splitlines()[0]) == (4, "fer: error: there is no run called nobody")
    wrong = fer("verify", "--folds-sampled", "some")
    assert wrong.code == 2
    assert "--folds-sampled: 'some' is neither a number of folds nor all" in wrong.err
    assert fer("verify", "--folds-sampled", "0").code == 2


def test_an_empty_workspace_has_nothing_to_verify(fer):
    answer = fer("verify", "--json")
    assert (answer.code, json.loads(answer.out)["checked"]) == (0, [])
    assert fer("verify").out.splitlines()[-1] == "there is nothing to verify yet"


def test_pruning_that_was_cut_short_by_its_rounds_is_no_finding(workspace, fer):
    """Units that qualify are left in the folds and in the model on all rows, which the run's own options say."""
    root = workspace("columns")
    cut = ("--hidden", 8, "--epochs", 6, "--pca", 2, "--correlated", 0.2, "--retrain-epochs", 1, "--max-rounds", 1)
    assert fer("prune-bp", *cut, "--name", "cut", "--threads", 1, "--quiet").code == 0
    assert fer("verify", "cut", "--folds-sampled", "all").code == 0
    with Forger(root) as forger:
        forger.manifest("run/cut", lambda manifest: manifest["config"].update(max_rounds=9))
    answer = fer("verify", "cut", "--folds-sampled", "all")
    assert answer.code == 4
    assert "run/cut: a unit is left that is correlated" in answer.out
    assert "(model/weights.safetensors, unit" in answer.out


def test_an_official_split_is_verified_without_folds(fer, tmp_path):
    targets = np.arange(24) % 2
    rows = "".join(
        f"r{i},{'happy' if targets[i] else 'sad'},{'validation' if i % 4 == 3 else 'train'},{i * 0.5},{(7 * i) % 11}\n"
        for i in range(24)
    )
    (tmp_path / "rows.csv").write_text("id,label,split,a.x,a.y\n" + rows)
    assert fer("import-features", "rows.csv").code == 0
    assert fer("train-bp", "--epochs", 3, "--hidden", 4, "--name", "official").code == 0
    assert fer("verify").code == 0
    with Forger(tmp_path / "ws") as forger:
        forger.array("run/official", "folds/0/00/rows.npy", lambda roles: roles.__setitem__(3, 1))
    answer = fer("verify", "official")
    assert answer.code == 4
    words = "a row does not have its role in the fold (folds/0/00/rows.npy, r3): stored fitted on, recomputed held out"
    assert words in answer.out
