"""`fer export --format onnx|safetensors`: from a run to a file that scores as the run, and every refusal."""

import json
import shutil
import signal
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import onnx
import onnxruntime
import pytest
from safetensors.numpy import load

from fercli.artifacts.store import Store
from fercli.benchmarks import latency
from fercli.config.resnet import ViewSet
from fercli.errors import ArtifactError, EnvironmentFailure, GateFailed, InputError
from fercli.export.graph import OPSET
from fercli.inference import boxed
from fercli.inference.exported import ExportedScorer, exported_scorer
from fercli.inference.scorers import scorer_of
from fercli.records import EXPRESSIONS
from fercli.workflow import export_parity
from fercli.workflow.model_export import VIEWS
from fercli.workflow.model_files import model_files

RUNS = {
    "bp": ("train-bp", "--epochs", 30, "--hidden", 6),
    "pruned": ("prune-bp", "--epochs", 3, "--hidden", 8, "--correlated", 0.4, "--retrain-epochs", 1),
    "folds-only": ("train-bp", "--epochs", 3, "--hidden", 4, "--no-final-model"),
    "lda": ("train-baseline", "--model", "lda", "--jobs", 1),
    "knn": ("train-baseline", "--model", "knn", "--jobs", 1),
    "cnn": ("train-resnet", "--variant", "cnn", "--width", 8, "--epochs", 1, "--device", "cpu"),
}
NETS = ("cnn",)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Every run once, on drawn faces; tests take copies."""
    from fercli.cli.app import run

    place = tmp_path_factory.mktemp("export") / "ws"

    def call(*arguments: object) -> None:
        sys.argv = ["fer", *map(str, arguments)]  # what artifacts record as the command
        assert run([*map(str, arguments), "-w", str(place), "--quiet"]) == 0

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    argv = sys.argv
    call("synthesize", "--subjects", 6, "--images", 7, "--size", 24, "--name", "faces")
    call("extract-features", "--jobs", 1, "--descriptors", "lbp")
    for name, arguments in RUNS.items():
        call(*arguments, "--k", 3, "--threads", 1, "--name", name)
    sys.argv = argv
    for number, handler in handlers.items():
        signal.signal(number, handler)
    return place


@pytest.fixture
def trained(tmp_path, workspace):
    """The run of that name, and all inputs of its model."""
    shutil.copytree(workspace, tmp_path / "ws")
    store = Store(tmp_path / "ws")

    def opened(name: str):
        data = store.open("dataset" if name in NETS else "features", "faces")
        return store.open("run", name), data.array("images.npy" if name in NETS else "features.npy")

    return opened


@pytest.fixture(autouse=True)
def _timed_briefly(monkeypatch):
    monkeypatch.setattr(latency, "_SECONDS", 0.01)


def exported(fer, name: str, out: Path, *more: object) -> dict:
    form = "onnx" if out.suffix == ".onnx" else "safetensors"
    answer = fer("export", name, "--format", form, "--out", out, *more, "--json")
    assert answer.code == 0, answer.err
    return json.loads(answer.out)


@pytest.mark.parametrize("name", ["bp", "pruned", "lda", "cnn"])
def test_onnx_scores_as_the_run_in_batches_of_any_size(fer, tmp_path, trained, name):
    run, inputs = trained(name)
    out = tmp_path / "model.onnx"
    body = exported(fer, name, out)
    ours = scorer_of(model_files(run)).scores(inputs)
    session = onnxruntime.InferenceSession(out.read_bytes())
    entry = session.get_inputs()[0].name
    for count in (1, 2, 42):
        (theirs,) = session.run(["probabilities"], {entry: np.ascontiguousarray(inputs[:count])})
        np.testing.assert_allclose(theirs, ours[:count], atol=1e-5)
    assert body["parity"]["difference"] < 1e-5
    assert body["parity"]["equal_labels"] == body["parity"]["rows"] + body["parity"]["drawn"] == 42 + 32
    assert body["bytes"]["file"] == out.stat().st_size == body["files"][str(out)]
    for side in ("fercli", "onnxruntime"):
        assert [entry["batch"] for entry in body["latency"][side]] == [1, 64]
        assert all(entry["milliseconds"] > 0 for entry in body["latency"][side])
    if name == "pruned":
        assert run.json("model/model.json")["hidden"] < 8, "nothing was pruned, so nothing was tried"
    scorer = exported_scorer(out)
    assert (scorer.classes, scorer.input) == (EXPRESSIONS, "pixels" if name == "cnn" else "columns")
    np.testing.assert_allclose(scorer.scores(inputs), ours, atol=1e-5)


def test_the_metadata_say_what_goes_in_and_what_comes_out(fer, tmp_path, trained):
    run, inputs = trained("bp")
    exported(fer, "bp", tmp_path / "bp.onnx")
    meta = onnxruntime.InferenceSession(tmp_path / "bp.onnx").get_modelmeta().custom_metadata_map
    assert json.loads(meta["classes"]) == list(EXPRESSIONS)
    assert json.loads(meta["fingerprint"]) == run.manifest.fingerprint
    assert json.loads(meta["columns"]) == inputs.shape[1]
    assert json.loads(meta["blocks"]) == [["lbp", inputs.shape[1]]]
    assert (json.loads(meta["size"]), json.loads(meta["channels"])) == ([24, 24], 1)
    assert json.loads(meta["descriptors"])["descriptors"] == ["lbp"]
    assert "pca" not in json.loads(meta["descriptors"])
    assert (json.loads(meta["format"]), json.loads(meta["version"])) == ("fercli-export", 1)
    assert onnx.load(tmp_path / "bp.onnx").opset_import[0].version == OPSET


@pytest.mark.parametrize("name", ["bp", "knn", "cnn"])
def test_safetensors_as_one_file_and_as_a_folder(fer, tmp_path, trained, name):
    run, inputs = trained(name)
    body = exported(fer, name, tmp_path / "own.safetensors")
    assert [Path(file).name for file in body["files"]] == ["own.safetensors", "own.json", "own.model_card.md"]
    exported(fer, name, tmp_path / "folder")
    ours = scorer_of(model_files(run)).scores(inputs)
    for place in (tmp_path / "own.safetensors", tmp_path / "folder"):
        scorer = exported_scorer(place)
        np.testing.assert_array_equal(scorer.scores(inputs), ours)
        assert scorer.facts.fingerprint == run.manifest.fingerprint
    described = json.loads((tmp_path / "own.json").read_text())
    assert described["model"] == run.json("model/model.json")
    card = (tmp_path / "folder/model_card.md").read_text()
    assert f"# {name}\n" in card
    assert "| surprise | 6 |" in card
    first, *_, last = card.split("```")[1].strip().splitlines()
    assert first.startswith("fer synthesize --subjects 6")
    assert last.startswith(f"fer {RUNS[name][0]} ")
    assert str(tmp_path.anchor + "tmp") not in card
    before = (tmp_path / "own.safetensors").read_bytes()
    exported(fer, name, tmp_path / "own.safetensors", "--force")
    assert (tmp_path / "own.safetensors").read_bytes() == before


@pytest.mark.parametrize("form", ["onnx", "safetensors", "folder"])
def test_a_flipped_bit_in_the_weights_is_seen(fer, tmp_path, trained, form):
    run, _ = trained("bp")
    out = tmp_path / ("own" if form == "folder" else f"own.{form}")
    exported(fer, "bp", out)
    target = out / "weights.safetensors" if form == "folder" else out
    data = bytearray(target.read_bytes())
    weights = load(run.file("model/weights.safetensors").read_bytes())["w2"].tobytes()
    data[bytes(data).index(weights) + 1] ^= 1
    target.write_bytes(data)
    with pytest.raises(ArtifactError, match="its weights are not those that were written"):
        exported_scorer(out)


def test_halves_are_half_the_size_and_become_the_model_in_the_box(fer, tmp_path, trained, monkeypatch):
    run, inputs = trained("cnn")
    with pytest.raises(EnvironmentFailure, match="ships no model of its own") as caught:
        monkeypatch.setattr(boxed, "files", lambda package: tmp_path / "nothing")
        boxed.boxed_model_files()
    assert "--model RUN" in caught.value.next_step
    body = exported(fer, "cnn", tmp_path / "box", "--half")
    assert body["parity"]["difference"] < body["parity"]["tolerance"] == 0.02
    assert (tmp_path / "box/weights.safetensors").stat().st_size < 0.6 * body["bytes"]["run"]
    monkeypatch.setattr(boxed, "files", lambda package: tmp_path / "box")
    ours = scorer_of(model_files(run)).scores(inputs)
    halves = scorer_of(boxed.boxed_model_files()).scores(inputs)
    assert 0 < np.abs(halves - ours).max() < 0.02
    np.testing.assert_array_equal(exported_scorer(tmp_path / "box").scores(inputs), halves)
    assert "stored as float16 and computed in float32" in (tmp_path / "box/model_card.md").read_text()
    (tmp_path / "box/weights.safetensors").unlink()
    with pytest.raises(ArtifactError, match="the model in the box has no readable weights"):
        scorer_of(boxed.boxed_model_files())


def test_the_model_of_a_fold(fer, tmp_path, trained):
    run, inputs = trained("bp")
    exported(fer, "bp", tmp_path / "fold.onnx", "--fold", "0/2")
    ours = scorer_of(model_files(run, "folds/0/02")).scores(inputs)
    np.testing.assert_allclose(exported_scorer(tmp_path / "fold.onnx").scores(inputs), ours, atol=1e-5)
    assert np.abs(ours - scorer_of(model_files(run)).scores(inputs)).max() > 1e-3


@pytest.mark.parametrize("form", ["onnx", "safetensors"])
def test_what_scores_otherwise_than_the_run_is_not_written(fer, tmp_path, trained, monkeypatch, form):
    real = export_parity.parity

    def off(ours, exported, found, *, half):
        class Shifted:
            def scores(self, batch):
                return np.roll(exported.scores(batch), 1, axis=1)

        return real(ours, Shifted(), found, half=half)

    monkeypatch.setattr("fercli.steps.export_model.parity", off)
    answer = fer("export", "bp", "--format", form, "--out", tmp_path / f"m.{form}")
    assert answer.code == 6
    assert "differs from the run by up to 0." in answer.err
    assert "nothing was written" in answer.err
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(("m.", ".m."))]


def test_not_a_number_is_a_difference():
    class Constant:
        classes, input = ("a", "b"), "columns"

        def __init__(self, value: float) -> None:
            self.value = value

        def scores(self, batch):
            return np.full((len(batch), 2), self.value, dtype=np.float32)

    found = export_parity.Probes(np.zeros((4, 3), dtype=np.float32), 2)
    assert export_parity.parity(Constant(0.5), Constant(0.5), found, half=False).difference == 0
    with pytest.raises(GateFailed, match="differs from the run by up to inf"):
        export_parity.parity(Constant(0.5), Constant(np.nan), found, half=False)
    with pytest.raises(GateFailed, match=r"differs from the run by up to 0\.001") as caught:
        export_parity.parity(Constant(0.5), Constant(0.501), found, half=False)
    assert "at most 0.0001 is accepted" in caught.value.where

    class OnlyTogether(Constant):
        def scores(self, batch):
            return super().scores(batch) + np.float32(0.001 * (len(batch) == 1))

    with pytest.raises(GateFailed, match=r"up to 0\.001"):
        export_parity.parity(Constant(0.5), OnlyTogether(0.5), found, half=False)
    assert export_parity.parity(Constant(0.5), Constant(0.501), found, half=True).difference == pytest.approx(
        1e-3, 0.01
    )


def test_without_its_data_a_run_is_compared_on_drawn_rows(fer, tmp_path, trained):
    shutil.rmtree(tmp_path / "ws/features/faces")
    body = exported(fer, "bp", tmp_path / "bp.onnx")
    assert (body["parity"]["rows"], body["parity"]["drawn"]) == (0, 32)
    assert body["facts"]["descriptors"] is None
    assert any("compared on drawn rows alone" in warning for warning in body["warnings"])
    assert any("takes columns, not pictures" in warning for warning in body["warnings"])


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("knn", "--format", "onnx", "--out", "k.onnx"), 2, "knn holds rows or trees, not arithmetic"),
        (("bp", "--format", "onnx", "--out", "b.pt"), 2, "--out: a model in onnx ends in .onnx, not .pt"),
        (("bp", "--format", "onnx", "--half", "--out", "b.onnx"), 2, "ONNX files keep float32"),
        (("bp", "--format", "safetensors", "--half", "--out", "b"), 2, "(bp) is small, and is kept at full"),
        (("bp", "--format", "onnx", "--pca", "2", "--out", "b.onnx"), 2, "--pca has nothing to act on"),
        (("faces", "--fold", "0/0", "--out", "b.csv"), 2, "--fold has nothing to act on in --format sheet"),
        (("bp", "--format", "onnx", "--fold", "x", "--out", "b.onnx"), 2, "--fold: say R/F such as 0/3"),
        (("bp", "--format", "onnx", "--fold", "0/7", "--out", "b.onnx"), 3, "has no model of the fold 0/7"),
        (("features/faces", "--format", "onnx", "--out", "b.onnx"), 2, "features/faces is no run"),
        (("bp", "--out", "b.csv"), 2, "run/bp is no features artifact"),
        (("bp", "--format", "safetensors", "--out", "no/folder"), 2, "--out: there is no such folder"),
        (("bp", "--format", "safetensors", "--out", "standing"), 2, "a folder is to be written"),
        (("none", "--format", "onnx", "--out", "b.onnx"), 4, "there is no run or features called none"),
        (("bp", "--format", "onnx", "--out", "bp.onnx"), 2, "--out: a file of this name stands"),
    ],
)
def test_refusals_of_models_name_the_remedy_and_write_nothing(fer, tmp_path, trained, arguments, code, message):
    (tmp_path / "bp.onnx").write_text("mine")
    (tmp_path / "standing").write_text("mine")
    before = sorted(path.name for path in tmp_path.iterdir())
    answer = fer("export", *arguments)
    assert (answer.code, message in answer.err) == (code, True), answer.err
    assert "next: " in answer.err
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert (tmp_path / "bp.onnx").read_text() == "mine"


def test_a_dry_run_writes_nothing(fer, tmp_path, trained):
    answer = fer("export", "bp", "--format", "safetensors", "--out", tmp_path / "b.safetensors", "--dry-run")
    assert (answer.code, "b.model_card.md" in answer.out) == (0, True)
    assert not list(tmp_path.glob("*b.*"))


def test_a_run_without_a_final_model(fer, tmp_path, trained):
    answer = fer("export", "folds-only", "--format", "onnx", "--out", tmp_path / "b.onnx")
    assert (answer.code, "has no model on all rows" in answer.err) == (4, True)
    exported(fer, "folds-only", tmp_path / "b.onnx", "--fold", "0/0")


@pytest.mark.parametrize("missing", ["onnx", "onnxruntime"])
def test_a_missing_package_is_exit_5_with_the_pip_line(fer, tmp_path, trained, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    answer = fer("export", "bp", "--format", "onnx", "--out", tmp_path / "b.onnx")
    assert answer.code == 5
    assert f"a package that is not installed: {missing}" in answer.err
    assert 'pip install "fercli[onnx]"' in answer.err


def test_inputs_of_another_shape_are_refused(fer, tmp_path, trained):
    _, inputs = trained("cnn")
    exported(fer, "cnn", tmp_path / "c.onnx")
    scorer = exported_scorer(tmp_path / "c.onnx")
    for batch in (inputs[:, :20], inputs.astype(np.float32), np.repeat(inputs[..., None], 3, axis=3)):
        with pytest.raises(InputError, match=r"takes uint8 pictures of shape \(24, 24\)"):
            scorer.scores(batch)
    facts = scorer.facts.model_copy(update={"input": "columns", "columns": 4})
    columns = ExportedScorer(facts, lambda batch: batch)
    with pytest.raises(InputError, match="fitted on 4 columns"):
        columns.scores(np.zeros((2, 5), dtype=np.float32))
    with pytest.raises(InputError, match="1 rows hold values that are not finite") as caught:
        columns.scores(np.array([[0, 0, 0, 0], [0, np.nan, 0, 0]], dtype=np.float32))
    assert caught.value.where == "row 1 of the batch"


def test_the_counts_of_views_are_those_of_the_sets():
    from fercli.resnet.views import views_of

    assert {name: len(views_of(name, (48, 48))) for name in VIEWS} == VIEWS
    assert set(VIEWS) == set(get_args(ViewSet))
