"""A stored yardstick with the preprocessing it was fitted with."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.baselines.fitted import FittedBaseline
from fercli.baselines.fitted import from_arrays as baseline_from_arrays
from fercli.errors import ArtifactError
from fercli.inference.model_files import FACTS, PREPROCESSING, WEIGHTS, ModelFiles
from fercli.preprocessing.foldwise import Fitted, apply
from fercli.preprocessing.foldwise import from_arrays as preprocessing_from_arrays

KIND = "baseline"


@dataclass(frozen=True)
class BaselineModel:
    """A stored yardstick with its preprocessing."""

    model: FittedBaseline
    preprocessing: Fitted
    classes: tuple[str, ...]

    def probabilities(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """(n, C) class probabilities of raw features (n, D)."""
        return self.model.probabilities(apply(self.preprocessing, features))


def baseline_model(files: ModelFiles) -> BaselineModel:
    """The yardstick in a folder. Raises ArtifactError where it is missing, damaged, not stored or of another kind."""
    facts = files.facts()
    if facts.get("kind") != KIND:
        raise ArtifactError(
            f"{files.owner} does not hold a yardstick",
            where=f"{files.folder}/{FACTS}",
            next_step="name a run of train-baseline",
        )
    if not facts.get("stored"):
        raise ArtifactError(
            f"the {facts.get('model')} of each fold is not stored: it holds as much as the training rows",
            where=files.where,
            next_step="use the run's own model on other rows: say --on DATA where the command has it",
        )
    model = baseline_from_arrays(files.tensors(WEIGHTS), facts)
    fitted = preprocessing_from_arrays(files.tensors(PREPROCESSING), facts["preprocessing"])
    return BaselineModel(model, fitted, tuple(facts["classes"]))
