"""Evaluations: every score of `evaluation.json` taken again, with its intervals, its gates and its labels."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fercli.artifacts.store import Artifact, Store
from fercli.artifacts.tables import read_predictions
from fercli.config.evaluate import EvaluateConfig
from fercli.evaluation.gates import check_gates, parse_gates
from fercli.evaluation.rescore import rescore
from fercli.workflow.scored_runs import RunInput, data_of, scored
from fercli.workflow.verification import Covered, Difference
from fercli.workflow.verification_values import difference_list

FILE = "evaluation.json"
# What `fer evaluate` adds to an entry beside its scores.
_ADDED = ("gates", "left_out")


def evaluation_as_scored(store: Store, evaluation: Artifact) -> Covered:
    """Each run's entry from the run's own predictions, or with `--on` from those that the evaluation stored."""
    body, config = evaluation.json(FILE), EvaluateConfig.of(**_config(evaluation))
    how: dict[str, Any] = {"seed": config.seed, "draws": config.draws, "level": config.level}
    found: list[Difference] = []
    for entry in body["runs"]:
        name, stored = entry["name"], {key: value for key, value in entry.items() if key not in _ADDED}
        if config.on is None:
            run = store.open("run", name)
            again = scored(RunInput(run, data_of(store, run)), **how)
        else:
            again, off = _elsewhere(store, evaluation, stored, how)
            found += off
        found += difference_list("a score is not what the predictions give:", f"{FILE}, {name}", stored, again)
    found += _gates(config, body)
    return Covered(len(body["runs"]), "runs", found)


def _config(evaluation: Artifact) -> dict[str, Any]:
    return {key: value for key, value in evaluation.config.items() if key in EvaluateConfig.model_fields}


def _elsewhere(
    store: Store, evaluation: Artifact, entry: dict[str, Any], how: dict[str, Any]
) -> tuple[dict[str, Any], list[Difference]]:
    """The entry from `predictions/NAME.csv`, and labels there that are not those of the data."""
    file = f"predictions/{entry['name']}.csv"
    predictions = read_predictions(evaluation.file(file))
    samples = _target(store, evaluation, entry["on"]).samples()
    row_of = {name: row for row, name in enumerate(samples.ids.tolist())}
    rows = np.array([row_of[name] for name in predictions.ids.tolist()], dtype=np.int64)
    truth = np.array(predictions.classes)[predictions.truth]
    off = np.flatnonzero(truth != samples.labels[rows])
    found = []
    if len(off):
        more = f"; {len(off):,} rows in all" if len(off) > 1 else ""
        place = f"{file}, {predictions.ids[off[0]]}, column truth{more}"
        values = str(truth[off[0]]), str(samples.labels[rows[off[0]]])
        found.append(Difference("truth is not that of the data's row", place, *values))
    if len(row_of) < len(samples) or len(np.unique(rows)) < len(rows):
        found.append(Difference("a row is scored more than once", file, len(rows), len(np.unique(rows))))
    return rescore(entry, predictions, samples.groups[rows], **how), found


def _target(store: Store, evaluation: Artifact, name: str) -> Artifact:
    """The data that was scored: a parent of that name, features before the pictures that they came from."""
    kinds = [parent.kind for parent in evaluation.manifest.parents if parent.name == name]
    return store.open("features" if "features" in kinds else "dataset", name)


def _gates(config: EvaluateConfig, body: dict[str, Any]) -> list[Difference]:
    gates = parse_gates(config.require) if config.require is not None else ()
    again: Sequence[dict[str, Any]] = [
        {**answer, "run": entry["name"]} for entry in body["runs"] for answer in check_gates(gates, entry)
    ]
    return difference_list("a gate is not answered by the scores:", f"{FILE}, gates", body["gates"], again)
