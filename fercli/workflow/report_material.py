"""A run artifact as the plain data that a page is made of."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fercli.artifacts.store import Artifact, Store
from fercli.artifacts.tables import read_csv, read_predictions
from fercli.evaluation.intervals import LEVEL
from fercli.records import Predictions
from fercli.report.history import Columns
from fercli.report.material import FoldRows, Mistake, RunMaterial
from fercli.report.mistakes import most_confident
from fercli.report.thumbnails import thumbnail
from fercli.workflow.scored_runs import RunInput, data_of, groups_of, scored

PRUNING_KEYS = ("hidden_before", "hidden_after", "removed")


def columns_of(run: Artifact, file: str) -> Columns | None:
    """A CSV file of a run, None where it has none."""
    return Columns.of(*read_csv(run.file(file))) if run.has(file) else None


def run_material(entry: RunInput, *, seed: int, draws: int) -> RunMaterial:
    """A run for a page, its scores taken again from its predictions."""
    manifest = entry.run.manifest
    metrics = scored(entry, seed=seed, draws=draws, level=LEVEL)
    pruning = {key: metrics[key] for key in PRUNING_KEYS if key in metrics}
    return RunMaterial(
        metrics=metrics,
        history=columns_of(entry.run, "history.csv"),
        receipts=columns_of(entry.run, "receipts.csv"),
        activations=columns_of(entry.run, "activations.csv"),
        content={**manifest.content, **pruning},
        provenance={
            "Command": " ".join(manifest.command),
            "Seed": "–" if manifest.seed is None else str(manifest.seed),
            "Made from": ", ".join(f"{p.kind}/{p.name} ({p.fingerprint[:12]})" for p in manifest.parents),
            "Fingerprint": manifest.fingerprint,
            "Configuration": _flat(manifest.config),
            "Ran with": _flat(manifest.execution),
            "Environment": _flat(manifest.environment),
        },
        folds=_fold_rows(entry),
    )


def with_mistakes(store: Store, entry: RunInput, material: RunMaterial) -> RunMaterial:
    """The same run with its most confident errors, and their pictures where the data set is in this workspace."""
    mistakes = most_confident(read_predictions(entry.run.file("predictions.csv")))
    pictures = None if entry.data is None else _pictures(store, entry.data)
    return replace(material, mistakes=tuple(_pictured(mistakes, pictures)))


def _pictures(store: Store, data: Artifact) -> Artifact | None:
    """The data set of the run's rows: the data itself, or what its features were extracted from."""
    return data if data.kind == "dataset" else data_of(store, data)


def _pictured(mistakes: Sequence[Mistake], pictures: Artifact | None) -> list[Mistake]:
    if pictures is None or not mistakes:
        return list(mistakes)
    planes = pictures.array("images.npy")
    row_of = {name: row for row, name in enumerate(pictures.samples().ids.tolist())}
    return [
        replace(one, picture=thumbnail(np.asarray(planes[row_of[one.id]]))) if one.id in row_of else one
        for one in mistakes
    ]


def _fold_rows(entry: RunInput) -> tuple[FoldRows, ...]:
    predictions = read_predictions(entry.run.file("predictions.csv"))
    groups = groups_of(entry, predictions)
    keys = np.unique(np.column_stack([predictions.repeats, predictions.folds]), axis=0)
    return tuple(_fold(predictions, groups, int(repeat), int(fold)) for repeat, fold in keys)


def _fold(predictions: Predictions, groups: Any, repeat: int, fold: int) -> FoldRows:
    here = (predictions.repeats == repeat) & (predictions.folds == fold)
    truth = predictions.truth[here]
    counts = np.bincount(truth[truth >= 0], minlength=len(predictions.classes))
    known = np.array([]) if groups is None else groups[here & (groups != "")]
    return FoldRows(repeat, fold, tuple(counts.tolist()), len(np.unique(known)) or None)


def _flat(values: dict[str, Any], prefix: str = "") -> str:
    """Nested values on one line: `a = 1, b.c = 2`."""
    parts = []
    for key, value in values.items():
        if isinstance(value, dict):
            parts.append(_flat(value, f"{prefix}{key}."))
        else:
            parts.append(f"{prefix}{key} = {value}")
    return ", ".join(part for part in parts if part)
