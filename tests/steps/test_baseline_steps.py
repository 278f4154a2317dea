"""`fer train-baseline` from the command line to the files of a run."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fercli.artifacts.store import Artifact, Store
from fercli.errors import ArtifactError
from fercli.inference.baseline_model import BaselineModel, baseline_model
from fercli.workflow.model_files import model_files

Fer = Callable[..., object]
LABELS = ("angry", "happy", "sad")


def read_baseline_model(run: Artifact, folder: str = "model") -> BaselineModel:
    return baseline_model(model_files(run, folder))


def write_sheet(path: Path, *, rows: int = 90, groups: int = 15, split: bool = False, sort: bool = False) -> None:
    rng = np.random.default_rng(0)
    targets = np.sort(np.arange(rows) % 3) if sort else np.arange(rows) % 3
    values = rng.normal(size=(rows, 6)) + 1.5 * np.eye(6)[targets]
    with path.open("w", newline="") as handle:
        writer = csv.writer(handle)
        columns = [f"phog.{column}" for column in range(3)] + [f"lpq.{column}" for column in range(3)]
        writer.writerow(["id", "label", *(["split"] if split else []), *(["group"] if groups else []), *columns])
        for row in range(rows):
            where = ["validation" if row % 5 == 0 else "train"] if split else []
            film = [f"film {row % groups}"] if groups else []
            writer.writerow([f"row{row}", LABELS[targets[row]], *where, *film, *(f"{v:.6f}" for v in values[row])])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "ws")


@pytest.fixture
def sheet(fer: Fer, tmp_path: Path) -> Path:
    path = tmp_path / "sheet.csv"
    write_sheet(path)
    assert fer("import-features", path).code == 0
    return path


def answer(fer: Fer, *arguments: object) -> dict:
    done = fer(*arguments, "--json")
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_a_run_holds_what_every_run_holds(fer: Fer, sheet: Path, store: Store) -> None:
    found = answer(fer, "train-baseline", "--model", "lda", "--k", "3", "--jobs", "1")
    assert (found["artifact"], found["run"], found["kind"], found["status"]) == (
        "run/baseline-lda",
        "baseline-lda",
        "baseline",
        "done",
    )
    assert found["test"]["loss"]["name"] == "log_loss"
    assert found["test"]["loss"]["mean"] == pytest.approx(np.mean([fold["log_loss"] for fold in found["folds"]]))
    assert [fold["rows"] for fold in found["folds"]] == [30, 30, 30]
    assert all(fold["majority"] is not None for fold in found["folds"])
    assert found["seconds"] > 0
    run = store.open("run", "baseline-lda")
    assert {"metrics.json", "predictions.csv", "history.csv", "timing.csv", "grid.csv"} <= set(run.manifest.files)
    assert [parent.kind for parent in run.manifest.parents] == ["features", "folds"]
    roles = run.array("folds/0/02/rows.npy")
    assert (np.sum(roles == 1), np.sum(roles == 2), np.sum(roles == 3)) == (60, 0, 30)
    again = answer(fer, "train-baseline", "--model", "lda", "--k", "3", "--jobs", "2")
    assert again["status"] == "up-to-date"
    assert {key: again[key] for key in found if key not in ("status", "seconds", "warnings")} == {
        key: found[key] for key in found if key not in ("status", "seconds", "warnings")
    }


@pytest.mark.parametrize("model", ["majority", "lda", "logistic", "linear-svm", "rbf-svm", "mlp"])
def test_the_stored_models_give_the_stored_predictions(fer: Fer, sheet: Path, store: Store, model: str) -> None:
    answer(fer, "train-baseline", "--model", model, "--k", "3", "--epochs", "5", "--jobs", "1")
    run = store.open("run", f"baseline-{model}")
    features = np.asarray(store.open("features", "sheet").array("features.npy"))
    with run.file("predictions.csv").open() as handle:
        rows = [row for row in csv.DictReader(handle) if row["fold"] == "1"]
    held_out = np.flatnonzero(run.array("folds/0/01/rows.npy") == 3)
    stored = np.array([[float(row[f"p_{name}"]) for name in LABELS] for row in rows])
    found = read_baseline_model(run, "folds/0/01")
    np.testing.assert_allclose(found.probabilities(features[held_out]), stored, atol=1e-12)
    final = read_baseline_model(run)
    assert final.classes == LABELS
    assert final.probabilities(features).shape == (90, 3)


def test_heavy_models_are_stored_once_and_say_so(fer: Fer, sheet: Path, store: Store) -> None:
    answer(fer, "train-baseline", "--model", "forest,knn", "--trees", "5", "--k", "3", "--jobs", "1")
    for model in ("forest", "knn"):
        run = store.open("run", f"baseline.model-{model}")
        assert run.json("folds/0/00/model.json")["stored"] is False
        with pytest.raises(ArtifactError, match=f"^the {model} of each fold is not stored: it holds as much as the tr"):
            read_baseline_model(run, "folds/0/00")
        assert read_baseline_model(run).probabilities(np.zeros((2, 6))).sum(axis=1) == pytest.approx([1.0, 1.0])


def test_a_comma_list_is_a_sweep_with_a_table(fer: Fer, sheet: Path, tmp_path: Path) -> None:
    found = answer(fer, "train-baseline", "--model", "majority,lda", "--k", "3", "--name", "yard", "--jobs", "1")
    assert [run["run"] for run in found["runs"]] == ["yard.model-majority", "yard.model-lda"]
    with (tmp_path / "ws/runs/yard.sweep.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert [row["model"] for row in rows] == ["majority", "lda"]
    assert float(rows[1]["accuracy"]) == found["runs"][1]["accuracy"]
    assert [(line["run"], line["accuracy"]) for line in found["sweep"]] == [
        (run["run"], run["accuracy"]) for run in found["runs"]
    ]
    assert answer(fer, "train-baseline", "--model", "majority,lda", "--k", "3", "--name", "yard")["status"] == (
        "up-to-date"
    )


def test_the_same_bytes_whatever_the_jobs(fer: Fer, sheet: Path, store: Store) -> None:
    for jobs in ("1", "2"):
        name = f"with-{jobs}"
        answer(fer, "train-baseline", "--model", "rbf-svm", "--k", "3", "--jobs", jobs, "--name", name)
    one, two = (store.open("run", f"with-{jobs}").manifest for jobs in "12")
    names = set(one.files) - {"timing.csv", "metrics.json"}  # metrics.json holds the run's name
    assert {name: one.files[name].sha256 for name in names} == {name: two.files[name].sha256 for name in names}
    assert one.key == two.key


def test_the_majority_of_contiguous_folds_of_a_sorted_sheet_is_always_wrong(fer: Fer, tmp_path: Path) -> None:
    path = tmp_path / "sorted.csv"
    write_sheet(path, sort=True)
    assert fer("import-features", path).code == 0
    found = answer(fer, "train-baseline", "--model", "majority", "--scheme", "contiguous", "--k", "3", "--jobs", "1")
    assert found["accuracy"] == 0
    assert [fold["accuracy"] for fold in found["folds"]] == [0, 0, 0]
    assert any("contiguous" in leak for leak in found["protocol"]["leaks"])


def test_the_official_split_keeps_its_own_model(fer: Fer, tmp_path: Path, store: Store) -> None:
    path = tmp_path / "split.csv"
    write_sheet(path, split=True, groups=0)
    assert fer("import-features", path).code == 0
    found = answer(fer, "train-baseline", "--model", "logistic", "--no-final-model")
    assert (found["split"], found["rows"]) == ("validation", 18)
    run = store.open("run", "baseline-logistic")
    files = run.manifest.files
    assert files["model/weights.safetensors"] == files["folds/0/00/weights.safetensors"]


def test_without_a_final_model_none_is_stored(fer: Fer, sheet: Path, store: Store) -> None:
    answer(fer, "train-baseline", "--model", "lda", "--k", "3", "--no-final-model", "--jobs", "1")
    assert not store.open("run", "baseline-lda").has("model/model.json")


def test_pca_is_the_features_own_unless_it_is_given(fer: Fer, sheet: Path, store: Store) -> None:
    answer(fer, "train-baseline", "--model", "lda", "--k", "3", "--pca", "2", "--jobs", "1")
    run = store.open("run", "baseline-lda")
    assert run.config["preprocessing"]["pca"] == 2
    assert run.json("model/model.json")["preprocessing"]["names"] == ["phog.pc1", "phog.pc2", "lpq.pc1", "lpq.pc2"]


def test_every_candidate_of_the_inner_grid_stands_in_a_table(fer: Fer, sheet: Path, store: Store) -> None:
    answer(fer, "train-baseline", "--model", "linear-svm", "--k", "3", "--jobs", "1")
    with store.open("run", "baseline-linear-svm").file("grid.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert [row["parameters"] for row in rows[:4]] == ["C=0.0001", "C=0.001", "C=0.01", "C=0.1"]
    assert len(rows) == 12
    assert sum(row["chosen"] == "True" for row in rows) == 3


def test_a_dry_run_writes_nothing(fer: Fer, sheet: Path, tmp_path: Path) -> None:
    done = fer("train-baseline", "--model", "lda", "--k", "3", "--dry-run")
    assert (done.code, done.out) == (0, "would fit 3 folds into runs/baseline-lda\n")
    assert not (tmp_path / "ws/runs").exists()
    assert not (tmp_path / "ws/folds").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--model", "svm"], 2, "fer: error: --model: input should be 'majority', 'lda',"),
        (["--model", "lda,lda"], 2, "fer: error: --model: a yardstick is named twice in lda,lda"),
        (["--model", "lda", "--k", "99"], 3, "the largest legal k is 15"),
        (["--model", "lda", "--monitor", "validation"], 2, "a yardstick chooses on inner rows"),
        (["--model", "lda", "--pca", "x"], 2, "fer: error: --pca: 'x' is neither a number of components"),
        (["--model", "lda", "--scheme", "stratified"], 3, "allow"),
    ],
)
def test_mistakes_are_named_with_their_exit_codes(
    fer: Fer, sheet: Path, arguments: list[str], code: int, message: str
) -> None:
    done = fer("train-baseline", *arguments)
    assert done.code == code
    assert message in done.err


def test_another_configuration_under_the_name_is_refused(fer: Fer, sheet: Path) -> None:
    answer(fer, "train-baseline", "--model", "lda", "--k", "3", "--jobs", "1")
    done = fer("train-baseline", "--model", "lda", "--k", "3", "--scaling", "minmax")
    assert done.code == 2
    assert 'run/baseline-lda stands with another configuration: preprocessing.scaling: "zscore" -> "minmax"' in done.err
