"""Names of artifacts, and paths that come from outside: what no file system takes is absent, not a failure."""

import os
import re
import stat
from pathlib import Path

from fercli.artifacts.schema import Kind
from fercli.errors import UsageError

LONGEST_NAME = 200
NAME_PATTERN = re.compile(r"[^\s./\\][^/\\\0\n\r]{0,199}")


MAKE_FIRST: dict[Kind, str] = {
    "dataset": "make one with fer import-dataset SOURCE or fer synthesize",
    "features": "make some with fer extract-features, or fer import-features SHEET",
    "folds": "make some with fer make-folds, or give a trainer --scheme and --k",
    "run": "train one with fer train-bp, fer prune-bp, fer train-resnet or fer train-baseline",
    "evaluation": "make one with fer evaluate",
    "report": "make one with fer report",
}


def is_folder(path: Path) -> bool:
    """Whether a folder is there; False, not an error, for a path that no file system takes."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def is_file(path: Path) -> bool:
    """The same for a file."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def size_of(path: Path) -> int | None:
    """Bytes of a file; None where there is none, also when it goes while one looks."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def check_name(name: str) -> None:
    """UsageError unless the name can be a folder in the workspace, in bytes too, without what a terminal obeys."""
    fits = len(os.fsencode(name)) <= LONGEST_NAME and name.isprintable()
    if not fits or not NAME_PATTERN.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the name of an artifact",
            where="--name",
            next_step=f"use at most {LONGEST_NAME} bytes of printable text, without '/' and '\\', "
            "not starting with '.' or a space",
        )
