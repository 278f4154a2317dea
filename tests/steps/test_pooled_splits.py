"""Folds over all splits are another protocol than folds of the training rows, and every place that tells it says so."""

import json

import numpy as np
import pytest

WORDS = "validation and test rows pooled with the training rows"


@pytest.fixture
def runs(tmp_path, fer):
    """`kf` on three folds of the training rows, `kp` on three of all rows."""
    drawn = np.random.default_rng(0).normal(size=(36, 2))
    lines = ["id,label,split,a.x,a.y"]
    for row, (x, y) in enumerate(drawn):
        split = ("train", "train", "validation", "test")[row % 4]
        lines.append(f"r{row},{'happy' if row % 2 else 'sad'},{split},{x:.5f},{y:.5f}")
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    assert fer("import-features", "rows.csv").code == 0
    train = ("train-bp", "--hidden", 2, "--epochs", 2, "--k", 3, "--threads", 1)
    told = {
        "kf": fer(*train, "--name", "kf").out,
        "kp": fer(*train, "--name", "kp", "--pool-splits").out,
    }
    return tmp_path / "ws", told


def test_pooled_splits_are_said_wherever_the_protocol_is(runs, fer):
    workspace, told = runs
    assert (WORDS in told["kf"], WORDS in told["kp"]) == (False, True)
    for name in ("kf", "kp"):
        metrics = json.loads((workspace / "runs" / name / "metrics.json").read_text())
        assert metrics["protocol"]["pooled"] is (name == "kp")
    scored = fer("evaluate", "--draws", 100).out
    assert scored.count("Held-out scores on rows (folds)") == 1
    assert scored.count("Held-out scores on rows (folds, all splits pooled)") == 1
    assert f"3 stratified folds; {WORDS}; rows without groups" in scored
    assert fer("report", "--draws", 100).code == 0
    page = (workspace / "reports/all/index.html").read_text()
    assert page.count("<h2>rows: 3 stratified folds</h2>") == 1
    assert page.count("<h2>rows: 3 stratified folds of all splits pooled</h2>") == 1
    compared = fer("compare", "kf", "kp", "--common-rows").out
    assert "protocol of kf: 3 stratified folds; rows without groups" in compared
    assert f"protocol of kp: 3 stratified folds; {WORDS}; " in compared
