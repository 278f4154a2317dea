"""A yardstick on disk: what it learned and the preprocessing it was fitted with, as safetensors and JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from fercli.artifacts.draft import Draft
from fercli.artifacts.store import Artifact
from fercli.baselines.fitted import FittedBaseline
from fercli.baselines.fitted import from_arrays as baseline_from_arrays
from fercli.baselines.training import FittedFold
from fercli.errors import ArtifactError
from fercli.preprocessing.foldwise import Fitted, apply
from fercli.preprocessing.foldwise import from_arrays as preprocessing_from_arrays

MODEL_KIND = "baseline"
FINAL_FOLDER = "model"
# These grow with the training rows, not with the columns: stored once, as the run's model, and not for every fold.
HEAVY = frozenset({"knn", "forest"})


@dataclass(frozen=True)
class BaselineModel:
    """A stored yardstick with its preprocessing."""

    model: FittedBaseline
    preprocessing: Fitted
    classes: tuple[str, ...]

    def probabilities(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """(n, C) class probabilities of raw features (n, D)."""
        return self.model.probabilities(apply(self.preprocessing, features))


def write_baseline_model(
    draft: Draft, folder: str, fitted: FittedFold, classes: Sequence[str], *, weights: bool = True
) -> None:
    """One yardstick as `weights.safetensors`, `preprocessing.safetensors` and `model.json` in a folder.

    weights: without them `model.json` says `"stored": false`, and the fold can only be fitted again.
    """
    if weights:
        draft.write_tensors(f"{folder}/weights.safetensors", fitted.model.to_arrays())
    draft.write_tensors(f"{folder}/preprocessing.safetensors", fitted.preprocessing.to_arrays())
    draft.write_json(
        f"{folder}/model.json",
        {
            "kind": MODEL_KIND,
            "classes": list(classes),
            "stored": weights,
            **fitted.model.meta(),
            "preprocessing": fitted.preprocessing.meta(),
        },
    )


def read_baseline_model(artifact: Artifact, folder: str = FINAL_FOLDER) -> BaselineModel:
    """The yardstick in one folder of a run. Raises ArtifactError where it is missing, damaged or of another kind."""
    facts = artifact.json(f"{folder}/model.json")
    if not isinstance(facts, dict) or facts.get("kind") != MODEL_KIND:
        raise ArtifactError(
            f"{artifact.label} does not hold a yardstick",
            where=f"{folder}/model.json",
            next_step="name a run of train-baseline",
        )
    if not facts.get("stored"):
        raise ArtifactError(
            f"the {facts.get('model')} of each fold is not stored: it holds as much as the training rows",
            where=f"{artifact.label}, {folder}",
            next_step=f"use the run's own model, in {FINAL_FOLDER}",
        )
    model = baseline_from_arrays(_tensors(artifact, f"{folder}/weights.safetensors"), facts)
    fitted = preprocessing_from_arrays(
        _tensors(artifact, f"{folder}/preprocessing.safetensors"), facts["preprocessing"]
    )
    return BaselineModel(model, fitted, tuple(facts["classes"]))


def _tensors(artifact: Artifact, name: str) -> dict[str, NDArray[Any]]:
    path = artifact.file(name)
    try:
        return dict(load(path.read_bytes()))
    except (OSError, SafetensorError) as error:
        raise ArtifactError(
            f"not readable weights: {error}", where=str(path), next_step="make the artifact again with --force"
        ) from None
