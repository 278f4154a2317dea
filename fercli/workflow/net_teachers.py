"""The run whose networks are learned from, fold by fold; one that has seen held-out rows is refused."""

from dataclasses import dataclass

import numpy as np

from fercli.artifacts.store import Artifact, Store
from fercli.config.resnet import Architecture
from fercli.errors import InputError, UsageError
from fercli.inference.model_files import FACTS, WEIGHTS
from fercli.records import Fold
from fercli.resnet.fitted import FittedNet
from fercli.resnet.progress import Task
from fercli.resnet.variants import describe
from fercli.workflow.model_files import FINAL_FOLDER, model_files
from fercli.workflow.runs import fold_folder

_FITTED, _INNER = 1, 2


@dataclass(frozen=True)
class Teachers:
    """The networks of one run."""

    run: Artifact

    def of(self, task: Task) -> FittedNet:
        """The network of the task's own fold, or that of the final model."""
        folder = FINAL_FOLDER if task.path == ("final",) else fold_folder(*(int(part) for part in task.path))
        files = model_files(self.run, folder)
        return FittedNet.read(files.facts(), files.read(WEIGHTS), where=files.where)


def teachers_of(
    store: Store, name: str, dataset: Artifact, folds: tuple[Fold, ...], architecture: Architecture, *, final: bool
) -> Teachers:
    """The networks of the run called `name`, if they may teach those of `folds`.

    final: a model on all rows is wanted too. Raises UsageError for a run of another kind, data set or shape, or without
    that model; InputError (a leak) where a fold's network has seen a row that is held out here, or has been fitted on
    a row that chooses here.
    """
    run = store.open("run", name)
    given = f"--distil-from {name}"
    if run.content["run_kind"] != "resnet":
        raise UsageError(
            f"{run.label} is of {run.content['run_kind']}, which no network can learn from here",
            where=given,
            next_step="name a run of train-resnet",
        )
    if all(
        (parent.kind, parent.fingerprint) != ("dataset", dataset.parent().fingerprint)
        for parent in run.manifest.parents
    ):
        raise UsageError(
            f"{run.label} was trained on other data than {dataset.label} as it is now",
            where=given,
            next_step=f"train it on {dataset.name} first",
        )
    _check_shape(run, architecture, given)
    for fold in folds:
        _check_rows(run, fold, given)
    if final and not run.has(f"{FINAL_FOLDER}/{FACTS}"):
        raise UsageError(
            f"{run.label} has no model on all rows for the final model to learn from",
            where=given,
            next_step="leave the final model out with --no-final-model, or train the teacher with one",
        )
    return Teachers(run)


def _check_shape(run: Artifact, architecture: Architecture, given: str) -> None:
    taught = Architecture(**run.content["architecture"])
    height, width = architecture.input_size
    asked = taught.model_copy(update={"size": (height, width), "crop": 0})
    if describe(asked).parameters != describe(taught).parameters:
        tall, wide = taught.input_size
        raise UsageError(
            f"the fully connected blocks of {run.label} take {tall}x{wide} pixels, not {height}x{width}",
            where=given,
            next_step=f"take --crop {taught.crop} here too, or another teacher",
        )


def _check_rows(run: Artifact, fold: Fold, given: str) -> None:
    folder = fold_folder(fold.repeat, fold.fold)
    if not run.has(f"{folder}/rows.npy"):
        raise InputError(
            f"{run.label} has no fold {fold.fold} of repeat {fold.repeat}: its folds are others",
            where=given,
            next_step="train the teacher on the same folds",
        )
    roles = run.array(f"{folder}/rows.npy")
    seen = np.flatnonzero((roles == _FITTED) | (roles == _INNER))
    strangers = np.setdiff1d(seen, fold.train)
    if len(strangers):
        held_out = len(np.intersect1d(strangers, fold.test))
        raise InputError(
            f"a leak: in fold {fold.fold} of repeat {fold.repeat} {run.label} has seen {len(strangers):,} rows that do"
            f" not belong to the training rows here, {held_out:,} of them held out",
            where=given,
            next_step="train the teacher on the same folds",
        )
    chosen_on = np.intersect1d(np.flatnonzero(roles == _FITTED), fold.inner)
    if len(chosen_on):
        raise InputError(
            f"a leak: in fold {fold.fold} of repeat {fold.repeat} {run.label} was fitted on {len(chosen_on):,} of the"
            f" {len(fold.inner):,} rows that choose here",
            where=given,
            next_step="let nothing be chosen here (--patience 0 --keep last, no plateau), or train the teacher with the"
            " same choice",
        )
