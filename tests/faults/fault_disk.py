"""Disks that fail: the store's file operations, counted, with one or all of them from the n-th on an error."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from unittest import mock

from fercli.artifacts.disk import Disk

OPERATIONS = ("write", "sync", "rename", "replace", "make_folder")
# Where commands take their disk from: the store, and files outside a workspace.
PLACES = ("fercli.artifacts.store.Disk", "fercli.workflow.outside_files.Disk")


class FailingDisk(Disk):
    """Fails at its n-th operation: from then on (a full disk), or that once (a bad block). n = 0 only counts."""

    def __init__(self, n: int, number: int = 0, *, stays: bool = False) -> None:
        self.n = n
        self.number = number
        self.stays = stays
        self.done = 0

    def _spend(self, where: Path | None = None) -> None:
        self.done += 1
        if self.n and (self.done == self.n or (self.stays and self.done > self.n)):
            raise OSError(self.number, os.strerror(self.number), *([str(where)] if where else []))

    def write(self, handle: BinaryIO, data: bytes | memoryview) -> None:
        self._spend()
        super().write(handle, data)

    def sync(self, handle: BinaryIO) -> None:
        self._spend()
        super().sync(handle)

    def rename(self, source: Path, target: Path) -> None:
        self._spend(source)
        super().rename(source, target)

    def replace(self, source: Path, target: Path) -> None:
        self._spend(source)
        super().replace(source, target)

    def make_folder(self, path: Path) -> None:
        self._spend(path)
        super().make_folder(path)


@contextmanager
def used(disk: Disk) -> Iterator[None]:
    """In the block all commands of this process write to that disk."""
    with mock.patch(PLACES[0], return_value=disk), mock.patch(PLACES[1], return_value=disk):
        yield


@contextmanager
def nobody() -> Iterator[None]:
    """In the block this process may not write what is write-protected: root may write everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def protect(folder: Path) -> None:
    """Everything below it can be read by all and written by nobody, and all can get there."""
    for place in (folder, *folder.rglob("*")):
        place.chmod(0o555 if place.is_dir() else 0o444)
    for parent in folder.parents:
        if parent.stat().st_uid == os.geteuid() and not parent.stat().st_mode & 0o005:
            parent.chmod(0o755)


def unprotect(folder: Path) -> None:
    """So that it can be deleted."""
    folder.chmod(0o755)
    for place in folder.rglob("*"):
        place.chmod(0o755)
