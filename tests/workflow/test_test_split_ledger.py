"""Whoever scores an official test split leaves a line in the ledger; who scores anything else leaves none."""

import json

import numpy as np
import pytest

TRAINERS = {
    "train-bp": ("--epochs", 2, "--hidden", 4),
    "prune-bp": ("--epochs", 2, "--hidden", 4, "--retrain-epochs", 1),
    "train-baseline": ("--model", "lda", "--jobs", 1),
}


def sheet(path, second):
    drawn = np.random.default_rng(0)
    lines = ["id,label,split,a,b"]
    for row in range(24):
        split = second if row % 4 == 3 else "train"
        lines.append(f"row{row},{'up' if row % 2 else 'down'},{split},{drawn.normal():.5f},{drawn.normal():.5f}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("command", list(TRAINERS))
@pytest.mark.parametrize("second", ["test", "validation"])
def test_a_trainer_that_scores_the_test_split_says_so(command, second, fer, tmp_path):
    assert fer("import-features", sheet(tmp_path / "rows.csv", second)).code == 0
    for _ in range(2):  # up to date the second time: nothing is scored
        answer = fer(command, *TRAINERS[command], "--threads", 1, "--name", "net")
        assert answer.code == 0, answer.err
    ledger = tmp_path / "ws/ledger.jsonl"
    lines = [json.loads(line) for line in ledger.read_text().splitlines()] if ledger.exists() else []
    found = [(line["run"], line["rows"]) for line in lines]
    assert found == ([("net", 6)] if second == "test" else [])


def test_test_rows_in_pooled_folds_are_noted_too(fer, tmp_path):
    """Pooling lets test rows be held out and scored; that is a scoring like any other."""
    assert fer("import-features", sheet(tmp_path / "rows.csv", "test")).code == 0
    command = ("train-baseline", "--model", "lda", "--jobs", 1, "--k", 2)
    assert fer(*command, "--name", "train-rows").code == 0
    assert not (tmp_path / "ws/ledger.jsonl").exists()
    assert fer(*command, "--pool-splits", "--name", "pooled").code == 0
    lines = [json.loads(line) for line in (tmp_path / "ws/ledger.jsonl").read_text().splitlines()]
    assert [(line["run"], line["rows"]) for line in lines] == [("pooled", 6)]
