"""An artifact while it is being written: a hidden sibling folder that becomes the artifact whole or not at all."""

import json
import os
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from fercli.artifacts import tables
from fercli.artifacts.arrays import ArrayWriter
from fercli.artifacts.disk import Disk, flush_folder, sha256_of
from fercli.artifacts.provenance import environment
from fercli.artifacts.schema import (
    MANIFEST,
    SCHEMA_VERSION,
    FileEntry,
    Kind,
    Manifest,
    Parent,
    fingerprint_of,
)
from fercli.errors import ArtifactError, InputError, UsageError

# Names the key that a partial folder belongs to; only a folder of the same key is resumed.
DRAFT_FILE = ".draft.json"
COPY_BYTES = 1 << 20


def remove_hidden(folder: Path) -> None:
    """Remove checkpoints and markers, which live under hidden names, from a finished folder."""
    for entry in folder.glob(".*"):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink(missing_ok=True)


class Draft:
    """Enter it with `with`, write files, then `commit`; it holds the artifact's lock until it is left.

    An exception removes the folder, unless `keep_partial` was called: then it stays, and the same command resumes
    from it (`resumed` is True then). A folder left by a killed process is resumed only if it says that it may be.
    """

    def __init__(
        self,
        *,
        store_root: Path,
        disk: Disk,
        path: Path,
        lock: ExitStack,
        kind: Kind,
        name: str,
        algorithm: int,
        config: dict[str, Any],
        parents: list[Parent],
        seed: int | None,
        command: list[str],
        execution: dict[str, Any],
        key: str,
    ) -> None:
        self.kind = kind
        self.name = name
        self.path = path
        self.folder = path.with_name(f".{name}.partial")
        self.resumed = False
        self.key = key
        self._root = store_root
        self._disk = disk
        self._lock = lock
        self._keep = False
        self._algorithm = algorithm
        self._config = config
        self._parents = parents
        self._seed = seed
        self._command = command
        self._execution = execution
        self._committed = False

    def __enter__(self) -> Self:
        try:
            if self.folder.is_symlink():
                # Never written by us: what it points to belongs to somebody else.
                self.folder.unlink()
            self.resumed = self._may_resume()
            if not self.resumed:
                if self.folder.exists():
                    shutil.rmtree(self.folder)
                self._disk.make_folder(self.folder)
            # A manifest of the last attempt must not call what is now written over it whole.
            (self.folder / MANIFEST).unlink(missing_ok=True)
            self._keep = self.resumed
        except BaseException:
            self._lock.close()
            raise
        return self

    def _may_resume(self) -> bool:
        try:
            marker = json.loads((self.folder / DRAFT_FILE).read_text())
        except (OSError, ValueError):
            return False
        return isinstance(marker, dict) and marker.get("key") == self.key

    def keep_partial(self) -> None:
        """From now on what is written stays after a crash, for the same command to resume from."""
        if not self._keep:
            self._disk.replace_file(self.folder / DRAFT_FILE, json.dumps({"key": self.key}).encode())
            self._keep = True

    def file(self, name: str) -> Path:
        """Where a file of the artifact is being written; its folder exists."""
        path = self.folder / name
        self._disk.make_folder(path.parent)
        return path

    def scratch(self, name: str) -> Path:
        """Where a checkpoint goes: a hidden folder that the finished artifact does not contain."""
        path = self.folder / ".scratch" / name
        self._disk.make_folder(path.parent)
        return path

    def write_bytes(self, name: str, data: bytes) -> None:
        """One whole file."""
        self._disk.write_file(self.folder / name, data)

    def copy_file(self, name: str, source: Path) -> None:
        """A file of another artifact as it stands, in pieces, so that its size does not matter."""
        path = self.file(name)
        with source.open("rb") as reading, self._disk.open(path, "wb") as writing:
            while piece := reading.read(COPY_BYTES):
                self._disk.write(writing, piece)

    def write_json(self, name: str, value: Any) -> None:
        """A JSON file; ValueError on NaN, which no reader of ours would take."""
        self.write_bytes(name, (json.dumps(value, indent=2, allow_nan=False) + "\n").encode())

    def write_csv(self, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """A CSV file with header."""
        self.write_bytes(name, tables.csv_bytes(columns, rows))

    def write_array(self, name: str, array: np.ndarray[Any, Any]) -> None:
        """A whole NPY file."""
        with self.array_writer(name, array.shape[1:], array.dtype) as writer:
            writer.append(array)

    def array_writer(self, name: str, row_shape: Sequence[int], dtype: Any, *, resume: bool = False) -> ArrayWriter:
        """An NPY file to append rows to; with `resume`, after the rows an earlier process flushed."""
        return ArrayWriter(self._disk, self.file(name), row_shape, dtype, resume=resume and self.resumed)

    def write_tensors(self, name: str, tensors: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Arrays by name as safetensors, which holds data only."""
        from safetensors.numpy import save

        self.write_bytes(name, save({key: np.ascontiguousarray(value) for key, value in tensors.items()}))

    def commit(self, content: Mapping[str, Any]) -> Path:
        """Hash every file, write the manifest last and put the folder in its place; what stood there goes to .trash."""
        files = {
            str(path.relative_to(self.folder).as_posix()): FileEntry(sha256=sha256_of(path), bytes=path.stat().st_size)
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and not path.relative_to(self.folder).parts[0].startswith(".") and path.name != MANIFEST
        }
        facts = json.loads(json.dumps(dict(content), allow_nan=False))
        manifest = Manifest(
            schema_version=SCHEMA_VERSION,
            kind=self.kind,
            name=self.name,
            algorithm=self._algorithm,
            command=self._command,
            config=self._config,
            execution={**self._execution, "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())},
            seed=self._seed,
            parents=self._parents,
            content=facts,
            files=files,
            environment=environment(),
            key=self.key,
            fingerprint=fingerprint_of(self.key, facts, files),
        )
        self._flush_folders()
        self._disk.replace_file(self.folder / MANIFEST, manifest.text().encode())
        # Only now: until the manifest stands, a crash must be able to resume from the checkpoints.
        remove_hidden(self.folder)
        if self.path.exists() or self.path.is_symlink():
            trash = self._root / ".trash"
            self._disk.make_folder(trash)
            self._disk.rename(self.path, trash / f"{self.kind}-{self.name}-{time.time_ns()}-{os.getpid()}")
        self._disk.rename(self.folder, self.path)
        self._committed = True
        return self.path

    def _flush_folders(self) -> None:
        """Make the names of the files durable too, which a manifest is about to vouch for."""
        for folder in [self.folder, *(entry for entry in self.folder.rglob("*") if entry.is_dir())]:
            flush_folder(folder)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            # Failed between the two renames: the folder is whole, and the next opening of the store puts it in place.
            swap_begun = (self.folder / MANIFEST).exists() and not self.path.exists()
            # What is refused now is refused again: there is nothing to go on to.
            refused = isinstance(error, InputError | ArtifactError | UsageError) and not self.resumed
            if not self._committed and (refused or not self._keep) and not swap_begun:
                shutil.rmtree(self.folder, ignore_errors=True)
        finally:
            self._lock.close()
