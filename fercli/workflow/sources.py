"""Files outside the workspace as parents: their identity, and the default name of what is made from them."""

import hashlib
import re
from pathlib import Path

from fercli.artifacts.disk import sha256_of
from fercli.artifacts.schema import Parent, canonical
from fercli.errors import InputError

LONGEST = 100  # bytes; the names of what is made from it come after this
ENDINGS = re.compile(r"\.(tar(\.\w+)?|tgz|tbz2?|txz|zip|csv|xlsx|npy)$", re.IGNORECASE)


def source_parent(path: Path) -> Parent:
    """The source as a parent: a file by the hash of its bytes, a folder by the names, sizes and times in it."""
    if not path.exists():
        raise InputError("the source does not exist", where=str(path), next_step="check the path")
    if not path.is_dir() and not path.is_file():
        raise InputError(
            "neither a file nor a folder (a pipe or a device has no end)", where=str(path), next_step="check the path"
        )
    if path.is_dir():
        entries = [
            [str(entry.relative_to(path).as_posix()), entry.stat().st_size, entry.stat().st_mtime_ns]
            for entry in sorted(path.rglob("*"))
            if entry.is_file()
        ]
        digest = hashlib.sha256(canonical(entries)).hexdigest()
    else:
        digest = sha256_of(path)
    return Parent(kind="source", name=default_name(path), fingerprint=digest)


def default_name(path: Path) -> str:
    """The source's stem, without the endings of archives and tables, as a name that the store takes."""
    stem = ENDINGS.sub("", path.resolve().name)
    name = re.sub(r"[^\w.-]+", "-", stem).strip(".-")
    return name.encode()[:LONGEST].decode("utf-8", "ignore") or "data"
