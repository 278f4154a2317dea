"""`fer export --format onnx|safetensors`: a run's model leaves the workspace, checked against the run."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fercli.artifacts.store import Artifact, Store
from fercli.benchmarks.latency import Latency
from fercli.config.export import ModelExportConfig
from fercli.errors import UsageError
from fercli.inference.exported import ExportedScorer, files_scorer, onnx_scorer, safetensors_scorer
from fercli.inference.model_files import PREPROCESSING, WEIGHTS, ModelFiles
from fercli.inference.onnx_model import onnx_packages
from fercli.inference.scorers import scorer_of
from fercli.records import Notify, Outcome, Table
from fercli.workflow.export_parity import Parity, latency, parity, probes
from fercli.workflow.model_cards import card_of
from fercli.workflow.model_export import ExportSource, export_source, onnx_bytes, weight_files
from fercli.workflow.named import named_artifact
from fercli.workflow.outside_files import check_free, check_new_folder, check_target, whole
from fercli.workflow.request import Request
from fercli.workflow.scored_runs import data_of

CARD = "model_card.md"


def run(name: str, out: Path, config: ModelExportConfig, request: Request, store: Store, notify: Notify) -> Outcome:
    """Write the model of the run called `name` to `out`, whole or not at all.

    out: FILE.onnx, FILE.safetensors, or for safetensors a folder. Raises UsageError for an artifact that is no run,
    for models that cannot be written in this format and for files that stand, unless forced; GateFailed, with nothing
    written, where the exported model scores otherwise than the run.
    """
    artifact = _named_run(store, name, config)
    data = data_of(store, artifact)
    source = export_source(store, artifact, data, config)
    folder = config.format == "safetensors" and _is_folder(out)
    if folder:
        check_new_folder(out)
    else:
        ending = f".{config.format}"
        check_target(out, f"a model in {config.format}", (ending,), force=request.force)
    # Refuses before any work what cannot be written, and what stands.
    contents = _contents(source, out, config, folder=folder)
    targets = [(out if folder else out.parent) / file for file in contents]
    if config.format == "safetensors":
        targets.append(out / CARD if folder else out.with_name(f"{out.stem}.{CARD}"))
    for target in targets:
        check_free(target, force=request.force)
    if request.dry_run:
        told = ", ".join(str(target) for target in targets)
        return Outcome(payload={"would_make": [str(target) for target in targets]}, lines=(f"would write {told}",))
    if data is None:
        notify.warn(
            f"the data of {artifact.label} is not in this workspace or has changed: compared on drawn rows alone"
        )
    if source.facts.input == "columns" and source.facts.descriptors is None:
        notify.warn(f"{artifact.label} does not say how its columns are computed: the file takes columns, not pictures")
    ours = scorer_of(source.files)
    exported = _scorer(contents, config, folder=folder)
    found = probes(source, ours)
    notify.say(
        f"comparing with {artifact.label} on {found.rows} of its rows and {len(found.inputs) - found.rows} drawn"
    )
    checked = parity(ours, exported, found, half=config.half)
    notify.say(f"the largest difference of a probability is {checked.difference:.2g}; timing both on one thread")
    times = {"fercli": latency(ours, found)}
    if config.format == "onnx":
        times["onnxruntime"] = latency(_scorer(contents, config, folder=folder), found)
    if config.format == "safetensors":
        size = sum(len(content) for file, content in contents.items() if not file.endswith(".json"))
        note = "Its matrices are stored as float16 and computed in float32." if config.half else ""
        contents[targets[-1].name] = card_of(store, source, weights_bytes=size, note=note).encode()
    if folder:
        out.mkdir(exist_ok=True)
    for target, content in reversed(list(zip(targets, contents.values(), strict=True))):
        with whole(target) as stream:
            stream.write(content)
    return _outcome(artifact, source, config, out, targets, checked, times)


def _named_run(store: Store, name: str, config: ModelExportConfig) -> Artifact:
    """The run, where what is asked of it can be written at all; see `run`."""
    artifact = named_artifact(store, name, command="fer export", kinds=("run", "features"))
    if artifact.kind != "run":
        raise UsageError(
            f"{artifact.label} is no run, and only a run has a model",
            where=f"--format {config.format}",
            next_step="take --format sheet for features; the runs: " + (", ".join(store.names("run")) or "none yet"),
        )
    if config.format == "onnx":
        if config.half:
            raise UsageError(
                "--half halves weights of safetensors; ONNX files keep float32",
                where="--format onnx --half",
                next_step="leave --half out, or take --format safetensors",
            )
        onnx_packages()
    return artifact


def _is_folder(out: Path) -> bool:
    return out.is_dir() or out.suffix == ""


def _contents(source: ExportSource, out: Path, config: ModelExportConfig, *, folder: bool) -> dict[str, bytes]:
    """Name -> bytes of the files of the model, in the order of their weight."""
    if config.format == "onnx":
        return {out.name: onnx_bytes(source)}
    return weight_files(source, None if folder else out.stem, half=config.half)


def _scorer(contents: Mapping[str, bytes], config: ModelExportConfig, *, folder: bool) -> ExportedScorer:
    """The bytes that are about to be written, behind the reader that everybody will read them with."""
    where = "the model to be written"
    first = next(iter(contents.values()))
    if config.format == "onnx":
        return onnx_scorer(first, where=where, threads=1)
    if folder:
        return files_scorer(ModelFiles("the export", where, lambda name: contents[name]))
    return safetensors_scorer(first, where=where)


def _outcome(
    artifact: Artifact,
    source: ExportSource,
    config: ModelExportConfig,
    out: Path,
    targets: list[Path],
    checked: Parity,
    times: Mapping[str, list[Latency]],
) -> Outcome:
    own = sum(artifact.manifest.files[name].bytes for name in _model_files(artifact, source))
    written = sum(target.stat().st_size for target in targets if target.suffix not in (".md", ".json"))
    sizes = {"fercli": own, "onnxruntime": written}
    batches = [entry.batch for entry in times["fercli"]]
    table = Table(
        f"{out}: {source.facts.model} of {artifact.label}",
        ("", "bytes", *(f"ms a sample, batch {batch}" for batch in batches)),
        tuple((name, sizes[name], *(entry.milliseconds for entry in entries)) for name, entries in times.items())
        + ((("the file", written, *(None for _ in batches)),) if config.format == "safetensors" else ()),
        (
            f"parity: largest difference of a probability {checked.difference:.2g} (at most {checked.tolerance:g}), "
            f"equal labels on {checked.equal_labels} of {checked.rows + checked.drawn}; {checked.rows} rows of the "
            f"run's data and {checked.drawn} drawn, in one batch and alone",
            "times: one thread, the median of repeated calls",
        ),
    )
    payload: dict[str, Any] = {
        "out": str(out),
        "files": {str(target): target.stat().st_size for target in targets},
        "format": config.format,
        "half": config.half,
        "facts": source.facts.stored(),
        "parity": asdict(checked),
        "latency": {name: [asdict(entry) for entry in entries] for name, entries in times.items()},
        "bytes": {"run": own, "file": written},
    }
    lines = tuple(f"wrote {target}" for target in targets)
    return Outcome(payload=payload, tables=(table,), lines=lines)


def _model_files(artifact: Artifact, source: ExportSource) -> list[str]:
    names = (f"{source.files.folder}/{name}" for name in (WEIGHTS, PREPROCESSING))
    return [name for name in names if artifact.has(name)]
