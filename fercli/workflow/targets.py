"""What `--on` names: rows of a data set or of features, as the input that a run's model takes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.artifacts.differences import differences
from fercli.artifacts.schema import Kind
from fercli.artifacts.store import Artifact, Store
from fercli.config.descriptors import DescriptorConfig
from fercli.descriptors.extraction import extract_chunks
from fercli.errors import ArtifactError, InputError

KINDS: tuple[Kind, ...] = ("dataset", "features")
# Rows that are read and scored at a time; a net divides them further by what its feature maps need.
AT_ONCE = 1024
PICTURES_AT_ONCE = 8192
ARRAYS: dict[Kind, str] = {"dataset": "images.npy", "features": "features.npy"}


@dataclass(frozen=True)
class Target:
    """Rows to score. descriptors: of pictures that must become columns first, None where they need not."""

    artifact: Artifact
    descriptors: DescriptorConfig | None = None

    def batches(self, rows: NDArray[np.int64], jobs: int) -> Iterator[NDArray[Any]]:
        """The inputs of these rows, in their order, a few at a time: memory does not grow with their number."""
        if self.descriptors is not None:
            images = self.artifact.array(ARRAYS["dataset"])
            for start in range(0, len(rows), PICTURES_AT_ONCE):
                picked = images[rows[start : start + PICTURES_AT_ONCE]]
                for _, columns in extract_chunks(picked, self.descriptors, jobs=jobs):
                    yield columns
            return
        array = self.artifact.array(ARRAYS[self.artifact.kind])
        for start in range(0, len(rows), AT_ONCE):
            yield array[rows[start : start + AT_ONCE]]


def named_data(store: Store, name: str) -> dict[Kind, Artifact]:
    """The data set and the features that NAME, KIND/NAME or a path means, one of each at most.

    Raises ArtifactError, with what stands, where there is neither.
    """
    kind, _, rest = name.partition("/")
    for known in KINDS:
        if kind == known and rest in store.names(known):
            return {known: store.open(known, rest)}
    found: dict[Kind, Artifact] = {known: store.open(known, name) for known in KINDS if name in store.names(known)}
    if not found and "/" in name:
        for known in KINDS:
            if (Path(name) / ARRAYS[known]).is_file():
                return {known: store.open(known, name)}
    if found:
        return found
    standing = [f"{known}/{entry}" for known in KINDS for entry in store.names(known)]
    raise ArtifactError(
        f"there is no data set and there are no features called {name}",
        where=f"--on {name}",
        next_step=f"choose one of: {', '.join(standing)}" if standing else "import some with fer import-dataset",
    )


def target_for(run: Artifact, features: Artifact | None, wanted: str, found: dict[Kind, Artifact]) -> Target:
    """What the run's model can score of the data that was named.

    wanted: the scorer's input. features: those that the run was trained on, None where they are gone or the run was
    trained on pictures. Features of the same descriptors are taken as they are; a data set is extracted with the
    settings of the run's own features. Raises InputError where neither fits, ArtifactError where nobody knows.
    """
    if wanted == "pixels":
        if "dataset" in found:
            return Target(found["dataset"])
        raise InputError(
            f"{run.label} scores pictures, {found['features'].label} holds features",
            where=f"--on {found['features'].name}",
            next_step="give a data set with --on",
        )
    if features is None:
        raise ArtifactError(
            f"the features that {run.label} was trained on are not in this workspace or have changed, "
            "so nobody can tell whether other features mean the same",
            where=str(run.path),
            next_step="bring them back, or train again",
        )
    own = found.get("features")
    if own is not None and _settings(own) == _settings(features):
        return Target(own)
    if "dataset" in found and _extracted(features):
        return Target(found["dataset"], DescriptorConfig.of(**features.config))
    if own is not None:
        differing = "; ".join(differences(_settings(features), _settings(own))[:5])
        raise InputError(
            f"{own.label} has other columns than {features.label}, on which {run.label} was trained: {differing}",
            where=f"--on {own.name}",
            next_step="extract features with the same descriptors and parameters",
        )
    raise InputError(
        f"{run.label} was trained on a feature sheet that somebody else made, and pictures cannot become its columns",
        where=f"--on {found['dataset'].name}",
        next_step="import a sheet with the same columns and give it with --on",
    )


def _extracted(features: Artifact) -> bool:
    return any(parent.kind == "dataset" for parent in features.manifest.parents)


def _settings(features: Artifact) -> dict[str, Any]:
    """What must be equal for columns to mean the same: the columns, and how they were computed where we did it."""
    blocks = {block["name"]: [block["stop"] - block["start"], block["columns"]] for block in features.content["blocks"]}
    computed = {key: value for key, value in features.config.items() if key != "pca"} if _extracted(features) else None
    return {"blocks": blocks, "descriptors": computed}
