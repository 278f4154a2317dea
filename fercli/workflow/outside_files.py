"""Files that a command writes outside the workspace, whole or not at all."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from fercli.artifacts.disk import Disk, flush_folder
from fercli.errors import UsageError


def check_target(out: Path, what: str, endings: Sequence[str], *, force: bool) -> None:
    """UsageError for another ending, a folder that is not there, and a file that stands, unless forced."""
    if out.suffix.lower() not in endings:
        raise UsageError(
            f"--out: {what} ends in {' or '.join(endings)}, not {out.suffix or 'nothing'}",
            where=str(out),
            next_step=f"give --out {out.with_suffix(endings[0])}",
        )
    check_folder(out)
    check_free(out, force=force)


def check_new_folder(out: Path) -> None:
    """UsageError where `out` cannot be a folder: a file stands there, or there is nothing to stand in."""
    check_folder(out)
    if out.exists() and not out.is_dir():
        raise UsageError(
            "--out: a file of this name stands, and a folder is to be written",
            where=str(out),
            next_step="give another name, or one that ends in .safetensors",
        )


def check_folder(out: Path) -> None:
    """UsageError where the folder that `out` shall stand in is not there."""
    if not out.parent.is_dir():
        raise UsageError("--out: there is no such folder", where=str(out.parent), next_step="make it first")


def check_free(out: Path, *, force: bool) -> None:
    """UsageError where a folder, or unless forced a file, of this name stands."""
    if out.is_dir() or (out.exists() and not force):
        raise UsageError(
            f"--out: a {'folder' if out.is_dir() else 'file'} of this name stands",
            where=str(out),
            next_step="give another name" + ("" if out.is_dir() else ", or replace it with --force"),
        )


@contextmanager
def whole(out: Path) -> Iterator[BinaryIO]:
    """A file that takes its name only when all of it is on the disk; nothing is left behind when it is not."""
    temporary = out.with_name(f".{out.name}.new")
    try:
        with Disk().open(temporary, "wb") as stream:
            yield stream
        os.replace(temporary, out)
    finally:
        temporary.unlink(missing_ok=True)
    flush_folder(out.parent)
