"""A `records.Scorer` from the files of any stored model: BP networks and yardsticks on columns, nets on pictures."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.errors import ArtifactError, InputError
from fercli.inference import baseline_model, bp_model
from fercli.inference.baseline_model import BaselineModel
from fercli.inference.bp_model import BPModel
from fercli.inference.model_files import FACTS, WEIGHTS, ModelFiles
from fercli.preprocessing.foldwise import Fitted
from fercli.records import Scorer


class ColumnScorer:
    """A model on feature columns behind the seam: raw features in, class probabilities out."""

    input = "columns"

    def __init__(self, model: BPModel | BaselineModel, fitted: Fitted) -> None:
        self.classes = model.classes
        self.fitted = fitted
        self._model = model

    def scores(self, batch: NDArray[Any]) -> NDArray[np.float32]:
        """(n, D) raw features -> (n, C) float32, rows sum to 1.

        Raises InputError for another number of columns than the model was fitted on, and for values not finite.
        """
        broken = np.flatnonzero(~np.isfinite(batch).all(axis=-1))
        if len(broken):
            raise InputError(
                f"{len(broken):,} rows hold values that are not finite",
                where=f"row {int(broken[0])} of the batch",
                next_step="leave the rows out, or repair them; `fer audit` lists such rows",
            )
        return self._model.probabilities(batch).astype(np.float32)


def scorer_of(files: ModelFiles, *, device: str = "cpu") -> Scorer:
    """The scorer of the model in a folder, whichever trainer wrote it.

    device: of nets on pictures, as `--device` names it; models on columns are small and stay on the CPU.
    Alone or in a batch a sample scores the same to 1e-5. Raises ArtifactError for files that are missing, damaged,
    of an unknown kind, or of a fold whose yardstick was not stored.
    """
    facts = files.facts()
    if facts.get("kind") == bp_model.KIND:
        network = bp_model.bp_model(files)
        return ColumnScorer(network, network.fitted)
    if facts.get("kind") == baseline_model.KIND:
        yardstick = baseline_model.baseline_model(files)
        return ColumnScorer(yardstick, yardstick.preprocessing)
    if "architecture" in facts:
        return _net_scorer(files, facts, device)
    raise ArtifactError(
        f"{FACTS} describes no model that this release knows: kind {facts.get('kind')!r}",
        where=files.where,
        next_step="use the release that wrote it, or train again",
    )


def _net_scorer(files: ModelFiles, facts: dict[str, Any], device: str) -> Scorer:
    # torch takes seconds to load, and models on columns do without it
    from fercli.resnet import devices
    from fercli.resnet.fitted import FittedNet, NetScorer

    net = FittedNet.read(facts, files.read(WEIGHTS), where=files.where)
    return NetScorer(net, devices.resolve(device))
