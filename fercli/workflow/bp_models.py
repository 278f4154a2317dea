"""A BP network on disk: weights and the preprocessing it was fitted with, as safetensors and JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from fercli.artifacts.draft import Draft
from fercli.artifacts.store import Artifact
from fercli.bp.network import NetworkStack, forward, probabilities
from fercli.errors import ArtifactError
from fercli.preprocessing.foldwise import Fitted, apply, from_arrays

MODEL_KIND = "bp"
FINAL_FOLDER = "model"


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


def write_bp_model(
    draft: Draft, folder: str, stack: NetworkStack, network: int, fitted: Fitted, classes: Sequence[str]
) -> None:
    """One network of a stack as `weights.safetensors`, `preprocessing.safetensors` and `model.json` in a folder."""
    small = stack.compacted(network)
    weights = {"w1": small.w1[0], "b1": small.b1[0], "w2": small.w2[0], "b2": small.b2[0]}
    units = np.flatnonzero(stack.alive[network]).astype(np.int64)
    draft.write_tensors(f"{folder}/weights.safetensors", {**weights, "units": units})
    draft.write_tensors(f"{folder}/preprocessing.safetensors", fitted.to_arrays())
    draft.write_json(
        f"{folder}/model.json",
        {
            "kind": MODEL_KIND,
            "classes": list(classes),
            "output": stack.output,
            "hidden": len(units),
            "hidden_before": stack.alive.shape[1],
            "preprocessing": fitted.meta(),
        },
    )


def read_bp_model(artifact: Artifact, folder: str = FINAL_FOLDER) -> BPModel:
    """The network in one folder of a run. Raises ArtifactError where it is missing, damaged or of another kind."""
    facts = artifact.json(f"{folder}/model.json")
    if not isinstance(facts, dict) or facts.get("kind") != MODEL_KIND:
        raise ArtifactError(
            f"{artifact.label} does not hold a BP network",
            where=f"{folder}/model.json",
            next_step="name a run of train-bp or prune-bp",
        )
    weights = _tensors(artifact, f"{folder}/weights.safetensors")
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
            f"the network lacks {missing.args[0]!r}", where=f"{artifact.label}, {folder}", next_step="train again"
        ) from None
    fitted = from_arrays(_tensors(artifact, f"{folder}/preprocessing.safetensors"), meta)
    return BPModel(network, units, fitted, classes)


def _tensors(artifact: Artifact, name: str) -> dict[str, NDArray[Any]]:
    path = artifact.file(name)
    try:
        return dict(load(path.read_bytes()))
    except (OSError, SafetensorError) as error:
        raise ArtifactError(
            f"not readable weights: {error}", where=str(path), next_step="make the artifact again with --force"
        ) from None
