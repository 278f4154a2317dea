"""The model card of a run, from what the run and its data say of themselves."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath, PureWindowsPath
from typing import Any

from fercli import __version__
from fercli.artifacts.store import Artifact, Store
from fercli.config.export import ExportedFacts, ModelExportConfig
from fercli.evaluation.intervals import DRAWS, LEVEL, Interval, wilson
from fercli.inference.model_files import WEIGHTS
from fercli.report.model_card import Card, model_card
from fercli.workflow.baseline_models import HEAVY
from fercli.workflow.inputs import folds_base
from fercli.workflow.model_export import ExportSource, export_source
from fercli.workflow.model_files import FINAL_FOLDER
from fercli.workflow.scored_runs import RunInput, data_of, scored

# Batch norm's means and variances are counted, not trained.
_STATISTICS = ("running_mean", "running_var")


def card_of_run(store: Store, run: Artifact) -> str:
    """The card as Markdown, for a report; a run without a model of its own has one too."""
    data = data_of(store, run)
    if not run.has(f"{FINAL_FOLDER}/model.json"):
        return _card(store, run, data, None, None, "")
    return card_of(store, export_source(store, run, data, ModelExportConfig(format="safetensors")))


def card_of(store: Store, source: ExportSource, *, weights_bytes: int | None = None, note: str = "") -> str:
    """The card of a model that is exported. weights_bytes: of the file beside the card. note: one more sentence.

    Raises ArtifactError when the run's predictions do not give the scores that it states.
    """
    return _card(store, source.run, source.data, source, weights_bytes, note)


def class_intervals(metrics: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Wilson's interval of every class's recall and precision, None where the score is undefined."""
    repeats = max(1, int(metrics["protocol"]["repeats"]))
    found: dict[str, dict[str, Any]] = {}
    for place, name in enumerate(metrics["classes"]):
        scores = metrics["per_class"][name]
        predicted = round(sum(row[place] for row in metrics["confusion"]) / repeats)
        counts = {"recall": scores["support"], "precision": predicted}
        found[name] = {key: _interval(scores[key], rows) for key, rows in counts.items()}
    return found


def _interval(share: float | None, rows: int) -> dict[str, Any] | None:
    made: Interval | None = None if share is None else wilson(share * rows, rows, LEVEL)
    return None if made is None else made.as_json()


def _card(
    store: Store,
    run: Artifact,
    data: Artifact | None,
    source: ExportSource | None,
    weights_bytes: int | None,
    note: str,
) -> str:
    metrics = scored(RunInput(run, data), seed=0, draws=DRAWS, level=LEVEL)
    parameters = None
    if source is not None and source.facts.model not in HEAVY:
        tensors = source.files.tensors(WEIGHTS)
        parameters = sum(a.size for name, a in tensors.items() if a.dtype.kind == "f" and not _counted(name)) or None
    return model_card(
        Card(
            name=run.name,
            kind=metrics["kind"],
            model=source.facts.model if source else metrics["kind"],
            commands=tuple(dict.fromkeys(typed(command) for command in _commands(store, run))),
            fingerprint=run.manifest.fingerprint,
            version=__version__,
            data=str(metrics["on"]),
            source=_origin(store, data),
            rows=data.content.get("counts", {}) if data is not None else {},
            input=_reads(source.facts) if source else "It has no model on all rows, only those of its folds.",
            parameters=parameters,
            weights_bytes=weights_bytes,
            metrics=metrics,
            class_intervals=class_intervals(metrics),
            note=note,
        )
    )


def typed(command: Sequence[str]) -> str:
    """A command as it can be typed again; absolute paths, which say where this machine keeps things, by their name."""
    words = []
    for word in command:
        option, is_option, value = word.partition("=") if word.startswith("--") else ("", "", word)
        absolute = PurePath(value).is_absolute() or PureWindowsPath(value).is_absolute()
        words.append(shlex.quote(option + is_option + (PureWindowsPath(value).name if absolute else value)))
    return " ".join(words)


def _commands(store: Store, artifact: Artifact) -> Iterator[Sequence[str]]:
    """What made an artifact, those that it was made from first; what is not in this workspace is left out."""
    for parent in artifact.manifest.parents:
        if parent.kind != "source" and parent.name in store.names(parent.kind):
            found = store.open(parent.kind, parent.name)
            if found.manifest.fingerprint == parent.fingerprint:
                yield from _commands(store, found)
    yield artifact.manifest.command


def _counted(name: str) -> bool:
    return name.endswith(_STATISTICS) or name in ("present", "scale")


def _reads(facts: ExportedFacts) -> str:
    if facts.input == "pixels" and facts.size is not None:
        shape = f"{facts.size[0]}x{facts.size[1]} {'gray' if facts.channels == 1 else 'colour'} pictures"
        return f"It reads {shape}" + (f", each as the mean of {facts.views} views." if facts.views > 1 else ".")
    widths = ", ".join(f"{name} {width:,}" for name, width in facts.blocks)
    return f"It reads {facts.columns:,} feature columns: {widths}."


def _origin(store: Store, data: Artifact | None) -> str:
    """Where the pictures or the sheet came from, by the name of the file or folder."""
    if data is None:
        return ""
    base = folds_base(data)
    if base.kind == "dataset" and base.name in store.names("dataset"):
        data = store.open("dataset", base.name)
    return ", ".join(parent.name for parent in data.manifest.parents if parent.kind == "source")
