"""What a run fitted on columns, computed again from the training rows alone; its predictions scored again."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from fercli.artifacts.tables import read_predictions
from fercli.bp.losses import row_losses
from fercli.bp.network import forward
from fercli.evaluation.elsewhere import by_name
from fercli.evaluation.metrics import log_losses
from fercli.evaluation.summary import rows_in_samples
from fercli.inference.baseline_model import baseline_model
from fercli.inference.bp_model import KIND as BP
from fercli.inference.bp_model import bp_model
from fercli.inference.model_files import PREPROCESSING, ModelFiles
from fercli.inference.scorers import scorer_of
from fercli.preprocessing.foldwise import apply, from_arrays
from fercli.preprocessing.refitting import misfits
from fercli.records import Fold, Predictions, Scorer
from fercli.workflow.features import blocks_of
from fercli.workflow.model_files import model_files
from fercli.workflow.runs import fold_folder
from fercli.workflow.targets import ARRAYS
from fercli.workflow.verification import Covered, Difference
from fercli.workflow.verification_plan import RunView
from fercli.workflow.verification_predictions import FILE, METRICS

# In probability; the design's bound for a sample alone or in a batch.
TOLERANCE = 1e-5
# Of a mean loss: float32 sums of a network that has lost its removed columns.
LOSS_TOLERANCE = 1e-4
_AT_ONCE = 1024


def columns_as_fitted(view: RunView, sampled: list[int]) -> Covered:
    """Log shift, scaler and PCA of the sampled folds and of `model/`, from their training rows alone."""
    features, blocks = view.data.array("features.npy"), blocks_of(view.data)
    models = view.models(sampled)
    found = []
    for folder, rows in models:
        files = model_files(view.run, folder)
        fitted = from_arrays(files.tensors(PREPROCESSING), files.facts()["preprocessing"])
        for off in misfits(fitted, features, blocks, rows, view.preprocessing):
            more = f"; {off.columns:,} columns in all" if off.columns > 1 else ""
            what = f"{off.part}: not what the {len(rows):,} training rows give"
            place = f"{folder}/{PREPROCESSING}, {off.column}{more}"
            found.append(Difference(what, place, off.stored, off.refitted))
    return Covered(len(models), "models", found)


def training_scores_as_stated(view: RunView, sampled: list[int]) -> Covered:
    """Accuracy and loss on the training rows of the sampled folds, by the stored models, as `metrics.json` has them.

    And the loss on the held-out rows, which is that of training: predictions alone do not tell it. An accuracy may be
    off by one row, whose two likeliest classes rounding can swap.
    """
    features, stated = view.data.array("features.npy"), view.run.json(METRICS)["folds"]
    found, count = [], 0
    for number in sampled:
        fold = view.plan.folds[number]
        files = model_files(view.run, fold_folder(fold.repeat, fold.fold))
        if files.facts().get("stored") is False:
            continue
        rows = view.learned(fold)
        accuracy, loss = _scores(view, files, features, rows)
        again = [("train_accuracy", accuracy, 1.5 / len(rows)), ("train_loss", loss, LOSS_TOLERANCE * max(1.0, loss))]
        if len(fold.test):
            _, loss = _scores(view, files, features, fold.test)
            again.append(("test_loss", loss, LOSS_TOLERANCE * max(1.0, loss)))
        count += len(rows)
        for key, value, tolerance in again:
            stored = stated[number][key]
            if stored is None or not abs(stored - value) <= tolerance:
                what = f"{key} is not what the fold's stored model gives"
                found.append(Difference(what, f"{METRICS}, fold {fold.repeat}/{fold.fold}", stored, value))
    return Covered(count, "rows", found)


def _scores(
    view: RunView, files: ModelFiles, features: NDArray[np.floating], rows: NDArray[np.int64]
) -> tuple[float, float]:
    """Accuracy and the loss that was trained with, over the rows."""
    targets, hits, losses = view.samples.targets[rows], 0, 0.0
    network = bp_model(files) if files.facts().get("kind") == BP else None
    baseline = baseline_model(files) if network is None else None
    for start in range(0, len(rows), _AT_ONCE):
        part, truth = features[rows[start : start + _AT_ONCE]], targets[start : start + _AT_ONCE]
        if network is not None:
            dtype = network.network.w1.dtype
            outputs = forward(network.network, 0, apply(network.fitted, part).astype(dtype))
            losses += float(row_losses(outputs, truth, view.bp_config.loss).sum(dtype=np.float64))
        elif baseline is not None:
            outputs = baseline.probabilities(part)
            losses += float(log_losses(outputs, truth).sum())
        hits += int((outputs.argmax(axis=1) == truth).sum())
    return hits / len(rows), losses / len(rows)


def scores_as_stored(view: RunView, folds: Sequence[int], *, device: str, tolerance: float = TOLERANCE) -> Covered:
    """The predictions of these folds, scored again by their stored models."""
    predictions, array = read_predictions(view.run.file(FILE)), view.data.array(ARRAYS[view.data.kind])
    found, count = [], 0
    for fold in (view.plan.folds[number] for number in folds):
        folder = fold_folder(fold.repeat, fold.fold)
        files = model_files(view.run, folder)
        if files.facts().get("stored") is False:
            # Knn and forest are not here at all; of any other model it is the only proof of the fold's predictions.
            found.append(Difference("the fold's model is not stored", f"{folder}/model.json, stored", False, True))
            continue
        part = of_fold(predictions, fold)
        scorer = scorer_of(files, device=device)
        width = part.probabilities.shape[1]
        if len(scorer.classes) != width:
            found.append(Difference("another number of classes", folder, len(scorer.classes), width))
            continue
        rows = rows_in_samples(part, view.samples)
        again = by_name(np.concatenate([np.empty((0, width)), *_scored(scorer, array, rows)]), width)
        count += len(rows)
        away = np.abs(again - part.probabilities).max(axis=1, initial=0.0)
        off = ~(away <= tolerance)
        if off.any():
            row = int(np.argmax(np.where(off, away, -1.0)))
            column = int(np.argmax(np.abs(again[row] - part.probabilities[row])))
            more = f"; {int(off.sum()):,} rows in all" if off.sum() > 1 else ""
            place = f"{FILE}, fold {fold.repeat}/{fold.fold}, {part.ids[row]}, p_{part.classes[column]}{more}"
            values = float(part.probabilities[row, column]), float(again[row, column])
            found.append(Difference("a prediction is not what the fold's stored model gives", place, *values))
    return Covered(count, "rows", found)


def _scored(scorer: Scorer, array: NDArray[np.generic], rows: NDArray[np.int64]) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(rows), _AT_ONCE):
        yield scorer.scores(np.asarray(array[rows[start : start + _AT_ONCE]]))


def of_fold(predictions: Predictions, fold: Fold) -> Predictions:
    """The predictions of one fold."""
    here = (predictions.repeats == fold.repeat) & (predictions.folds == fold.fold)
    return Predictions(
        ids=predictions.ids[here],
        repeats=predictions.repeats[here],
        folds=predictions.folds[here],
        splits=predictions.splits[here],
        truth=predictions.truth[here],
        probabilities=predictions.probabilities[here],
        classes=predictions.classes,
    )
