"""Taking back what a command made on the way to something that it was then refused."""

import os
import shutil
import time

from fercli.artifacts.locks import if_free
from fercli.artifacts.schema import KINDS
from fercli.artifacts.store import Artifact, Store
from fercli.errors import ArtifactError


def withdraw(store: Store) -> None:
    """Remove the provisional artifacts of this store that nothing was made from and nothing is being made from."""
    made, store.provisional = store.provisional, []
    for artifact in made:
        if not artifact.path.is_dir() or _needed(store, artifact):
            continue
        with if_free(store.lock_path(artifact.kind, artifact.name)) as free:
            if free:
                # By way of the trash, so that a kill in between leaves it whole or gone.
                trash = store.root / ".trash" / f"{artifact.kind}-{artifact.name}-{time.time_ns()}-{os.getpid()}"
                store.disk.make_folder(trash.parent)
                store.disk.rename(artifact.path, trash)
                shutil.rmtree(trash)


def _needed(store: Store, artifact: Artifact) -> bool:
    """Whether an artifact is made from it; work that is begun counts, for its parents are not written down yet."""
    for kind in KINDS:
        if store.interrupted(kind):
            return True
        for name in store.names(kind):
            try:
                parents = store.open(kind, name).manifest.parents
            except ArtifactError:
                continue
            if any((parent.kind, parent.name) == (artifact.kind, artifact.name) for parent in parents):
                return True
    return False
