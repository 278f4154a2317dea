"""A run's stored model as the bytes of an exported one, with what it says of itself."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fercli import __version__
from fercli.artifacts.store import Artifact, Store
from fercli.config.export import DIGEST_KEY, ExportedFacts, ModelExportConfig
from fercli.errors import InputError, UsageError
from fercli.inference import baseline_model, bp_model
from fercli.inference.exported import PREPROCESSING_PREFIX
from fercli.inference.model_files import FACTS, PREPROCESSING, WEIGHTS, ModelFiles
from fercli.inference.onnx_model import weights_digest
from fercli.workflow.inputs import folds_base
from fercli.workflow.model_files import FINAL_FOLDER, model_files
from fercli.workflow.runs import fold_folder

DEFAULTS_ONLY = ("pca",)  # a default for trainers, not part of what a column means
# Counted here, because `resnet.views` loads torch, and a report needs only their number.
VIEWS = {"none": 1, "flip": 2, "ten-crop": 10}


@dataclass(frozen=True)
class ExportSource:
    """The model to export. record: its `model.json`. data: what the run was trained on, None where it is gone."""

    run: Artifact
    files: ModelFiles
    record: Mapping[str, Any]
    data: Artifact | None
    facts: ExportedFacts

    @property
    def is_net(self) -> bool:
        return "architecture" in self.record


def export_source(store: Store, run: Artifact, data: Artifact | None, config: ModelExportConfig) -> ExportSource:
    """The run's own model, or that of a fold. Raises ArtifactError where it has none, InputError for no such fold."""
    folder = FINAL_FOLDER
    if config.fold is not None:
        folder = fold_folder(config.fold.repeat, config.fold.fold)
        if not run.has(f"{folder}/{FACTS}"):
            there = [name.removesuffix(f"/{FACTS}") for name in run.manifest.files if name.startswith("folds/")]
            named = sorted(
                {name.removeprefix("folds/") for name in there if not name.endswith((".npy", ".safetensors"))}
            )
            raise InputError(
                f"{run.label} has no model of the fold {config.fold.repeat}/{config.fold.fold}",
                where="--fold",
                next_step=f"it has {', '.join(named[:10])}{' …' if len(named) > 10 else ''}",
            )
    files = model_files(run, folder)
    record = files.facts()
    facts = _net_facts(run, record, data) if "architecture" in record else _column_facts(store, run, record, data)
    return ExportSource(run, files, record, data, facts)


def onnx_bytes(source: ExportSource) -> bytes:
    """The model as an ONNX file. Raises UsageError for a yardstick that is no plain arithmetic, EnvironmentFailure
    where the package onnx is missing."""
    from fercli.export import columns_graph

    files, record, classes = source.files, source.record, source.facts.classes
    if source.is_net:
        from fercli.export.net_graph import net_graph
        from fercli.resnet.fitted import FittedNet

        net = FittedNet.read(record, files.read(WEIGHTS), where=files.where)
        graph = net_graph(
            net.network(),
            size=net.architecture.size,
            channels=net.architecture.channels,
            classes=len(classes),
            mean=net.normalisation.mean,
            sd=net.normalisation.sd,
            views=net.views,
        )
    elif record["kind"] == bp_model.KIND:
        own = bp_model.bp_model(files)
        stack = own.network
        weights = {"w1": stack.w1[0], "b1": stack.b1[0], "w2": stack.w2[0], "b2": stack.b2[0]}
        graph = columns_graph.bp_graph(own.fitted, weights, output=stack.output, classes=classes)
    else:
        yardstick = baseline_model.baseline_model(files)
        model = yardstick.model
        graph = columns_graph.yardstick_graph(
            yardstick.preprocessing,
            model.model,
            model.arrays,
            present=model.present,
            scale=model.scale,
            classes=classes,
        )
    metadata = {key: json.dumps(value) for key, value in source.facts.stored().items()}
    metadata[DIGEST_KEY] = json.dumps(weights_digest(graph.constants))
    return graph.bytes(source.facts.model, metadata, producer=__version__)


def weight_files(source: ExportSource, stem: str | None, *, half: bool) -> dict[str, bytes]:
    """Name -> bytes of what is written: STEM.safetensors and STEM.json, or with no stem the files of a folder.

    half: matrices as float16. Raises UsageError for the halves of a model on columns, which is small as it is.
    """
    from fercli.export.weights_file import halved, single_file, weights_bytes

    if half and not source.is_net:
        raise UsageError(
            f"a model on columns ({source.facts.model}) is small, and is kept at full precision",
            where="--half",
            next_step="leave --half out",
        )
    weights = source.files.tensors(WEIGHTS)
    weights = halved(weights) if half else weights
    preprocessing = {} if source.is_net else source.files.tensors(PREPROCESSING)
    facts, record = source.facts.stored(), dict(source.record)
    if stem is None:
        data = weights_bytes(weights)
        described = {**record, "export": facts, DIGEST_KEY: hashlib.sha256(data).hexdigest()}
        return {FACTS: _json(described), WEIGHTS: data} | (
            {PREPROCESSING: weights_bytes(preprocessing)} if preprocessing else {}
        )
    joined = weights | {PREPROCESSING_PREFIX + name: array for name, array in preprocessing.items()}
    return {
        f"{stem}.safetensors": single_file(joined, facts, record),
        f"{stem}.json": _json({"export": facts, "model": record}),
    }


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=2, allow_nan=False) + "\n").encode()


def _net_facts(run: Artifact, record: Mapping[str, Any], data: Artifact | None) -> ExportedFacts:
    architecture = record["architecture"]
    return ExportedFacts.of(
        model=architecture["variant"],
        classes=tuple(record["classes"]),
        input="pixels",
        size=tuple(architecture["size"]),
        channels=architecture["channels"],
        views=VIEWS[record.get("views", "none")],
        **_pictures(data),
        **_origin(run),
    )


def _column_facts(store: Store, run: Artifact, record: Mapping[str, Any], data: Artifact | None) -> ExportedFacts:
    meta = record["preprocessing"]
    more: dict[str, Any] = {}
    base = None if data is None else folds_base(data)
    if data is not None and base is not None and base.kind == "dataset":
        more["descriptors"] = {key: value for key, value in data.config.items() if key not in DEFAULTS_ONLY}
        if base.name in store.names("dataset"):
            pictures = store.open("dataset", base.name)
            if pictures.manifest.fingerprint == base.fingerprint:
                shape = pictures.array("images.npy").shape
                more |= {"size": shape[1:3], "channels": 3 if len(shape) == 4 else 1, **_pictures(pictures)}
    return ExportedFacts.of(
        model=run.content["run_kind"] if record["kind"] == bp_model.KIND else record["model"],
        classes=tuple(record["classes"]),
        input="columns",
        columns=meta["width"],
        blocks=tuple((block["name"], block["stop"] - block["start"]) for block in meta["blocks"]),
        **more,
        **_origin(run),
    )


def _pictures(dataset: Artifact | None) -> dict[str, Any]:
    """How the pictures of a data set got their size, and how faces were cut out, as far as it says."""
    config = {} if dataset is None else dataset.config
    cut = config.get("faces") == "crop"
    faces = {key: config[key] for key in ("margin", "align") if key in config} if cut else {}
    return {"fit": config.get("fit"), "faces": faces}


def _origin(run: Artifact) -> dict[str, str]:
    return {"run": run.name, "fingerprint": run.manifest.fingerprint, "fercli": __version__}
