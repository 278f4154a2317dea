"""What `explain` and `robustness` look at: each fold's model on the rows it held out, or `model/` on other data."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fercli.artifacts.schema import Parent
from fercli.artifacts.store import Artifact, Store
from fercli.artifacts.tables import read_predictions
from fercli.config.descriptors import DescriptorConfig
from fercli.config.evaluate import EvaluateConfig
from fercli.errors import ArtifactError, InputError, UsageError
from fercli.evaluation.elsewhere import joined_classes
from fercli.inference.model_files import FACTS
from fercli.inference.scorers import scorer_of
from fercli.protocol.participation import contents_of
from fercli.records import Notify, Predictions, Samples, Scorer
from fercli.seeds import generator
from fercli.workflow.ledger import append_scoring
from fercli.workflow.model_files import FINAL_FOLDER, model_files
from fercli.workflow.other_data import ALL_ROWS, planned
from fercli.workflow.runs import fold_folder
from fercli.workflow.scored_runs import RunInput, data_of
from fercli.workflow.trained_rows import FITTED, INNER

Wanted = Literal["pictures", "inputs"]


@dataclass(frozen=True)
class Part:
    """Rows that one stored model scores.

    rows: (n,) of the data. copied: (n,) bool, those whose equal copy, or which themselves, the model was trained on.
    stored: (n, C) its predictions, None on other data.
    """

    folder: str
    repeat: int
    fold: int
    rows: NDArray[np.int64]
    copied: NDArray[np.bool_]
    stored: NDArray[np.float64] | None


@dataclass(frozen=True)
class Examined:
    """One run's models with the rows that they may be judged on.

    data: holds the rows: the run's own input, or the pictures behind it. classes: the model's, then those that only
    the data has. descriptors: what turns its pictures into the model's columns; None where the model takes the data
    as it is. leaks: sentences for every table. on, split: in the words of `metrics.json`.
    """

    run: Artifact
    data: Artifact
    samples: Samples
    classes: tuple[str, ...]
    parts: tuple[Part, ...]
    descriptors: DescriptorConfig | None
    leaks: tuple[str, ...]
    parents: tuple[Parent, ...]
    on: str
    split: str

    @property
    def rows(self) -> NDArray[np.int64]:
        """(m,) the rows of all parts, each once, sorted."""
        return np.unique(np.concatenate([part.rows for part in self.parts]))

    @property
    def groups(self) -> NDArray[np.str_]:
        """(M,) the group of each prediction, in the order of `predictions`."""
        return np.concatenate([self.samples.groups[part.rows] for part in self.parts])

    @property
    def copied(self) -> NDArray[np.bool_]:
        """(M,) whether the model of each prediction was trained on a row equal to it, in the order of `predictions`."""
        return np.concatenate([part.copied for part in self.parts])

    @property
    def copies(self) -> int:
        """How many rows those are, each counted once."""
        return len(np.unique(np.concatenate([part.rows[part.copied] for part in self.parts])))

    def truth(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """(n,) the place of each row's label in `classes`."""
        place = {name: index for index, name in enumerate(self.classes)}
        return np.array([place[label] for label in self.samples.labels[rows].tolist()], dtype=np.int64)

    def predictions(self, probabilities: Sequence[NDArray[np.float64]]) -> Predictions:
        """Probabilities (n, C) of each part as the predictions of all."""
        rows = np.concatenate([part.rows for part in self.parts])
        return Predictions(
            ids=self.samples.ids[rows],
            repeats=np.concatenate([np.full(len(part.rows), part.repeat) for part in self.parts]),
            folds=np.concatenate([np.full(len(part.rows), part.fold) for part in self.parts]),
            splits=self.samples.splits[rows],
            truth=self.truth(rows),
            probabilities=np.concatenate(probabilities),
            classes=self.classes,
        )

    def scorer(self, part: Part, device: str) -> Scorer:
        """The part's model. Raises ArtifactError where the fold's was not stored."""
        files = model_files(self.run, part.folder)
        if part.folder != FINAL_FOLDER and files.facts().get("stored") is False:
            raise ArtifactError(
                f"{self.run.label} does not keep the models of its folds: each holds as much as the training rows",
                where=f"{files.where}/{FACTS}",
                next_step="look at its model/ on other data with --on DATASET",
            )
        return scorer_of(files, device=device)

    def limited(self, limit: int | None, seed: int) -> "Examined":
        """The same with at most `limit` rows: class by class in proportion, drawn from the seed."""
        rows = self.rows
        if limit is None or limit >= len(rows):
            return self
        return self.only(rows[proportional(self.truth(rows), limit, seed)])

    def only(self, kept: NDArray[np.int64]) -> "Examined":
        """The same with the rows `kept` alone."""
        parts = []
        for part in self.parts:
            here = np.isin(part.rows, kept)
            if here.any():
                stored = None if part.stored is None else part.stored[here]
                parts.append(replace(part, rows=part.rows[here], copied=part.copied[here], stored=stored))
        return replace(self, parts=tuple(parts))

    def note_test_rows(self, store: Store, purpose: str) -> None:
        """A line in the ledger where rows of a test split are among them."""
        count = int(np.sum(self.samples.splits[self.rows] == "test"))
        if count:
            append_scoring(store, self.run.name, purpose if self.is_own else f"{purpose} --on {self.on}", count)

    @property
    def is_own(self) -> bool:
        """Whether these are the held-out rows of the run."""
        return self.parts[0].folder != FINAL_FOLDER


def proportional(labels: NDArray[np.int64], count: int, seed: int) -> NDArray[np.int64]:
    """(count,) sorted places of rows, drawn so that every label (N,) keeps its share as nearly as it can.

    A smaller count picks among the rows of a larger one.
    """
    rank = np.empty(len(labels))
    for label in np.unique(labels).tolist():
        own = np.flatnonzero(labels == label)
        order = generator(seed, "examined.rows", int(label)).permutation(len(own))
        rank[own[order]] = (np.arange(len(own)) + 0.5) / len(own)
    return np.sort(np.argsort(rank, kind="stable")[:count])


def examined(
    store: Store, run: Artifact, on: EvaluateConfig, notify: Notify, *, wanted: Wanted, device: str
) -> Examined:
    """The rows of `run` that may be looked at, found before any work.

    on: `on` None for the run's own held-out rows, else the other data as `evaluate --on` takes it. wanted: `inputs`,
    what the model takes, or `pictures`, behind features too. Raises InputError, LeakRefused and ArtifactError.
    """
    data = data_of(store, run)
    if on.on is not None:
        return _elsewhere(store, run, data, on, notify, wanted=wanted, device=device)
    if data is None:
        raise ArtifactError(
            f"the data that {run.label} was scored on is not in this workspace or has changed",
            where=str(run.path),
            next_step="bring it back, train again, or give other data with --on",
        )
    metrics = run.json("metrics.json")
    source, descriptors = _source(store, run, data, wanted)
    samples = source.samples()
    predictions = read_predictions(run.file("predictions.csv"))
    rows = rows_of(samples, predictions.ids, source)
    own = data.samples()
    contents, places = contents_of(own), rows_of(own, predictions.ids, data)
    parts = []
    for repeat, fold in sorted(set(zip(predictions.repeats.tolist(), predictions.folds.tolist(), strict=True))):
        here = (predictions.repeats == repeat) & (predictions.folds == fold)
        folder = fold_folder(repeat, fold)
        trained = np.isin(run.array(f"{folder}/rows.npy"), (FITTED, INNER))
        copied = np.isin(contents[places[here]], contents[trained])
        parts.append(Part(folder, repeat, fold, rows[here], copied, predictions.probabilities[here]))
    found = [run.parent(), data.parent(), source.parent()]
    return Examined(
        run=run,
        data=source,
        samples=samples,
        classes=predictions.classes,
        parts=tuple(parts),
        descriptors=descriptors,
        leaks=tuple(metrics["protocol"]["leaks"]),
        parents=_once(found),
        on=str(metrics["on"]),
        split=str(metrics["split"]),
    )


def _elsewhere(
    store: Store,
    run: Artifact,
    data: Artifact | None,
    on: EvaluateConfig,
    notify: Notify,
    *,
    wanted: Wanted,
    device: str,
) -> Examined:
    plan = planned(store, RunInput(run, data), on, notify, device=device)
    source, descriptors = plan.target.artifact, plan.target.descriptors
    samples, rows = plan.samples, plan.rows
    if wanted == "pictures" and source.kind == "features":
        own_ids = samples.ids[rows]
        source, descriptors = _source(store, run, source, wanted)
        samples = source.samples()
        rows = rows_of(samples, own_ids, source)
    return Examined(
        run=run,
        data=source,
        samples=samples,
        classes=joined_classes(plan.scorer.classes, plan.samples.classes),
        parts=(Part(FINAL_FOLDER, 0, 0, rows, plan.in_training, None),),
        descriptors=descriptors,
        leaks=(*plan.stored["protocol"]["leaks"], *plan.leaks),
        parents=_once([*plan.parents, source.parent()]),
        on=str(plan.target.artifact.name),
        split=on.split or ALL_ROWS,
    )


def _source(store: Store, run: Artifact, data: Artifact, wanted: Wanted) -> tuple[Artifact, DescriptorConfig | None]:
    """The data itself, or the pictures that features were extracted from and how."""
    if data.kind == "dataset" or wanted == "inputs":
        return data, None
    return pictures_behind(store, data, run.label), DescriptorConfig.of(**data.config)


def pictures_behind(store: Store, features: Artifact, owner: str) -> Artifact:
    """The data set that features were extracted from. Raises InputError for a sheet that was imported, ArtifactError
    where the data set is gone or has changed."""
    parents = [parent for parent in features.manifest.parents if parent.kind == "dataset"]
    if not parents:
        raise InputError(
            f"{owner} is about {features.label}, a feature sheet that somebody else made: there are no pictures behind "
            "its columns",
            where=features.label,
            next_step="name a run on pictures, or on features that fer extract-features made",
        )
    (parent,) = parents
    if parent.name in store.names("dataset"):
        found = store.open("dataset", parent.name)
        if found.manifest.fingerprint == parent.fingerprint:
            return found
    raise ArtifactError(
        f"the pictures behind {features.label}, dataset/{parent.name}, are not in this workspace or have changed",
        where=str(features.path),
        next_step="bring the data set back, or extract and train again",
    )


def rows_of(samples: Samples, ids: NDArray[np.str_], data: Artifact) -> NDArray[np.int64]:
    """(n,) the row of each id. Raises ArtifactError where one is no row of the data."""
    place = {name: row for row, name in enumerate(samples.ids.tolist())}
    try:
        return np.array([place[name] for name in ids.tolist()], dtype=np.int64)
    except KeyError as error:
        raise ArtifactError(
            f"{error} is no row of {data.label}", where=str(data.path), next_step="make the artifact again with --force"
        ) from None


def chosen_run(store: Store, name: str | None) -> Artifact:
    """The named run, else the only one of the workspace."""
    if name is not None:
        return store.open("run", name)
    names = store.names("run")
    if len(names) > 1:
        raise UsageError(
            f"the workspace has {len(names)} runs", where=", ".join(names), next_step=f"name one, e.g. {names[0]}"
        )
    return store.only("run", option="RUN")


def _once(parents: Sequence[Parent]) -> tuple[Parent, ...]:
    return tuple({(parent.kind, parent.name): parent for parent in parents}.values())
