"""The files of one stored model, wherever they stand: the only place that opens weights."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from fercli.errors import ArtifactError

FACTS = "model.json"
WEIGHTS = "weights.safetensors"
PREPROCESSING = "preprocessing.safetensors"


@dataclass(frozen=True)
class ModelFiles:
    """The folder of a model: a run's `model/`, the folder of one fold, or a folder of its own.

    owner: who it belongs to in messages, e.g. run/net. folder: `model`, `folds/0/03`.
    read: the bytes of the file of that name in the folder; raises ArtifactError where there is none.
    """

    owner: str
    folder: str
    read: Callable[[str], bytes]

    @property
    def where(self) -> str:
        return f"{self.owner}, {self.folder}"

    def facts(self) -> dict[str, Any]:
        """`model.json`. Raises ArtifactError where it is no JSON object."""
        try:
            facts = json.loads(self.read(FACTS).decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise ArtifactError(
                f"{FACTS} is not readable JSON: {error}",
                where=self.where,
                next_step="make the artifact again with --force",
            ) from None
        if not isinstance(facts, dict):
            raise ArtifactError(f"{FACTS} describes no model", where=self.where, next_step="train again with --force")
        return facts

    def tensors(self, name: str) -> dict[str, NDArray[Any]]:
        """The arrays of a safetensors file, by name. Raises ArtifactError where it is damaged."""
        try:
            return dict(load(self.read(name)))
        except (OSError, SafetensorError, KeyError) as error:
            # A dtype that NumPy lacks (bfloat16) is a KeyError with its name.
            reason = f"dtype {error.args[0]}" if isinstance(error, KeyError) else error
            raise ArtifactError(
                f"not readable weights: {reason}",
                where=f"{self.where}/{name}",
                next_step="make the artifact again with --force",
            ) from None
