"""The stored models of a run, for `inference`."""

from fercli.artifacts.store import Artifact
from fercli.errors import ArtifactError
from fercli.inference.model_files import ModelFiles

FINAL_FOLDER = "model"


def model_files(run: Artifact, folder: str = FINAL_FOLDER) -> ModelFiles:
    """The model in one folder of a run: `model`, or `folds/R/00`. Raises ArtifactError where the run has none."""
    if folder == FINAL_FOLDER and not run.has(f"{folder}/model.json"):
        raise ArtifactError(
            f"{run.label} has no model on all rows: it was trained with --no-final-model",
            where=str(run.path),
            next_step="train it again with --final-model --force",
        )
    return ModelFiles(run.label, folder, lambda name: run.file(f"{folder}/{name}").read_bytes())
