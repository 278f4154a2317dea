"""From trained BP networks to what a run stores: history, predictions, scores, models."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fercli.artifacts.draft import Draft
from fercli.bp.chunk import Rows
from fercli.bp.foldwise import Prepared
from fercli.bp.network import NetworkStack, forward, probabilities
from fercli.bp.pruning import Scores, scores_of
from fercli.bp.training import EpochRecord
from fercli.config.bp import TrainBPConfig
from fercli.records import Fold, Predictions, Samples
from fercli.workflow.bp_models import FINAL_FOLDER, write_bp_model
from fercli.workflow.runs import fold_folder


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


def write_final_model(draft: Draft, stack: NetworkStack, prepared: Prepared, classes: Sequence[str]) -> None:
    """The first network of a stack as the run's `model/`."""
    write_bp_model(draft, FINAL_FOLDER, stack, 0, prepared.fitted[0], classes)
