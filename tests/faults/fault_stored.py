"""Sound files as we store them (manifests, arrays, predictions, models), and the calls that read them back."""

import io
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from fault_files import faces, fold_samples
from fault_mutations import Rng, damaged_json, damaged_table

from fercli import seeds
from fercli.errors import ArtifactError, InputError, UsageError

EXPECTED = (InputError, ArtifactError, UsageError)


@lru_cache
def manifests() -> dict[str, bytes]:
    """artifact.json of a data set that was written, with its files beside it under `_artifact_files`."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        artifact = _written(Path(folder))
        return {"artifact.json": (artifact.path / "artifact.json").read_bytes()}


@lru_cache
def _artifact_files() -> dict[str, bytes]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        artifact = _written(Path(folder))
        return {name: (artifact.path / name).read_bytes() for name in artifact.manifest.files}


def _written(root: Path) -> Any:
    from fercli.artifacts.store import Store
    from fercli.artifacts.tables import samples_bytes

    store = Store(root / "ws")
    begun = store.begin(
        "features", "made", algorithm=1, config={"format": "auto"}, parents=[], seed=0, command=["fer"], execution={}
    )
    with begun as draft:
        draft.write_array("features.npy", np.arange(6, dtype=np.float32)[:, None])
        draft.write_bytes("samples.csv", samples_bytes(fold_samples()))
        block = {"name": "a", "start": 0, "stop": 1, "columns": ["a"]}
        facts = {"rows": 6, "classes": ["happy", "sad"], "groups": 3, "blocks": [block], "pca": None, "counts": {}}
        path = draft.commit({"summary": "six rows", **facts, "left_out": [], "notes": [], "leaks": []})
    return store.read(path, "features")


def resigned(manifest: bytes) -> bytes:
    """The manifest with key and fingerprint that fit what it says: what a careful forger would write."""
    from fercli.artifacts.schema import Manifest, fingerprint_of, key_of

    try:
        found = Manifest.parse(manifest, where="")
        key = key_of(found.kind, found.algorithm, found.config, found.parents)
        changed = {"key": key, "fingerprint": fingerprint_of(key, found.content, found.files)}
        return found.model_copy(update=changed).text().encode()
    except (*EXPECTED, ValueError):
        return manifest


def forged_json(rng: Rng, data: bytes) -> bytes:
    return resigned(damaged_json(rng, data))


def read_artifact(folder: Path, name: str, data: bytes) -> object:
    from fercli.artifacts.store import Store
    from fercli.steps import show, status
    from fercli.workflow.features import blocks_of, features_outcome

    place = folder / "ws" / "features" / "made"
    place.mkdir(parents=True, exist_ok=True)
    for file, body in _artifact_files().items():
        if not (place / file).exists():
            (place / file).write_bytes(body)
    (place / "artifact.json").write_bytes(data)
    store = Store(folder / "ws")
    status.run(store, Quiet())
    artifact = store.open("features", "made")
    artifact.samples(), artifact.array("features.npy")
    blocks_of(artifact)
    json.dumps(dict(features_outcome(artifact, "done").payload), allow_nan=False)
    return show.run(store, "made", Quiet())


class Quiet:
    """A `Notify` that says nothing."""

    def say(self, text: str) -> None: ...

    def warn(self, text: str) -> None: ...


@lru_cache
def arrays() -> dict[str, bytes]:
    found = {}
    for name, array in (
        ("u1", faces(3, 4)),
        ("f4", np.ones((3, 2), np.float32)),
        ("empty", np.ones((0, 2), np.float32)),
    ):
        out = io.BytesIO()
        np.save(out, array, allow_pickle=False)
        found[f"{name}.npy"] = out.getvalue()
    return found


def read_npy(folder: Path, name: str, data: bytes) -> object:
    from fercli.artifacts.arrays import read_array

    path = folder / name
    path.write_bytes(data)
    read_array(path, mmap=False)
    array = read_array(path)
    return array.shape, array.dtype, np.asarray(array[:2]).sum() if array.ndim and array.dtype.kind in "fiu" else None


@lru_cache
def predictions() -> dict[str, bytes]:
    from fercli.artifacts.tables import predictions_bytes

    return {"predictions.csv": predictions_bytes(_predictions()), "metrics.json": json.dumps(_metrics()).encode()}


@lru_cache
def _predictions() -> Any:
    from fercli.records import Predictions

    scores = seeds.generator(0, "faults.scores").random((6, 2)) + 0.1
    return Predictions(
        ids=np.array([f"p{row}" for row in range(6)]),
        repeats=np.zeros(6, np.int64),
        folds=np.arange(6) % 3,
        splits=np.array([""] * 6),
        truth=np.arange(6) % 2,
        probabilities=scores / scores.sum(axis=1, keepdims=True),
        classes=("happy", "sad"),
    )


@lru_cache
def _metrics() -> dict[str, Any]:
    from fercli.config.protocol import ProtocolConfig
    from fercli.evaluation.summary import run_metrics
    from fercli.protocol.resolve import resolve

    plan = resolve(fold_samples(), ProtocolConfig(scheme="grouped", k=3))
    measured = [0.5 for _ in plan.folds]
    facts = {"name": "run", "kind": "bp", "on": "made", "samples": fold_samples(), "plan": plan, "loss_name": "ce"}
    return run_metrics(
        **facts, predictions=_predictions(), train_accuracy=measured, train_loss=measured, test_loss=measured
    )


@dataclass(frozen=True)
class StandIn:
    """As much of a run's artifact as `scored_runs.scored` asks for."""

    path: Path
    name: str = "run"
    label: str = "run/run"

    def file(self, name: str) -> Path:
        return self.path / name

    def json(self, name: str) -> Any:
        from fercli.artifacts.store import Artifact

        return Artifact.json(self, name)  # type: ignore[arg-type]


def read_predictions(folder: Path, name: str, data: bytes) -> object:
    from fercli.workflow.scored_runs import RunInput, scored

    for file, body in predictions().items():
        (folder / file).write_bytes(data if file == name else body)
    entry = RunInput(StandIn(folder), None)  # type: ignore[arg-type]
    return json.dumps(scored(entry, seed=0, draws=5, level=0.95), allow_nan=False)


@lru_cache
def models() -> dict[str, bytes]:
    """model.json and the weights of a BP network, a yardstick and a small net, each file as one that is damaged."""
    return {
        f"{kind}/{name}": data for kind, files in model_folders().items() for name, data in files.items() if len(data)
    }


@lru_cache
def model_folders() -> dict[str, dict[str, bytes]]:
    return {"bp": _bp_folder(), "net": _net_folder()}


def _bp_folder() -> dict[str, bytes]:
    from safetensors.numpy import save

    from fercli.config.preprocessing import PreprocessingConfig
    from fercli.preprocessing.foldwise import fit
    from fercli.records import Block

    random = seeds.generator(0, "faults.model")
    features = random.random((20, 5)).astype(np.float32)
    blocks = (Block("a", 0, 3, ("a.1", "a.2", "a.3")), Block("b", 3, 5, ("b.1", "b.2")))
    fitted = fit(features, blocks, np.arange(20), PreprocessingConfig(pca=2))
    weights = {"w1": (4, 3), "b1": (3,), "w2": (3, 2), "b2": (2,)}
    tensors = {name: random.random(shape).astype(np.float32) for name, shape in weights.items()}
    tensors["units"] = np.arange(3, dtype=np.int64)
    facts = {"kind": "bp", "classes": ["happy", "sad"], "output": "sigmoid", "hidden": 3, "hidden_before": 4}
    return {
        "model.json": json.dumps({**facts, "preprocessing": fitted.meta()}).encode(),
        "weights.safetensors": save(tensors),
        "preprocessing.safetensors": save(dict(fitted.to_arrays())),
    }


def _net_folder() -> dict[str, bytes]:
    from fercli.config.resnet import Architecture
    from fercli.resnet.batches import Normalisation
    from fercli.resnet.fitted import FittedNet
    from fercli.resnet.variants import build

    architecture = Architecture(variant="cnn", width=2, classes=2, size=(16, 16), channels=1)
    network = build(architecture)
    net = FittedNet(architecture, ("happy", "sad"), Normalisation((0.5,), (0.5,)), network.state_dict())
    return {"model.json": json.dumps(net.record()).encode(), "weights.safetensors": net.weights()}


def read_model(folder: Path, name: str, data: bytes) -> object:
    from fercli.inference.model_files import ModelFiles
    from fercli.inference.scorers import scorer_of

    kind, file = name.split("/")
    files = {**model_folders()[kind], file: data}
    scorer = scorer_of(ModelFiles("run/made", "model", lambda wanted: files[wanted]))
    if kind == "net":
        return scorer.scores(faces(2, 16))
    return scorer.scores(np.linspace(0, 1, 10, dtype=np.float32).reshape(2, 5))


def lying_header(rng: Rng, data: bytes) -> bytes:
    """Safetensors whose JSON header says something else than the file holds; JSON by its values."""
    if data[:1] == b"{":
        return damaged_json(rng, data)
    length = int.from_bytes(data[:8], "little")
    header = damaged_json(rng, data[8 : 8 + length])
    return len(header).to_bytes(8, "little") + header + data[8 + length :]


def damaged_tables(rng: Rng, data: bytes) -> bytes:
    return damaged_json(rng, data) if data[:1] == b"{" else damaged_table(rng, data)
