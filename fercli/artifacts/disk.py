"""Every byte that goes into a workspace passes here: one place to flush, and one place for tests to fail."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


class Disk:
    """The file operations of the store; a test replaces it by one that runs out of space at the n-th call."""

    def write(self, handle: BinaryIO, data: bytes | memoryview) -> None:
        """Write all of `data` at the handle's position."""
        handle.write(data)

    @contextmanager
    def open(self, path: Path, mode: str) -> Iterator[BinaryIO]:
        """A binary file that is flushed to the device before it is closed."""
        with path.open(mode) as handle:
            yield handle  # type: ignore[misc]
            self.sync(handle)  # type: ignore[arg-type]

    def sync(self, handle: BinaryIO) -> None:
        """Bring what was written so far to the device."""
        handle.flush()
        os.fsync(handle.fileno())

    def write_file(self, path: Path, data: bytes) -> None:
        """The whole of a file; its folder is made when missing."""
        self.make_folder(path.parent)
        with self.open(path, "wb") as handle:
            self.write(handle, data)

    def make_folder(self, path: Path) -> None:
        """The folder and its parents."""
        path.mkdir(parents=True, exist_ok=True)

    def rename(self, source: Path, target: Path) -> None:
        """Rename onto a name that does not stand yet, and flush both folders."""
        source.rename(target)
        for folder in {source.parent, target.parent}:
            flush_folder(folder)

    def replace_file(self, path: Path, data: bytes) -> None:
        """Write a file so that readers see the old bytes or the new ones, never a part."""
        temporary = path.with_name(f".{path.name}.new")
        try:
            self.write_file(temporary, data)
            self.replace(temporary, path)
        except OSError:
            # A full disk has no room for it, and outside a workspace nobody would ever clear it away.
            temporary.unlink(missing_ok=True)
            raise

    def replace(self, source: Path, target: Path) -> None:
        """Rename a file over another, and flush the folder."""
        os.replace(source, target)
        flush_folder(target.parent)


def flush_folder(path: Path) -> None:
    """Make renames in a folder durable; a no-op where folders cannot be opened (Windows)."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
