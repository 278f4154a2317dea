"""A stored BP network with the preprocessing it was fitted with."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.bp.network import NetworkStack, forward, probabilities
from fercli.errors import ArtifactError
from fercli.inference.model_files import FACTS, PREPROCESSING, WEIGHTS, ModelFiles
from fercli.preprocessing.foldwise import Fitted, apply, from_arrays

KIND = "bp"


@dataclass(frozen=True)
class BPModel:
    """One trained network with its preprocessing.

    network: a stack of one, without removed units. units: (H,) their numbers in the network before pruning.
    """

    network: NetworkStack
    units: NDArray[np.int64]
    fitted: Fitted
    classes: tuple[str, ...]

    def probabilities(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """(n, C) class probabilities of raw features (n, D)."""
        return probabilities(forward(self.network, 0, apply(self.fitted, features)))


def bp_model(files: ModelFiles) -> BPModel:
    """The network in a folder. Raises ArtifactError where it is missing, damaged or of another kind."""
    facts = files.facts()
    if facts.get("kind") != KIND:
        raise ArtifactError(
            f"{files.owner} does not hold a BP network",
            where=f"{files.folder}/{FACTS}",
            next_step="name a run of train-bp or prune-bp",
        )
    weights = files.tensors(WEIGHTS)
    try:
        network = NetworkStack(
            w1=weights["w1"][None],
            b1=weights["b1"][None],
            w2=weights["w2"][None],
            b2=weights["b2"][None],
            alive=np.ones((1, len(weights["b1"])), dtype=bool),
            output=facts["output"],
        )
        units, classes, meta = weights["units"], tuple(facts["classes"]), facts["preprocessing"]
    except KeyError as missing:
        raise ArtifactError(
            f"the network lacks {missing.args[0]!r}", where=files.where, next_step="train again"
        ) from None
    return BPModel(network, units, from_arrays(files.tensors(PREPROCESSING), meta), classes)
