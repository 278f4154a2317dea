"""Runs as the inputs of `evaluate` and `report`: which ones, their data, and their scores taken again."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.artifacts.naming import MAKE_FIRST
from fercli.artifacts.schema import Parent
from fercli.artifacts.store import Artifact, Store
from fercli.artifacts.tables import read_predictions
from fercli.errors import ArtifactError
from fercli.evaluation.rescore import contradictions, rescore
from fercli.records import Notify, Predictions

LONGEST_NAME = 60


def chosen_runs(store: Store, names: Sequence[str]) -> list[Artifact]:
    """The named runs, each once, in the order given; without names all runs of the workspace."""
    found = [store.open("run", name) for name in (names or store.names("run"))]
    if not found:
        raise ArtifactError("the workspace has no run yet", where=str(store.root), next_step=MAKE_FIRST["run"])
    return list({artifact.path.resolve(): artifact for artifact in found}.values())


def default_name(names: Sequence[str], runs: Sequence[Artifact]) -> str:
    """`all` for all runs, a run's own name, the names of a few, or their count with a digest."""
    if not names:
        return "all"
    joined = "_".join(run.name for run in runs)
    if len(joined) <= LONGEST_NAME:
        return joined
    return f"{len(runs)}-runs-{hashlib.sha256(joined.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class RunInput:
    """A run with the data it was scored on. data: None where that is not in this workspace, or has changed."""

    run: Artifact
    data: Artifact | None

    @property
    def parents(self) -> list[Parent]:
        """What an evaluation of it is made from; with the data gone it is another evaluation."""
        return [self.run.parent()] if self.data is None else [self.run.parent(), self.data.parent()]


def run_inputs(store: Store, runs: Sequence[Artifact], notify: Notify) -> list[RunInput]:
    """Each run with its data; a warning where groups are unknown because the data is not there."""
    inputs = []
    for run in runs:
        data = data_of(store, run)
        if data is None:
            notify.warn(
                f"{run.label}: the data it was scored on is not in this workspace or has changed; "
                "its groups are unknown, intervals take rows as independent"
            )
        inputs.append(RunInput(run, data))
    return inputs


def all_parents(inputs: Sequence[RunInput]) -> list[Parent]:
    """The parents of all runs, each once."""
    return list({(p.kind, p.name): p for entry in inputs for p in entry.parents}.values())


def data_of(store: Store, run: Artifact) -> Artifact | None:
    """The data that the run was trained on; None where it is not in this workspace, or has changed."""
    for parent in run.manifest.parents:
        if parent.kind in ("dataset", "features") and parent.name in store.names(parent.kind):
            found = store.open(parent.kind, parent.name)
            if found.manifest.fingerprint == parent.fingerprint:
                return found
    return None


def rows_of(entry: RunInput) -> str | None:
    """Name of the data set that the run's rows come from, also where it was trained on features of it.

    None where the data is not there.
    """
    if entry.data is None:
        return None
    behind = [parent.name for parent in entry.data.manifest.parents if parent.kind == "dataset"]
    return behind[0] if entry.data.kind == "features" and len(behind) == 1 else entry.data.name


def groups_of(entry: RunInput, predictions: Predictions) -> NDArray[np.str_] | None:
    """(M,) group of each prediction; None where the data is not there."""
    if entry.data is None:
        return None
    samples = entry.data.samples()
    group_of = dict(zip(samples.ids.tolist(), samples.groups.tolist(), strict=True))
    try:
        return np.array([group_of[name] for name in predictions.ids.tolist()], dtype=np.str_)
    except KeyError as error:
        raise ArtifactError(
            f"{entry.run.label} predicts {error}, which is no row of {entry.data.label}",
            where=str(entry.run.path / "predictions.csv"),
            next_step="train the run again with --force",
        ) from None


def scored(entry: RunInput, *, seed: int, draws: int, level: float) -> dict[str, Any]:
    """The run's entry in `runs[]`; ArtifactError when its predictions do not give the scores that it states."""
    predictions = read_predictions(entry.run.file("predictions.csv"))
    metrics = entry.run.json("metrics.json")
    if list(predictions.classes) != metrics.get("classes"):
        raise ArtifactError(
            f"{entry.run.label} has other classes in predictions.csv than in metrics.json",
            where=str(entry.run.path),
            next_step="train the run again with --force",
        )
    # the artifact's name, not the one inside: a copied run may have been renamed
    fresh = {
        **rescore(metrics, predictions, groups_of(entry, predictions), seed=seed, draws=draws, level=level),
        "name": entry.run.name,
        "rows_of": rows_of(entry),
    }
    found = contradictions(metrics, fresh)
    if found:
        raise ArtifactError(
            f"{entry.run.label} states scores that its predictions do not give: {'; '.join(found[:3])}",
            where=str(entry.run.path / "metrics.json"),
            next_step="train the run again with --force",
        )
    return fresh
