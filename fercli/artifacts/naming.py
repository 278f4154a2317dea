"""Names of artifacts, and paths that come from outside: what no file system takes is absent, not a failure."""

import os
import re
from pathlib import Path

from fercli.errors import UsageError

LONGEST_NAME = 200
NAME_PATTERN = re.compile(r"[^\s./\\][^/\\\0\n\r]{0,199}")


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


def check_name(name: str) -> None:
    """UsageError unless the name can be a folder in the workspace, in bytes too, without what a terminal obeys."""
    fits = len(os.fsencode(name)) <= LONGEST_NAME and name.isprintable()
    if not fits or not NAME_PATTERN.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the name of an artifact",
            where="--name",
            next_step="use letters, digits, '-', '_' and '.', not starting with a dot",
        )
