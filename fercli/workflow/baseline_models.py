"""A yardstick on disk: what it learned and the preprocessing it was fitted with, as safetensors and JSON."""

from collections.abc import Sequence

from fercli.artifacts.draft import Draft
from fercli.baselines.training import FittedFold
from fercli.inference.baseline_model import KIND
from fercli.inference.model_files import FACTS, PREPROCESSING, WEIGHTS
from fercli.workflow.model_files import FINAL_FOLDER

__all__ = ["FINAL_FOLDER", "HEAVY", "write_baseline_model"]

# These grow with the training rows, not with the columns: stored once, as the run's model, and not for every fold.
HEAVY = frozenset({"knn", "forest"})


def write_baseline_model(
    draft: Draft, folder: str, fitted: FittedFold, classes: Sequence[str], *, weights: bool = True
) -> None:
    """One yardstick as `weights.safetensors`, `preprocessing.safetensors` and `model.json` in a folder.

    weights: without them `model.json` says `"stored": false`, and the fold can only be fitted again.
    """
    if weights:
        draft.write_tensors(f"{folder}/{WEIGHTS}", fitted.model.to_arrays())
    draft.write_tensors(f"{folder}/{PREPROCESSING}", fitted.preprocessing.to_arrays())
    draft.write_json(
        f"{folder}/{FACTS}",
        {
            "kind": KIND,
            "classes": list(classes),
            "stored": weights,
            **fitted.model.meta(),
            "preprocessing": fitted.preprocessing.meta(),
        },
    )
