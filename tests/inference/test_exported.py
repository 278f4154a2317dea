"""Exported files as an attacker, an older release or a broken disk would give them: refused by name, nothing run."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper
from safetensors.numpy import load, save

from fercli.errors import ArtifactError, EnvironmentFailure
from fercli.export.columns_graph import bp_graph
from fercli.export.weights_file import halved, single_file
from fercli.inference.exported import PREPROCESSING_PREFIX, exported_scorer, onnx_scorer, safetensors_scorer
from fercli.inference.onnx_model import OPERATORS
from fercli.preprocessing.columns import LinearScaling, LogTransform
from fercli.preprocessing.foldwise import Fitted
from fercli.records import Block

ROOT = Path(__file__).parents[2]
CLASSES = ("happy", "sad", "surprise")
FACTS: dict[str, Any] = {
    "format": "fercli-export",
    "version": 1,
    "model": "bp",
    "classes": list(CLASSES),
    "input": "columns",
    "columns": 4,
    "run": "r",
    "fingerprint": "f",
    "fercli": "0.1.0",
}


def made_bp() -> tuple[Fitted, dict[str, np.ndarray]]:
    random = np.random.default_rng(0)
    fitted = Fitted(
        (Block("b", 0, 4),),
        (None,),
        LogTransform(np.array([1, 0, 0, -1]), np.zeros(4), np.ones(4)),
        LinearScaling(np.full(4, 0.5), np.full(4, 2.0)),
        ("b.0", "b.1", "b.2", "b.3"),
        4,
    )
    shapes = {"w1": (4, 5), "b1": (5,), "w2": (5, 3), "b2": (3,)}
    return fitted, {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def onnx_file(facts: dict[str, Any] = FACTS) -> bytes:
    fitted, weights = made_bp()
    graph = bp_graph(fitted, weights, output="sigmoid", classes=CLASSES)
    return graph.bytes("bp", {key: json.dumps(value) for key, value in facts.items()}, producer="0")


def safetensors_file(facts: dict[str, Any] = FACTS, **model: Any) -> bytes:
    fitted, weights = made_bp()
    record = {"kind": "bp", "classes": list(CLASSES), "output": "sigmoid", "preprocessing": fitted.meta(), **model}
    own = {PREPROCESSING_PREFIX + name: array for name, array in fitted.to_arrays().items()}
    return single_file({**weights, "units": np.arange(5), **own}, facts, record)


@pytest.fixture
def at(tmp_path):
    def write(data: bytes, ending: str = "onnx") -> Path:
        path = tmp_path / f"model.{ending}"
        path.write_bytes(data)
        return path

    return write


def changed(change: Any) -> bytes:
    model = onnx.load_model_from_string(onnx_file())
    change(model)
    data: bytes = model.SerializeToString()
    return data


def test_both_formats_of_one_model_score_the_same(at):
    rows = np.random.default_rng(1).normal(size=(7, 4)).astype(np.float32)
    first, second = exported_scorer(at(onnx_file())), exported_scorer(at(safetensors_file(), "safetensors"))
    assert first.classes == second.classes == CLASSES
    np.testing.assert_allclose(first.scores(rows), second.scores(rows), atol=1e-6)
    np.testing.assert_allclose(first.scores(rows.astype(np.float64)), first.scores(rows), atol=1e-7)


def add_node(model: Any, kind: str, domain: str = "") -> None:
    model.graph.node.append(helper.make_node(kind, ["features"], ["more"], domain=domain))


def externalise(model: Any) -> None:
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"


def external_constant(model: Any) -> None:
    tensor = TensorProto(name="t", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    model.graph.node.append(helper.make_node("Cast", ["features"], ["more"], to=1))
    attribute = model.graph.node[-1].attribute.add()
    attribute.name, attribute.type = "value", onnx.AttributeProto.TENSOR
    attribute.t.CopyFrom(tensor)


def shorten(model: Any) -> None:
    model.graph.initializer[0].raw_data = model.graph.initializer[0].raw_data[:-4]


def function(model: Any) -> None:
    import_ = [helper.make_opsetid("", 17)]
    model.functions.append(helper.make_function("own", "Run", ["x"], ["y"], [], import_))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda model: add_node(model, "Loop"), "uses what fer export never writes: ai.onnx.Loop"),
        (lambda model: add_node(model, "Shell", "evil"), "uses what fer export never writes: evil.Shell"),
        (lambda model: model.opset_import.append(helper.make_opsetid("evil", 1)), "never writes: evil"),
        (function, "never writes: Run"),
        (externalise, "keeps weights in other files, which are not read"),
        (external_constant, "keeps weights in other files, which are not read"),
        (shorten, "onnxruntime does not load it"),
        (lambda model: model.graph.ClearField("node"), "onnxruntime does not load it"),
        (lambda model: model.graph.ClearField("output"), "cannot be used"),
        (lambda model: model.ClearField("metadata_props"), "was not written by fer export"),
    ],
)
def test_onnx_files_of_others_are_refused(at, change, message):
    with pytest.raises(ArtifactError, match=message) as caught:
        exported_scorer(at(changed(change)))
    assert caught.value.where.endswith("model.onnx")
    assert caught.value.next_step


@pytest.mark.parametrize("length", [0, 1, 100, -1])
def test_onnx_files_that_were_cut_short(at, length):
    with pytest.raises(ArtifactError):
        exported_scorer(at(onnx_file()[:length]))


@pytest.mark.parametrize("ending", ["onnx", "safetensors"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "was not written by fer export"),
        ({"version": 2}, "has version 2, this fercli reads up to 1"),
        ({"version": "1"}, "its metadata do not fit: version"),
        ({"classes": ["one"]}, "its metadata do not fit: classes"),
        ({"input": "sound"}, "its metadata do not fit: input"),
        ({"extra": 1}, "its metadata do not fit: extra"),
        ({"columns": None}, "its metadata lack columns"),
        ({"classes": ["happy", "sad"]}, "what it says of itself is not what its model is"),
        ({"input": "pixels", "size": [2, 2], "channels": 1}, "what it says of itself is not what its model is"),
    ],
)
def test_metadata_that_are_not_ours_or_do_not_fit(at, ending, change, message):
    write = onnx_file if ending == "onnx" else safetensors_file
    with pytest.raises(ArtifactError, match=message):
        exported_scorer(at(write({**FACTS, **change}), ending))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not readable weights"),
        (b"junk" * 9, "not readable weights"),
        (safetensors_file()[:-4], "not readable weights"),
        (save({"w1": np.zeros(3)}), "was not written by fer export"),
        (save({"w1": np.zeros(3)}, metadata={"fercli": "{"}), "its header is not readable JSON"),
        (save({"w1": np.zeros(3)}, metadata={"fercli": "[]"}), "its header describes no model"),
        (single_file({"w1": np.zeros(3)}, FACTS, {"kind": "bp"}), "the network lacks 'b1'"),
        (single_file({"w1": np.zeros(3)}, FACTS, {"kind": "svm"}), "no model that this release knows: kind 'svm'"),
    ],
)
def test_damaged_safetensors_are_named(at, data, message):
    with pytest.raises(ArtifactError, match=message):
        exported_scorer(at(data, "safetensors"))


@pytest.mark.parametrize("ending", ["onnx", "safetensors"])
def test_whatever_bytes_are_broken_the_answer_is_an_artifact_error_or_a_score(ending, capfd):
    whole = onnx_file() if ending == "onnx" else safetensors_file()
    read = onnx_scorer if ending == "onnx" else safetensors_scorer
    random = np.random.default_rng(0)
    refused = 0
    for _ in range(400):
        data = bytearray(whole)
        for place in random.integers(0, len(data), 2):
            data[place] = random.integers(0, 256)
        try:
            read(bytes(data), where="x").scores(np.zeros((2, 4), dtype=np.float32))
        except ArtifactError:
            refused += 1
    assert refused > 200
    assert capfd.readouterr() == ("", "")


def test_names_that_are_no_text(at):
    for old in (b"features", b"fercli-export", b"Sigmoid"):
        with pytest.raises(ArtifactError):
            exported_scorer(at(onnx_file().replace(old, old[:-1] + b"\xd2")))


def test_a_gpu_that_does_not_start_is_no_silent_run_on_the_cpu(at, monkeypatch):
    cuda = [("CUDAExecutionProvider", {"device_id": 1, "use_tf32": 0}), "CPUExecutionProvider"]
    there = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: there)
    real = onnxruntime.InferenceSession

    def session(data, options, *, providers, enable_fallback):
        assert (providers, enable_fallback) == (cuda, 0)
        return real(data, options, providers=["CPUExecutionProvider"])

    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    with pytest.raises(EnvironmentFailure, match="onnxruntime could not start on the device cuda:1"):
        exported_scorer(at(onnx_file()), device="cuda:1")


def test_paths_that_hold_no_model(tmp_path, at):
    with pytest.raises(ArtifactError, match="cannot be read: No such file or directory"):
        exported_scorer(tmp_path / "none.onnx")
    with pytest.raises(ArtifactError, match=r"an exported model ends in \.onnx or \.safetensors"):
        exported_scorer(at(b"", "pth"))
    with pytest.raises(ArtifactError, match=r"the model has no readable model\.json"):
        exported_scorer(tmp_path)


def test_a_device_that_onnxruntime_was_not_built_for(at):
    with pytest.raises(EnvironmentFailure, match="this onnxruntime cannot use the device mps"):
        exported_scorer(at(onnx_file()), device="mps")


def test_every_operator_is_one_that_the_exporter_writes():
    written = "".join(path.read_text() for path in (ROOT / "fercli/export").glob("*_graph.py"))
    written += (ROOT / "fercli/export/graph.py").read_text()
    assert not [name for name in OPERATORS if f'"{name}"' not in written]


def test_halves_keep_vectors_and_refuse_what_does_not_fit():
    weights = {
        "conv.weight": np.full((2, 3), 1.0002, dtype=np.float32),
        "norm.running_var": np.full(3, 1e6, dtype=np.float32),
        "norm.num_batches_tracked": np.array(7),
    }
    half = halved(weights)
    assert {name: array.dtype.name for name, array in half.items()} == {
        "conv.weight": "float16",
        "norm.running_var": "float32",
        "norm.num_batches_tracked": "int64",
    }
    assert half["norm.num_batches_tracked"].shape == ()
    assert load(single_file(half, {}, {}))["norm.num_batches_tracked"].shape == ()
    with pytest.raises(Exception, match=r"a weight of w is too large for float16: 1e\+05"):
        halved({"w": np.full((1, 1), 1e5, dtype=np.float32)})
