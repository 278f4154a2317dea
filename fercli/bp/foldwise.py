"""From features and a plan of folds to the rows each network learns from; nothing of a held-out row is fitted."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.bp.chunk import Rows, Rule
from fercli.bp.criteria import Thresholds
from fercli.bp.network import NetworkKey, NetworkStack, initial_stack
from fercli.bp.pruning import PruneRule
from fercli.config.bp import PruneBPConfig, TrainBPConfig
from fercli.preprocessing.foldwise import Fitted, apply, fit_folds
from fercli.records import Block, Fold

FINAL_FOLD = -1


@dataclass(frozen=True)
class Prepared:
    """One entry per network: the fold's own preprocessing, and its rows after it."""

    fitted: tuple[Fitted, ...]
    rows: tuple[Rows, ...]


def rule_of(config: TrainBPConfig) -> Rule:
    """The part of a config that the training loop reads."""
    return Rule(
        loss=config.loss,
        optimizer=config.optimizer,
        rate=config.lr,
        momentum=config.momentum,
        decay=config.weight_decay,
        batch=config.batch_size or None,
        seed=config.protocol.seed,
    )


def prune_rule_of(config: PruneBPConfig) -> PruneRule:
    """The part of a config that pruning reads."""
    return PruneRule(
        thresholds=Thresholds(config.dead, config.saturated, config.correlated, config.angle, config.criterion),
        retrain_epochs=config.retrain_epochs,
        absorb=config.absorb,
        all_at_once=config.all_at_once,
        max_rounds=config.max_rounds,
    )


def learned_from(fold: Fold, config: TrainBPConfig) -> NDArray[np.int64]:
    """The rows weights are fitted on: without the inner rows only where early stopping reads those."""
    return fold.fit if config.patience is not None and config.protocol.monitor == "inner" else fold.train


def prepare(
    features: NDArray[np.floating],
    blocks: Sequence[Block],
    targets: NDArray[np.int64],
    folds: Sequence[Fold],
    config: TrainBPConfig,
) -> Prepared:
    """Fit each fold's preprocessing on the rows it learns from, and apply it to all rows it needs.

    features: (N, D) raw, may be a memory map. targets: (N,) class indices. Column means, scales and components come
    from the rows learned from alone; inner and held-out rows only pass through.
    """
    learned = [learned_from(fold, config) for fold in folds]
    fitted = fit_folds(features, blocks, learned, config.preprocessing)
    dtype = np.dtype(config.precision)

    def part(own: Fitted, rows: NDArray[np.int64]) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
        return apply(own, features[rows]).astype(dtype), targets[rows]

    rows = []
    for fold, own, train in zip(folds, fitted, learned, strict=True):
        inner = fold.inner if config.patience is not None else fold.inner[:0]
        rows.append(
            Rows(NetworkKey(fold.repeat, fold.fold), *part(own, train), *part(own, fold.test), *part(own, inner))
        )
    return Prepared(tuple(fitted), tuple(rows))


def final_fold(rows: NDArray[np.int64]) -> Fold:
    """All rows of the folds as one more "fold" with nothing held out, for the final model."""
    none = np.empty(0, dtype=np.int64)
    return Fold(repeat=0, fold=FINAL_FOLD, train=rows, test=none, inner=none)


def untrained(rows: Sequence[Rows], classes: int, config: TrainBPConfig) -> NetworkStack:
    """The networks before training, one per entry of rows."""
    return initial_stack(
        [one.key for one in rows],
        seed=config.protocol.seed,
        inputs=[one.x.shape[1] for one in rows],
        hidden=config.hidden,
        classes=classes,
        output=config.output,
        dtype=np.dtype(config.precision),
    )
