"""The parents of an artifact in its workspace: as they were when it was made, or gone, damaged, changed since."""

from fercli.artifacts.store import Artifact, Store
from fercli.errors import ArtifactError


def stale_parents(store: Store, artifact: Artifact) -> list[str]:
    """Parents in this workspace that are gone, damaged, or have another fingerprint by now, in words."""
    found = []
    for parent in artifact.manifest.parents:
        if parent.kind == "source":
            continue
        label = f"{parent.kind}/{parent.name}"
        if parent.name not in store.names(parent.kind):
            found.append(f"{label} is gone")
            continue
        try:
            standing = store.open(parent.kind, parent.name)
        except ArtifactError:
            found.append(f"{label} is damaged")
            continue
        if standing.manifest.fingerprint != parent.fingerprint:
            found.append(f"{label} changed")
    return found


def parent_of(store: Store, artifact: Artifact, *kinds: str) -> Artifact | None:
    """The parent of one of these kinds as it was then; None where it has none or it changed, is damaged or gone."""
    for parent in artifact.manifest.parents:
        if parent.kind in kinds and parent.kind != "source" and parent.name in store.names(parent.kind):
            try:
                standing = store.open(parent.kind, parent.name)
            except ArtifactError:
                continue  # `stale_parents` says so
            if standing.manifest.fingerprint == parent.fingerprint:
                return standing
    return None
