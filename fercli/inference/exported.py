"""Exported models from outside any workspace behind the `records.Scorer` seam; nothing that is read can run code."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load, save

from fercli.config.export import DIGEST_KEY, EXPORT_FORMAT, EXPORT_VERSION, HEADER_KEY, ExportedFacts
from fercli.errors import ArtifactError, InputError
from fercli.inference.model_files import FACTS, PREPROCESSING, WEIGHTS, ModelFiles
from fercli.inference.onnx_model import onnx_facts, onnx_scores
from fercli.inference.scorers import scorer_of

ENDINGS = (".onnx", ".safetensors")
# In one file, the arrays of the preprocessing stand beside the weights under this prefix.
PREPROCESSING_PREFIX = "preprocessing."
Scores = Callable[[NDArray[Any]], NDArray[np.float32]]


class ExportedScorer:
    """A `records.Scorer` of an exported file.

    facts: what the file says of itself, with `facts.size`, `facts.channels`, and for columns `facts.descriptors`.
    """

    def __init__(self, facts: ExportedFacts, scores: Scores) -> None:
        self.facts = facts
        self.classes = facts.classes
        self.input: str = facts.input
        self._scores = scores

    def scores(self, batch: NDArray[Any]) -> NDArray[np.float32]:
        """(n, H, W[, 3]) uint8 pictures or (n, D) raw features -> (n, C) float32 probabilities.

        Raises InputError for inputs of another shape or type than the model takes, and for values not finite.
        """
        _check_batch(self.facts, batch)
        if not len(batch):
            return np.empty((0, len(self.classes)), dtype=np.float32)
        return self._scores(batch)


def exported_scorer(path: Path, *, device: str = "cpu") -> ExportedScorer:
    """The model that `fer export` wrote to `path`: an .onnx or .safetensors file, or a folder with model.json.

    device: as `--device` names it. Raises ArtifactError for what is missing, damaged, not ours or of a future
    version; EnvironmentFailure where onnxruntime is missing or cannot use the device.
    """
    if path.is_dir():
        return files_scorer(folder_files(path), device=device)
    if path.suffix.lower() not in ENDINGS:
        raise ArtifactError(
            f"an exported model ends in {' or '.join(ENDINGS)}, or is a folder with {FACTS}",
            where=str(path),
            next_step="write one with fer export RUN --format onnx --out FILE.onnx",
        )
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ArtifactError(
            f"the model cannot be read: {error.strerror or error}", where=str(path), next_step="check the path"
        ) from None
    if path.suffix.lower() == ".onnx":
        return onnx_scorer(data, where=str(path), device=device)
    return safetensors_scorer(data, where=str(path), device=device)


def onnx_scorer(data: bytes, *, where: str, device: str = "cpu", threads: int | None = None) -> ExportedScorer:
    """The scorer of the bytes of an .onnx file; see `exported_scorer`. threads: of onnxruntime, None as it likes."""
    facts = _facts(onnx_facts(data, where=where), where)
    return ExportedScorer(facts, onnx_scores(data, facts, where=where, device=device, threads=threads))


def files_scorer(files: ModelFiles, *, device: str = "cpu") -> ExportedScorer:
    """The scorer of `model.json`, whose facts stand under `export`, and the weights beside it."""
    record = files.facts()
    facts = _facts(record.get("export"), files.where)
    _check_digest(record, files.read(WEIGHTS), files.where)
    return ExportedScorer(facts, _checked_scorer(files, facts, device))


def folder_files(folder: Path) -> ModelFiles:
    """The files of a model in a folder of its own."""

    def read(name: str) -> bytes:
        try:
            return (folder / name).read_bytes()
        except OSError as error:
            raise ArtifactError(
                f"the model has no readable {name}: {error.strerror or error}",
                where=str(folder),
                next_step="export it again with fer export RUN --format safetensors",
            ) from None

    return ModelFiles(folder.name, str(folder), read)


def safetensors_scorer(data: bytes, *, where: str, device: str = "cpu") -> ExportedScorer:
    """The scorer of the bytes of a .safetensors file; see `exported_scorer`."""
    try:
        tensors = load(data)
    except (OSError, SafetensorError) as error:
        raise _damaged(f"not readable weights: {error}", where) from None
    begin = 8 + int.from_bytes(data[:8], "little")  # `load` has checked it
    header = json.loads(data[8:begin]).get("__metadata__", {}).get(HEADER_KEY)
    if header is None:
        raise _foreign(where)
    record = _json(header, where)
    if not isinstance(record, dict) or not isinstance(record.get("model"), dict):
        raise _damaged("its header describes no model", where)
    facts = _facts(record.get("export"), where)
    _check_digest(record, data[begin:], where)
    parts: dict[str, dict[str, NDArray[Any]]] = {WEIGHTS: {}, PREPROCESSING: {}}
    for name, array in tensors.items():
        own = name.startswith(PREPROCESSING_PREFIX)
        parts[PREPROCESSING if own else WEIGHTS][name.removeprefix(PREPROCESSING_PREFIX)] = array
    contents = {FACTS: json.dumps(record["model"]).encode(), **{name: save(part) for name, part in parts.items()}}
    return ExportedScorer(
        facts, _checked_scorer(ModelFiles("the exported model", where, contents.__getitem__), facts, device)
    )


def _check_digest(record: Mapping[str, Any], data: bytes, where: str) -> None:
    """The weights are those that were written, where the file says their hash."""
    if record.get(DIGEST_KEY, "") not in ("", hashlib.sha256(data).hexdigest()):
        raise _damaged("its weights are not those that were written", where)


def _checked_scorer(files: ModelFiles, facts: ExportedFacts, device: str) -> Scores:
    scorer = scorer_of(files, device=device)
    if (tuple(scorer.classes), scorer.input) != (facts.classes, facts.input):
        raise _damaged("what it says of itself is not what its model is", files.where)
    return scorer.scores


def _facts(raw: object, where: str) -> ExportedFacts:
    """What a file says of itself, checked. Raises ArtifactError for a file of others or of a later release."""
    if not isinstance(raw, Mapping) or raw.get("format") != EXPORT_FORMAT:
        raise _foreign(where)
    version = raw.get("version")
    if isinstance(version, int) and version > EXPORT_VERSION:
        raise ArtifactError(
            f"the exported model has version {version}, this fercli reads up to {EXPORT_VERSION}",
            where=where,
            next_step="upgrade fercli, or export the run again with this release",
        )
    try:
        facts = ExportedFacts.model_validate(dict(raw))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "as a whole"
        raise _damaged(f"its metadata do not fit: {place}: {first['msg'].lower()}", where) from None
    wanted = ("size", "channels") if facts.input == "pixels" else ("columns",)
    lacking = [name for name in wanted if getattr(facts, name) is None]
    if lacking:
        raise _damaged(f"its metadata lack {' and '.join(lacking)}", where)
    return facts


def _check_batch(facts: ExportedFacts, batch: NDArray[Any]) -> None:
    if facts.input == "columns":
        if batch.ndim != 2 or batch.shape[1] != facts.columns:
            raise InputError(
                f"the features have shape {batch.shape}, the model was fitted on {facts.columns} columns",
                next_step="extract the features with the same descriptors and parameters",
            )
        broken = np.flatnonzero(~np.isfinite(batch).all(axis=1))
        if len(broken):
            raise InputError(
                f"{len(broken):,} rows hold values that are not finite",
                where=f"row {int(broken[0])} of the batch",
                next_step="leave the rows out, or repair them; `fer audit` lists such rows",
            )
        return
    height, width = facts.size or (0, 0)
    wanted = (height, width) if facts.channels == 1 else (height, width, 3)
    if batch.dtype != np.uint8 or batch.shape[1:] != wanted:
        raise InputError(
            f"the network takes uint8 pictures of shape {wanted}, these are {batch.dtype} {batch.shape[1:]}",
            next_step="import or convert the pictures to that size and colour",
        )


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise _damaged(f"its header is not readable JSON: {error}", where) from None


def _foreign(where: str) -> ArtifactError:
    return ArtifactError(
        "the file was not written by fer export: it does not say what its inputs and classes are",
        where=where,
        next_step="give a file of fer export RUN --format onnx, or a run",
    )


def _damaged(reason: str, where: str) -> ArtifactError:
    return ArtifactError(
        f"the exported model cannot be used: {reason}", where=where, next_step="export the run again, or restore a copy"
    )
