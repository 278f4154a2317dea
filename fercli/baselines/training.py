"""One yardstick on one fold: choose and fit on its training rows, then score the rows that it holds out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from fercli.baselines.choice import Choice, choose
from fercli.baselines.estimators import fit_model
from fercli.baselines.fitted import FittedBaseline
from fercli.config.baseline import TrainBaselineConfig
from fercli.errors import InputError
from fercli.preprocessing.foldwise import Fitted, apply, fit
from fercli.records import Block, Fold
from fercli.seeds import integer

FINAL_FOLD = -1
_SCORED_AT_ONCE = 8192


@dataclass(frozen=True)
class Rows:
    """What the folds index. features: (N, D) raw, may be a memory map. targets, groups, copies: (N,) int64."""

    features: NDArray[np.floating]
    blocks: tuple[Block, ...]
    targets: NDArray[np.int64]
    groups: NDArray[np.int64]
    copies: NDArray[np.int64]
    classes: int


@dataclass(frozen=True)
class FittedFold:
    """Everything fitted for one fold, from its training rows alone."""

    preprocessing: Fitted
    model: FittedBaseline
    choice: Choice

    def probabilities(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """(n, C) class probabilities of raw features (n, D), a few thousand rows at a time."""
        parts = [
            self.model.probabilities(apply(self.preprocessing, features[start : start + _SCORED_AT_ONCE]))
            for start in range(0, len(features), _SCORED_AT_ONCE)
        ]
        return np.concatenate(parts) if parts else np.empty((0, self.model.classes))


@dataclass(frozen=True)
class FoldResult:
    """One trained fold. held_out: (n, C) probabilities of `fold.test`. train_loss: mean log loss on `fold.train`."""

    fold: Fold
    fitted: FittedFold
    held_out: NDArray[np.float64]
    train_accuracy: float
    train_loss: float
    test_loss: float | None
    test_accuracy: float | None


def final_fold(rows: NDArray[np.int64]) -> Fold:
    """All rows of the folds as one more "fold" with nothing held out, for the final model."""
    none = np.empty(0, dtype=np.int64)
    return Fold(repeat=0, fold=FINAL_FOLD, train=rows, test=none, inner=none)


def fit_fold(rows: Rows, fold: Fold, config: TrainBaselineConfig, *, threads: int = 1) -> FittedFold:
    """Choose parameters inside `fold.train`, then fit preprocessing and model on all of it.

    Nothing outside `fold.train` is read. Same seed and threads, same bytes.
    """
    with threadpool_limits(threads):
        return _fit_fold(rows, fold, config, threads)


def _fit_fold(rows: Rows, fold: Fold, config: TrainBaselineConfig, threads: int) -> FittedFold:
    train = fold.train
    choice = choose(
        rows.features,
        rows.blocks,
        rows.targets,
        rows.groups,
        rows.copies,
        train,
        rows.classes,
        config,
        repeat=fold.repeat,
        fold=fold.fold,
        threads=threads,
    )
    preprocessing = fit(rows.features, rows.blocks, train, config.preprocessing)
    model = fit_model(
        apply(preprocessing, rows.features[train]),
        rows.targets[train],
        rows.classes,
        choice.parameters,
        config,
        seed=integer(config.protocol.seed, "baselines.fit", fold.repeat, fold.fold),
        threads=threads,
    )
    return FittedFold(preprocessing, replace(model, scale=choice.scale), choice)


def train_fold(rows: Rows, fold: Fold, config: TrainBaselineConfig, *, threads: int = 1) -> FoldResult:
    """`fit_fold`, then scores of its training and held-out rows. Raises InputError for held-out values not finite."""
    _refuse_non_finite(rows.features, fold.test)
    fitted = fit_fold(rows, fold, config, threads=threads)
    with threadpool_limits(threads):
        held_out = fitted.probabilities(rows.features[fold.test])
        trained = fitted.probabilities(rows.features[fold.train])
    train_accuracy, train_loss = _scored(trained, rows.targets[fold.train])
    test_accuracy, test_loss = _scored(held_out, rows.targets[fold.test]) if len(fold.test) else (None, None)
    return FoldResult(fold, fitted, held_out, train_accuracy, train_loss, test_loss, test_accuracy)


def train_folds(
    rows: Rows, folds: Sequence[Fold], config: TrainBaselineConfig, *, jobs: int = 1, threads: int = 1
) -> Iterator[FoldResult]:
    """Each fold's result, in the order of `folds`, `jobs` processes side by side.

    Several folds use one thread each, a single one uses `threads`: so the bytes do not depend on `jobs`.
    """
    own = threads if len(folds) == 1 else 1
    if jobs == 1 or len(folds) == 1:
        yield from (train_fold(rows, fold, config, threads=own) for fold in folds)
        return
    parallel = Parallel(n_jobs=min(jobs, len(folds)), return_as="generator")
    yield from parallel(delayed(train_fold)(rows, fold, config, threads=own) for fold in folds)


def _scored(probabilities: NDArray[np.float64], truth: NDArray[np.int64]) -> tuple[float, float]:
    own = probabilities[np.arange(len(truth)), truth]
    accuracy = float(np.mean(np.argmax(probabilities, axis=1) == truth))
    return accuracy, float(-np.mean(np.log(np.clip(own, 1e-15, 1.0))))


def _refuse_non_finite(features: NDArray[np.floating], rows: NDArray[np.int64]) -> None:
    for start in range(0, len(rows), _SCORED_AT_ONCE):
        part = rows[start : start + _SCORED_AT_ONCE]
        bad = part[~np.isfinite(features[part]).all(axis=1)]
        if len(bad):
            raise InputError(
                "a held-out row has a value that is not finite, and cannot be scored",
                where=f"row {int(bad[0])} of the features",
                next_step="leave the row out, or repair it; `fer audit` lists such rows",
            )
