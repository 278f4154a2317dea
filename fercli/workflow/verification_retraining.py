"""Weights: a fold of a run on columns trained again from its training rows alone, and scored beside what is stored."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.artifacts.tables import read_csv, read_predictions
from fercli.baselines import training as baselines
from fercli.bp.chunk import Rows
from fercli.bp.foldwise import prune_rule_of, rule_of, untrained
from fercli.bp.network import NetworkKey, NetworkStack, forward, probabilities
from fercli.bp.pruning import prune
from fercli.bp.training import finish, train
from fercli.config.baseline import TrainBaselineConfig
from fercli.config.bp import PruneBPConfig
from fercli.evaluation.summary import rows_in_samples
from fercli.preprocessing.foldwise import apply
from fercli.protocol.duplicates import group_numbers
from fercli.records import Fold
from fercli.workflow.bp_models import read_bp_model
from fercli.workflow.bp_sizes import SIZE_COLUMNS
from fercli.workflow.features import blocks_of
from fercli.workflow.runs import fold_folder
from fercli.workflow.verification import Covered, Difference
from fercli.workflow.verification_fits import of_fold
from fercli.workflow.verification_plan import RunView
from fercli.workflow.verification_predictions import FILE

# Of each trainer's numbers: those that an older or newer one wrote cannot be computed again by this release.
ALGORITHMS: Mapping[str, int] = {"train-bp": 2, "prune-bp": 2, "train-baseline": 1}
# In probability. The same machine gives the same bytes; another one rounds otherwise, and training lets that grow.
TOLERANCE = 1e-3


def why_not(view: RunView) -> str | None:
    """Why a run cannot be trained again here; None where it can."""
    if view.command not in ALGORITHMS:
        return "nets are not trained again"
    if view.run.config.get("device", "cpu") != "cpu":
        return "it was trained on another device than a CPU"
    if view.run.manifest.algorithm != ALGORITHMS[view.command]:
        return f"it is of algorithm version {view.run.manifest.algorithm}, this release has {ALGORITHMS[view.command]}"
    return None


def weights_as_trained(view: RunView, sampled: list[int], threads: int) -> Covered:
    """The sampled folds trained again: their held-out rows get the stored probabilities, and as many units are left.

    BP networks learn from the columns that the stored preprocessing gives, which is checked by itself.
    """
    predictions, found = read_predictions(view.run.file(FILE)), []
    for number in sampled:
        fold = view.plan.folds[number]
        part = of_fold(predictions, fold)
        rows = rows_in_samples(part, view.samples)
        again, difference = _trained_again(view, fold, rows, threads)
        found += [] if difference is None else [difference]
        away = np.abs(again - part.probabilities).max(axis=1, initial=0.0)
        off = ~(away <= TOLERANCE)
        if off.any():
            row = int(np.argmax(np.where(off, away, -1.0)))
            column = int(np.argmax(np.abs(again[row] - part.probabilities[row])))
            more = f"; {int(off.sum()):,} rows in all" if off.sum() > 1 else ""
            place = f"{FILE}, fold {fold.repeat}/{fold.fold}, {part.ids[row]}, p_{part.classes[column]}{more}"
            what = "a prediction is not what training on the fold's training rows gives"
            values = float(part.probabilities[row, column]), float(again[row, column])
            found.append(Difference(what, place, *values))
    return Covered(len(sampled), "trainings", found)


def _trained_again(
    view: RunView, fold: Fold, rows: NDArray[np.int64], threads: int
) -> tuple[NDArray[np.float64], Difference | None]:
    """(n, C) probabilities of `rows` by a model trained anew, and whether another number of units is left."""
    if view.command == "train-baseline":
        return _baseline(view, fold, rows, threads), None
    folder = fold_folder(fold.repeat, fold.fold)
    model, config = read_bp_model(view.run, folder), view.bp_config
    learned, inner = view.learned(fold), fold.inner if config.patience is not None else fold.inner[:0]
    features, targets = view.data.array("features.npy"), view.samples.targets
    dtype = np.dtype(config.precision)

    def columns(chosen: NDArray[np.int64]) -> NDArray[np.floating]:
        return apply(model.fitted, features[chosen]).astype(dtype)

    own = Rows(
        NetworkKey(fold.repeat, fold.fold),
        *(columns(learned), targets[learned]),
        *(columns(fold.test), targets[fold.test]),
        *(columns(inner), targets[inner]),
    )
    stack = _network(view, fold, own, threads)
    difference = None
    if int(stack.widths[0]) != len(model.units):
        what = "training on the fold's training rows leaves another number of units"
        difference = Difference(what, f"{folder}/weights.safetensors", len(model.units), int(stack.widths[0]))
    return probabilities(forward(stack, 0, columns(rows))), difference


def _network(view: RunView, fold: Fold, rows: Rows, threads: int) -> NetworkStack:
    """A stack of the one network of a fold, trained, and pruned where the run is."""
    config, classes = view.bp_config, len(view.samples.classes)
    how: dict[str, Any] = {"patience": config.patience, "threads": threads}
    fresh = untrained([rows], classes, config)
    trained = finish(train(fresh, [rows], rule_of(config), epochs=config.epochs, **how)).stack
    if not isinstance(config, PruneBPConfig):
        return trained
    down_to = np.array([_chosen_size(view, fold)]) if config.until_worse else None
    run = prune(
        trained,
        [rows],
        rule_of(config),
        prune_rule_of(config),
        first_epoch=config.epochs,
        down_to=down_to,
        with_control=False,
        **how,
    )
    return finish(run).stack


def _chosen_size(view: RunView, fold: Fold) -> int:
    """The size that the inner cross validation of a fold chose, as sizes.csv states it."""
    header, lines = read_csv(view.run.file("sizes.csv"), SIZE_COLUMNS)
    sizes = [dict(zip(header, line, strict=True)) for line in lines]
    place = (str(fold.repeat), str(fold.fold), "1")
    return next(int(size["units"]) for size in sizes if (size["repeat"], size["fold"], size["chosen"]) == place)


def _baseline(view: RunView, fold: Fold, rows: NDArray[np.int64], threads: int) -> NDArray[np.float64]:
    values = {key: value for key, value in view.run.config.items() if key in TrainBaselineConfig.model_fields}
    features = view.data.array("features.npy")
    material = baselines.Rows(
        features=features,
        blocks=blocks_of(view.data),
        targets=view.samples.targets,
        groups=group_numbers(view.samples.groups),
        copies=view.plan.copies,
        classes=len(view.samples.classes),
    )
    # As the trainer does: several folds take one thread each, a single one all of them.
    own = threads if len(view.plan.folds) == 1 else 1
    return baselines.fit_fold(material, fold, TrainBaselineConfig.of(**values), threads=own).probabilities(
        features[rows]
    )
