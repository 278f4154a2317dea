"""A stored BP network with the preprocessing it was fitted with."""

from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from fercli.bp.network import NetworkStack, Output, forward, probabilities
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
        parts = {name: weights[name] for name in ("w1", "b1", "w2", "b2")}
        units, classes, output, meta = weights["units"], facts["classes"], facts["output"], facts["preprocessing"]
    except KeyError as missing:
        raise ArtifactError(
            f"the network lacks {missing.args[0]!r}", where=files.where, next_step="train again"
        ) from None
    fitted = from_arrays(files.tensors(PREPROCESSING), meta)
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        raise _broken(files, "its classes are no list of names")
    if output not in get_args(Output):
        raise _broken(files, f"its output units are {output!r}")
    inputs, hidden, outputs = len(fitted.names), parts["b1"].size, len(classes)
    shapes = {"w1": (inputs, hidden), "b1": (hidden,), "w2": (hidden, outputs), "b2": (outputs,)}
    for name, shape in shapes.items():
        array = parts[name]
        if array.shape != shape or array.dtype.kind != "f" or not np.isfinite(array).all():
            raise _broken(files, f"{name} is {array.dtype} of shape {array.shape}, not finite numbers of {shape}")
    network = NetworkStack(
        w1=parts["w1"][None],
        b1=parts["b1"][None],
        w2=parts["w2"][None],
        b2=parts["b2"][None],
        alive=np.ones((1, hidden), dtype=bool),
        output=output,
    )
    return BPModel(network, units, fitted, tuple(classes))


def _broken(files: ModelFiles, reason: str) -> ArtifactError:
    return ArtifactError(
        f"the network does not fit together: {reason}", where=files.where, next_step="restore it, or train again"
    )
