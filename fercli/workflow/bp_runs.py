"""What train-bp and prune-bp have in common: their inputs, training with progress, predictions, the final model."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from fercli.artifacts.draft import Draft
from fercli.artifacts.schema import Parent
from fercli.artifacts.store import Artifact, Store
from fercli.bp.chunk import Rows
from fercli.bp.foldwise import Prepared, final_fold, prepare, rule_of, untrained
from fercli.bp.network import NetworkStack, forward, probabilities
from fercli.bp.pruning import Scores, scores_of
from fercli.bp.training import EpochRecord, Trained, finish, train
from fercli.config.bp import TrainBPConfig
from fercli.errors import InputError
from fercli.records import Block, Fold, Notify, Outcome, Predictions, Samples
from fercli.workflow.bp_models import FINAL_FOLDER, write_bp_model
from fercli.workflow.features import blocks_of
from fercli.workflow.plans import Planned, plan_for
from fercli.workflow.request import Request
from fercli.workflow.runs import fold_folder

C = TypeVar("C", bound=TrainBPConfig)
ROWS_AT_ONCE = 8192


@dataclass(frozen=True)
class Memo:
    """What the runs of a sweep have in common, by what decides it: prepared rows, and trainings with their records."""

    prepared: dict[str, Prepared] = field(default_factory=dict)
    trained: dict[str, tuple[Trained, list[EpochRecord]]] = field(default_factory=dict)


class Laps:
    """Seconds by step, for `timing.csv`; a step that comes twice is added up."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, step: str) -> None:
        """The time since the last lap went into `step`."""
        now = time.perf_counter()
        self.seconds[step] = self.seconds.get(step, 0.0) + now - self._last
        self._last = now


@dataclass(frozen=True)
class BPInputs:
    """What a BP command reads. parents: of the run, the features first."""

    data: Artifact
    samples: Samples
    features: NDArray[np.floating]
    blocks: tuple[Block, ...]
    planned: Planned
    parents: tuple[Parent, ...]

    def prepared(self, folds: Sequence[Fold], config: TrainBPConfig, memo: Memo | None = None) -> Prepared:
        """Rows of these folds, each after its own preprocessing; InputError for values that cannot be scored.

        memo: of a sweep, whose runs share data and protocol.
        """
        _refuse_unscorable(self.features, folds)
        key = json.dumps([config.preprocessing.stored(), config.precision, config.patience is None, _keys(folds)])
        if memo is not None and key in memo.prepared:
            return memo.prepared[key]
        made = prepare(self.features, self.blocks, self.samples.targets, folds, config)
        if memo is not None:
            memo.prepared[key] = made
        return made


def _keys(folds: Sequence[Fold]) -> list[list[int]]:
    return [[fold.repeat, fold.fold] for fold in folds]


def _refuse_unscorable(features: NDArray[np.floating], folds: Sequence[Fold]) -> None:
    """Of rows that are only held out nothing is fitted, so nothing else looks at their values."""
    trained = np.unique(np.concatenate([fold.train for fold in folds]))
    rows = np.setdiff1d(np.concatenate([fold.test for fold in folds]), trained)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[start : start + ROWS_AT_ONCE]
        bad = part[~np.isfinite(features[part]).all(axis=1)]
        if len(bad):
            raise InputError(
                "a held-out row has a value that is not finite, and cannot be scored",
                where=f"row {int(bad[0])} of the features",
                next_step="leave the row out, or repair it; `fer audit` lists such rows",
            )


def bp_inputs(store: Store, data: Artifact, config: TrainBPConfig, request: Request, notify: Notify) -> BPInputs:
    """The features with their folds."""
    samples = data.samples()
    planned = plan_for(store, data, samples, config.protocol, request, notify)
    return BPInputs(data, samples, data.array("features.npy"), blocks_of(data), planned, planned.parents)


def would_train(inputs: BPInputs, name: str, config: TrainBPConfig) -> Outcome:
    """The answer to `--dry-run`."""
    networks = len(inputs.planned.plan.folds)
    return Outcome(
        payload={"would_make": f"run/{name}", "networks": networks, "epochs": config.epochs},
        lines=(f"would train {networks} networks for {config.epochs} epochs into runs/{name}",),
    )


def with_default_pca(config: C, data: Artifact) -> C:
    """The config with the PCA that the features were stored with as their default."""
    preprocessing = config.preprocessing.model_copy(update={"pca": data.content["pca"]})
    return config.model_copy(update={"preprocessing": preprocessing})


def train_shown(
    rows: Sequence[Rows],
    classes: int,
    config: TrainBPConfig,
    threads: int,
    notify: Notify,
    see: Callable[[EpochRecord], None],
    memo: Memo | None = None,
) -> Trained:
    """Train fresh networks over `rows` with a progress bar; with a memo that has them, take them from there."""
    key = _training_key(rows, config)
    if memo is not None and key in memo.trained:
        trained, records = memo.trained[key]
        for record in records:
            see(record)
        return trained
    run = train(
        untrained(rows, classes, config),
        rows,
        rule_of(config),
        epochs=config.epochs,
        patience=config.patience,
        threads=threads,
    )
    seen: list[EpochRecord] = []
    with notify.progress(f"training {len(rows)} networks", config.epochs, "epochs") as bar:

        def shown(record: EpochRecord) -> None:
            see(record)
            seen.append(record)
            bar.advance(1, f"train loss {np.nanmean(record.train_loss):.4f}")

        trained = finish(run, shown)
    if memo is not None:
        memo.trained[key] = (trained, seen)
    return trained


def _training_key(rows: Sequence[Rows], config: TrainBPConfig) -> str:
    """What decides a training within one sweep, where data and folds are the same."""
    stored = {name: value for name, value in config.stored().items() if name in TrainBPConfig.model_fields}
    return json.dumps([stored, [[own.key.repeat, own.key.fold] for own in rows]])


def history_of(record: EpochRecord, folds: Sequence[Fold], phase: str, rate: float) -> Iterator[dict[str, Any]]:
    """One line of history.csv per network that was trained in this epoch."""
    for place, fold in enumerate(folds):
        if record.trained[place]:
            yield {
                "repeat": fold.repeat,
                "fold": fold.fold,
                "phase": phase,
                "epoch": record.epoch,
                "units": int(record.units[place]),
                "learning_rate": rate,
                "train_loss": float(record.train_loss[place]),
                "train_accuracy": float(record.train_accuracy[place]),
                "test_loss": float(record.test_loss[place]),
                "test_accuracy": float(record.test_accuracy[place]),
                "monitor_loss": float(record.monitor_loss[place]),
            }


def predictions_of(stack: NetworkStack, rows: Sequence[Rows], folds: Sequence[Fold], samples: Samples) -> Predictions:
    """Probabilities of every fold's held-out rows."""
    held_out = np.concatenate([fold.test for fold in folds])
    scored = [probabilities(forward(stack, network, own.test_x)) for network, own in enumerate(rows)]
    return Predictions(
        ids=samples.ids[held_out],
        repeats=np.concatenate([np.full(len(fold.test), fold.repeat) for fold in folds]),
        folds=np.concatenate([np.full(len(fold.test), fold.fold) for fold in folds]),
        splits=samples.splits[held_out],
        truth=samples.targets[held_out],
        probabilities=np.concatenate(scored),
        classes=samples.classes,
    )


def all_scores(stack: NetworkStack, rows: Sequence[Rows], config: TrainBPConfig) -> list[Scores]:
    """Loss and accuracy of every network on its training and held-out rows."""
    return [scores_of(stack, network, own, config.loss) for network, own in enumerate(rows)]


def write_fold_models(
    draft: Draft, stack: NetworkStack, prepared: Prepared, folds: Sequence[Fold], classes: Sequence[str]
) -> None:
    """Every fold's network in `folds/R/00`."""
    for network, (fold, fitted) in enumerate(zip(folds, prepared.fitted, strict=True)):
        write_bp_model(draft, fold_folder(fold.repeat, fold.fold), stack, network, fitted, classes)


def final_rows(inputs: BPInputs, config: C, epochs: NDArray[np.int64]) -> tuple[Prepared, C]:
    """All rows of the folds for one more network, and its config: the median of the folds' epochs, no stopping."""
    alone = config.model_copy(update={"epochs": max(1, round(float(np.median(epochs)))), "patience": None})
    return inputs.prepared([final_fold(inputs.planned.plan.rows)], alone), alone


def write_final_model(draft: Draft, stack: NetworkStack, prepared: Prepared, classes: Sequence[str]) -> None:
    """The first network of a stack as the run's `model/`."""
    write_bp_model(draft, FINAL_FOLDER, stack, 0, prepared.fitted[0], classes)
