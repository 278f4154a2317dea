"""What train-bp and prune-bp read: features, folds, and the rows of every network after its own preprocessing."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from fercli.artifacts.schema import Parent
from fercli.artifacts.store import Artifact, Store
from fercli.bp.foldwise import Prepared, prepare
from fercli.config.bp import TrainBPConfig
from fercli.errors import InputError
from fercli.records import Block, Fold, Notify, Samples
from fercli.workflow.features import blocks_of
from fercli.workflow.plans import Planned, plan_for
from fercli.workflow.request import Request

C = TypeVar("C", bound=TrainBPConfig)
ROWS_AT_ONCE = 8192
# Prepared rows by what decides them, for the runs of a sweep, which share data and protocol.
PreparedRows = dict[str, Prepared]


@dataclass(frozen=True)
class BPInputs:
    """What a BP command reads. parents: of the run, the features first."""

    data: Artifact
    samples: Samples
    features: NDArray[np.floating]
    blocks: tuple[Block, ...]
    planned: Planned
    parents: tuple[Parent, ...]

    @property
    def folds(self) -> tuple[Fold, ...]:
        return self.planned.plan.folds

    def prepared(self, folds: Sequence[Fold], config: TrainBPConfig, known: PreparedRows | None = None) -> Prepared:
        """Rows of these folds, each after its own preprocessing; InputError for values that cannot be scored.

        known: what the runs of a sweep have prepared so far; what is made here is added to it.
        """
        _refuse_unscorable(self.features, folds)
        keys = [[fold.repeat, fold.fold] for fold in folds]
        key = json.dumps([config.preprocessing.stored(), config.precision, config.patience is None, keys])
        if known is not None and key in known:
            return known[key]
        made = prepare(self.features, self.blocks, self.samples.targets, folds, config)
        if known is not None:
            known[key] = made
        return made


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


def with_default_pca(config: C, data: Artifact) -> C:
    """The config with the PCA that the features were stored with as their default."""
    preprocessing = config.preprocessing.model_copy(update={"pca": data.content["pca"]})
    return config.model_copy(update={"preprocessing": preprocessing})
