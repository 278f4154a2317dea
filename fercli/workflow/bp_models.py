"""A BP network on disk: weights and the preprocessing it was fitted with, as safetensors and JSON."""

from collections.abc import Sequence

import numpy as np

from fercli.artifacts.draft import Draft
from fercli.artifacts.store import Artifact
from fercli.bp.network import NetworkStack
from fercli.inference.bp_model import KIND, BPModel, bp_model
from fercli.inference.model_files import FACTS, PREPROCESSING, WEIGHTS
from fercli.preprocessing.foldwise import Fitted
from fercli.workflow.model_files import FINAL_FOLDER, model_files

__all__ = ["FINAL_FOLDER", "read_bp_model", "write_bp_model"]


def write_bp_model(
    draft: Draft, folder: str, stack: NetworkStack, network: int, fitted: Fitted, classes: Sequence[str]
) -> None:
    """One network of a stack as `weights.safetensors`, `preprocessing.safetensors` and `model.json` in a folder."""
    small = stack.compacted(network, len(fitted.names))
    weights = {"w1": small.w1[0], "b1": small.b1[0], "w2": small.w2[0], "b2": small.b2[0]}
    units = np.flatnonzero(stack.alive[network]).astype(np.int64)
    draft.write_tensors(f"{folder}/{WEIGHTS}", {**weights, "units": units})
    draft.write_tensors(f"{folder}/{PREPROCESSING}", fitted.to_arrays())
    draft.write_json(
        f"{folder}/{FACTS}",
        {
            "kind": KIND,
            "classes": list(classes),
            "output": stack.output,
            "hidden": len(units),
            "hidden_before": stack.alive.shape[1],
            "preprocessing": fitted.meta(),
        },
    )


def read_bp_model(artifact: Artifact, folder: str = FINAL_FOLDER) -> BPModel:
    """The network in one folder of a run. Raises ArtifactError where it is missing, damaged or of another kind."""
    return bp_model(model_files(artifact, folder))
