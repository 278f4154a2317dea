"""Hashes of files, key and fingerprint of the manifest."""

from fercli.artifacts.disk import sha256_of
from fercli.artifacts.schema import MANIFEST, fingerprint_of, key_of
from fercli.artifacts.store import Artifact
from fercli.workflow.verification import Covered, Difference


def files_as_hashed(artifact: Artifact) -> Covered:
    """Every file has the bytes that the manifest states, and none stands beside them that it does not."""
    found = []
    for name, entry in artifact.manifest.files.items():
        actual = sha256_of(artifact.path / name)
        if actual != entry.sha256:
            found.append(Difference("a file was changed after it was written", name, entry.sha256, actual))
    for path in sorted(artifact.path.rglob("*")):
        name = path.relative_to(artifact.path).as_posix()
        if path.is_file() and not name.startswith(".") and name != MANIFEST and name not in artifact.manifest.files:
            found.append(Difference("a file that the manifest does not list", name, "nothing", "a file"))
    return Covered(len(artifact.manifest.files), "files", found)


def manifest_as_hashed(artifact: Artifact) -> Covered:
    """Key and fingerprint follow from what the manifest says, and its name is that of the folder."""
    manifest = artifact.manifest
    key = key_of(manifest.kind, manifest.algorithm, manifest.config, manifest.parents)
    fingerprint = fingerprint_of(manifest.key, manifest.content, manifest.files)
    found = []
    if manifest.name != artifact.path.name:
        found.append(Difference("the name is not that of the folder", MANIFEST, manifest.name, artifact.path.name))
    if key != manifest.key:
        found.append(
            Difference("the key does not follow from config and parents", f"{MANIFEST}, key", manifest.key, key)
        )
    if fingerprint != manifest.fingerprint:
        place = f"{MANIFEST}, fingerprint"
        found.append(
            Difference("the fingerprint does not follow from the files", place, manifest.fingerprint, fingerprint)
        )
    return Covered(2, "hashes", found)
