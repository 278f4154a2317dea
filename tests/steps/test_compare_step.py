"""`fer compare` from the command line: texts, JSON, gates and exit codes."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

Fer = Callable[..., object]
LABELS = ("angry", "happy", "sad")


def write_sheet(path: Path, rows: range) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(200, 4)) + 1.2 * np.eye(4)[np.arange(200) % 3]
    with path.open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["id", "label", "group", "phog.0", "phog.1", "phog.2", "phog.3"])
        for row in rows:
            cells = [f"{value:.6f}" for value in values[row]]
            writer.writerow([f"row{row:03}", LABELS[row % 3], f"film {row % 20}", *cells])


@pytest.fixture
def runs(fer: Fer, tmp_path: Path) -> Path:
    """lda and majority on the same five folds."""
    write_sheet(tmp_path / "sheet.csv", range(120))
    assert fer("import-features", tmp_path / "sheet.csv").code == 0
    for model in ("lda", "majority"):
        assert fer("train-baseline", "--model", model, "--name", model, "--k", "5", "--jobs", "1").code == 0
    return tmp_path / "ws"


def test_table_sentence_and_json_say_the_same(fer: Fer, runs: Path) -> None:
    before = sorted(path for path in runs.rglob("*") if path.is_file())
    text = fer("compare", "lda", "majority", "--margin", "0.05")
    assert text.code == 0
    assert "120 shared rows, 20 groups" in text.out
    assert "permutation over 20 groups" in text.out
    found = json.loads(fer("compare", "lda", "majority", "--margin", "0.05", "--json").out)
    assert (found["command"], found["status"], found["artifact"]) == ("compare", "done", None)
    assert (found["rows"], found["groups"], found["repeats"], found["same_folds"]) == (120, 20, 1, True)
    (pair,) = found["pairs"]
    assert (pair["first"], pair["second"], pair["verdict"], pair["non_inferior"]) == ("lda", "majority", "better", True)
    accuracies = {run["run"]: run["accuracy"] for run in found["runs"]}
    assert pair["difference"] == pytest.approx(accuracies["lda"] - accuracies["majority"])
    assert pair["interval"]["lower"] < pair["difference"] < pair["interval"]["upper"]
    assert pair["resampled_t"]["degrees"] == 4
    assert pair["sentence"].startswith("lda is better than majority on these 120 rows (+")
    assert pair["sentence"].endswith("; non-inferior within a margin of 5 points")
    assert pair["sentence"] in text.out
    assert before == sorted(path for path in runs.rglob("*") if path.is_file())


def test_equal_runs_are_not_distinguishable(fer: Fer, runs: Path) -> None:
    assert fer("train-baseline", "--model", "lda", "--name", "twin", "--k", "5", "--jobs", "1").code == 0
    done = fer("compare", "lda", "twin")
    assert (
        "lda and twin are not distinguishable on these 120 rows (0.0 points, 95 % interval 0.0 to 0.0, p 1.000)"
        in done.out
    )


def test_a_run_behind_the_baseline_fails_the_gate_after_the_table(fer: Fer, runs: Path) -> None:
    done = fer("compare", "majority", "--baseline", "lda", "--fail-if-worse", "--tolerance", "0.01")
    assert done.code == 6
    assert "majority is worse than lda on these 120 rows" in done.out
    assert done.err.startswith("fer: error: 1 of 1 runs fall behind lda: accuracy(majority) - accuracy(lda) >= -0.01")
    assert "  where: --fail-if-worse\n" in done.err
    answer = fer("compare", "majority", "--baseline", "lda", "--fail-if-worse", "--tolerance", "0.01", "--json")
    found = json.loads(answer.out)
    assert (answer.code, found["status"], found["error"]["code"]) == (6, "failed", 6)
    assert [gate["passed"] for gate in found["gates"]] == [False]
    assert found["gates"][0]["value"] == found["pairs"][0]["difference"]
    fine = fer("compare", "majority", "--baseline", "lda", "--fail-if-worse", "--tolerance", "0.99")
    assert fine.code == 0
    assert fer("compare", "lda", "--baseline", "majority", "--fail-if-worse").code == 0


def test_other_folds_and_other_rows_are_refused_unless_allowed(fer: Fer, runs: Path, tmp_path: Path) -> None:
    more = ("train-baseline", "--model", "lda", "--jobs", "1")
    assert fer(*more, "--name", "three", "--k", "3").code == 0
    done = fer("compare", "lda", "three")
    assert done.code == 3
    assert done.err.startswith("fer: error: lda and three divide the rows otherwise: ")
    allowed = fer("compare", "lda", "three", "--common-rows")
    assert allowed.code == 0
    assert "the runs divide these rows into other folds: no test over folds" in allowed.out
    write_sheet(tmp_path / "fewer.csv", range(10, 120))
    assert fer("import-features", tmp_path / "fewer.csv").code == 0
    assert fer(*more, "--name", "fewer", "--features", "fewer", "--k", "5").code == 0
    done = fer("compare", "lda", "fewer")
    assert done.code == 3
    assert done.err == (
        "fer: error: lda and fewer did not score the same rows: 10 only in lda (row000, row001, row002, …)\n"
        "  where: lda, fewer\n"
        "  next: compare them on the 110 rows that they share with --common-rows, or train both with the same --folds\n"
    )
    allowed = fer("compare", "lda", "fewer", "--common-rows")
    assert allowed.code == 0
    assert "110 shared rows, 20 groups" in allowed.out
    assert "lda: 10 scored rows left out that not all runs scored" in allowed.out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["lda"], 2, "a comparison needs at least two different runs"),
        (["lda", "lda"], 2, "a comparison needs at least two different runs"),
        (["lda", "majority", "--fail-if-worse"], 2, "--fail-if-worse needs --baseline RUN"),
        (["lda", "nobody"], 4, "there is no run called nobody"),
        (["lda", "majority", "--margin", "2"], 2, "--margin: input should be less than 1"),
    ],
)
def test_mistakes_are_named_with_their_exit_codes(
    fer: Fer, runs: Path, arguments: list[str], code: int, message: str
) -> None:
    done = fer("compare", *arguments)
    assert done.code == code
    assert message in done.err


def test_without_its_data_rows_count_as_independent_and_a_warning_says_so(fer: Fer, runs: Path) -> None:
    (runs / "features/sheet").rename(runs / "features/moved")
    done = fer("compare", "lda", "majority")
    assert done.code == 0
    assert "its groups are unknown" in done.err
    assert "McNemar" in done.out
    assert "120 shared rows\n" in done.out
