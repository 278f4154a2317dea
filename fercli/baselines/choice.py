"""What is chosen for a yardstick, from the fold's training rows alone: its parameters and its temperature."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from fercli.baselines.estimators import fit_model
from fercli.baselines.fitted import softmax
from fercli.config.baseline import Parameters, TrainBaselineConfig
from fercli.preprocessing.foldwise import apply, fit_folds
from fercli.protocol.duplicates import merge, numbered
from fercli.protocol.folds import stratified_grouped
from fercli.protocol.inner import inner_rows
from fercli.records import Block
from fercli.seeds import integer

# Scores of these are distances from a margin: only a temperature makes probabilities of them.
MARGINS = frozenset({"linear-svm", "rbf-svm"})
_CLIP = 1e-15


@dataclass(frozen=True)
class Tried:
    """One candidate of the grid and its inner score over all inner folds; rows: how many were scored."""

    parameters: Parameters
    accuracy: float
    log_loss: float
    scale: float
    rows: int


@dataclass(frozen=True)
class Choice:
    """The parameters and the scale that are in force, and all that was tried (() where nothing could be chosen)."""

    parameters: Parameters
    scale: float
    tried: tuple[Tried, ...] = ()


def choose(
    features: NDArray[np.floating],
    blocks: Sequence[Block],
    targets: NDArray[np.int64],
    groups: NDArray[np.int64],
    copies: NDArray[np.int64],
    train: NDArray[np.int64],
    classes: int,
    config: TrainBaselineConfig,
    *,
    repeat: int,
    fold: int,
    threads: int = 1,
) -> Choice:
    """Search the grid by cross validation inside the rows `train` (n,), groups and copies whole.

    features: (N, D) raw; targets, groups, copies: (N,) int64; all are read at `train` only. Above `grid_rows` rows a
    stratified part of whole units is read. Preprocessing is fitted anew on each inner training part. The highest
    pooled accuracy wins, of equals the first of the grid. For support vector machines the inner held-out scores
    also give the temperature: the scale under which softmax has the least log loss (Guo et al. 2017).
    The draw depends on (seed, repeat, fold) and the training rows. Where these form a single unit, or nothing is to
    be chosen, the defaults hold, with a scale of 1.
    """
    candidates = config.candidates()
    seed = config.protocol.seed
    if config.protocol.monitor == "none" or (len(candidates) == 1 and config.model not in MARGINS):
        return Choice(candidates[0], 1.0)
    if len(train) > config.grid_rows:
        part = config.grid_rows / len(train)
        draw = integer(seed, "baselines.grid")
        train = inner_rows(train, targets, groups, copies, fraction=part, seed=draw, repeat=repeat, fold=fold)
    units = merge(numbered(groups[train]), numbered(copies[train]))
    k = min(config.inner_folds, len(np.unique(units)))
    if k < 2:
        return Choice(config.fallback(), 1.0)
    draw = integer(seed, "baselines.inner", repeat, fold)
    assigned = stratified_grouped(targets[train], units, k=k, repeats=1, seed=draw)[0]
    parts = [(train[assigned != number], train[assigned == number]) for number in range(k)]
    fitted = fit_folds(features, blocks, [own for own, _ in parts], config.preprocessing)
    inputs = [
        (apply(one, features[own]), targets[own], apply(one, features[held_out]), targets[held_out])
        for one, (own, held_out) in zip(fitted, parts, strict=True)
    ]
    truth = np.concatenate([held_out for *_, held_out in inputs])
    fit_seed = integer(seed, "baselines.fit", repeat, fold)
    tried = []
    for parameters in candidates:
        scores = np.concatenate(
            [
                fit_model(x, y, classes, parameters, config, seed=fit_seed, threads=threads).scores(held_out)
                for x, y, held_out, _ in inputs
            ]
        )
        scale = temperature(scores, truth) if config.model in MARGINS else 1.0
        hits = float(np.mean(np.argmax(scores, axis=1) == truth))
        tried.append(Tried(parameters, hits, _log_loss(scores, truth, scale), scale, len(truth)))
    best = max(tried, key=lambda one: one.accuracy)
    return Choice(best.parameters, best.scale, tuple(tried))


def temperature(scores: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """The scale 1e-3..1e3 of scores (n, C) under which softmax has the least mean log loss on truth (n,)."""
    found = minimize_scalar(
        lambda power: _log_loss(scores, truth, float(np.exp(power))),
        bounds=(np.log(1e-3), np.log(1e3)),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(np.exp(found.x))


def _log_loss(scores: NDArray[np.float64], truth: NDArray[np.int64], scale: float) -> float:
    own = softmax(scores, scale)[np.arange(len(truth)), truth]
    return float(-np.mean(np.log(np.maximum(own, _CLIP))))
