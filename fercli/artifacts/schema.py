"""The shape of `artifact.json`, the one file that every artifact on disk has."""

import hashlib
import json
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fercli.artifacts.contents import check_content
from fercli.artifacts.json_text import read_json
from fercli.errors import ArtifactError

SCHEMA_VERSION = 1
MANIFEST = "artifact.json"

Kind = Literal["dataset", "features", "folds", "run", "evaluation", "report"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FOLDERS: dict[Kind, str] = {
    "dataset": "datasets",
    "features": "features",
    "folds": "folds",
    "run": "runs",
    "evaluation": "evaluations",
    "report": "reports",
}

# Seconds differ from run to run, a drawing with the release that draws it; they stand outside key and fingerprint, so
# that equal results are equal artifacts.
UNHASHED_FILES = frozenset({"timing.csv", "contact-sheet.png"})


class FileEntry(BaseModel):
    """One file of an artifact."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)


class Parent(BaseModel):
    """What an artifact was made from: another artifact, or a `source` outside the workspace."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind | Literal["source"]
    name: str
    fingerprint: str = Field(pattern=r"^[0-9a-f]{64}$")


class Manifest(BaseModel):
    """`artifact.json`: what it is, how it was made, from what, and the hash of every file."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_version: int = Field(alias="schema", ge=1)
    kind: Kind
    name: str
    algorithm: int
    command: list[str]
    config: dict[str, Any]
    execution: dict[str, Any]
    seed: int | None
    parents: list[Parent]
    content: dict[str, Any]
    files: dict[str, FileEntry]
    environment: dict[str, str]
    key: str = Field(pattern=r"^[0-9a-f]{64}$")
    fingerprint: str = Field(pattern=r"^[0-9a-f]{64}$")

    def text(self) -> str:
        """The JSON as it stands on disk."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), indent=2, allow_nan=False) + "\n"

    @classmethod
    def parse(cls, data: bytes, *, where: str) -> "Manifest":
        """The manifest in `data`; ArtifactError when it is not JSON, not of this schema or of a future one."""
        try:
            raw = read_json(data)
        except ValueError as error:
            raise ArtifactError(
                f"{MANIFEST} is not readable JSON ({error})",
                where=where,
                next_step="restore the folder from a copy, or make the artifact again with --force",
            ) from None
        version = raw.get("schema") if isinstance(raw, dict) else None
        if isinstance(version, int) and version > SCHEMA_VERSION:
            raise ArtifactError(
                f"the artifact has schema version {version}, this fercli reads up to {SCHEMA_VERSION}",
                where=where,
                next_step="upgrade fercli, or make the artifact again with this version under another --name",
            )
        try:
            manifest = cls.model_validate(raw)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "the whole file"
            raise ArtifactError(
                f"{MANIFEST} does not fit its schema: {place}: {first['msg'].lower()}",
                where=where,
                next_step="restore the folder from a copy, or make the artifact again with --force",
            ) from None
        check_content(manifest.content, where=where)
        return manifest


def canonical(value: Any) -> bytes:
    """One byte string per JSON value, whatever the order of its keys; ValueError on NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode(
        "utf-8",
        "surrogatepass",  # names of files need not be UTF-8
    )


def key_of(kind: Kind, algorithm: int, config: dict[str, Any], parents: list[Parent]) -> str:
    """sha256 over what determines the result; known before any work."""
    fingerprints = [parent.fingerprint for parent in parents]
    return hashlib.sha256(canonical([kind, algorithm, config, fingerprints])).hexdigest()


def fingerprint_of(key: str, content: dict[str, Any], files: dict[str, FileEntry]) -> str:
    """sha256 over the key, the facts in `content` and the hashes of the result files."""
    hashes = {name: entry.sha256 for name, entry in files.items() if name not in UNHASHED_FILES}
    return hashlib.sha256(canonical([key, content, hashes])).hexdigest()
