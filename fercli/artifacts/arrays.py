"""NPY files written row by row, so that memory stays flat and a killed write can go on where it was flushed."""

import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from fercli.artifacts.disk import Disk
from fercli.errors import ArtifactError


def _header(shape: Sequence[int], dtype: np.dtype[Any]) -> bytes:
    """The NPY header; NumPy pads it so that the first axis can grow to any length in the same number of bytes."""
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        buffer, {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": tuple(shape)}
    )
    return buffer.getvalue()


class ArrayWriter:
    """Appends rows to an NPY file of unknown length; use it as a context manager.

    With `resume`, rows that an earlier process flushed stay, and `rows` says how many they are. Plain writes, no
    memory map: on a full disk a map would kill the process, a write raises OSError.
    """

    def __init__(self, disk: Disk, path: Path, row_shape: Sequence[int], dtype: Any, *, resume: bool = False) -> None:
        self._disk = disk
        self._path = path
        self._marker = path.with_name(path.name + ".rows")
        self.row_shape = tuple(int(side) for side in row_shape)
        self.dtype = np.dtype(dtype)
        self.rows = self._flushed_rows() if resume else 0
        self._handle: BinaryIO | None = None

    @property
    def _row_bytes(self) -> int:
        return self.dtype.itemsize * int(np.prod(self.row_shape, dtype=np.int64))

    def _flushed_rows(self) -> int:
        try:
            marked = json.loads(self._marker.read_text())
        except (OSError, ValueError):
            return 0
        if not isinstance(marked, int) or marked < 0 or not self._path.exists():
            return 0
        needed = len(_header((0, *self.row_shape), self.dtype)) + marked * self._row_bytes
        return marked if self._path.stat().st_size >= needed else 0

    def __enter__(self) -> Self:
        header = _header((0, *self.row_shape), self.dtype)
        self._handle = self._path.open("r+b" if self.rows else "w+b")
        try:
            self._disk.write(self._handle, header)
            self._handle.seek(len(header) + self.rows * self._row_bytes)
            self._handle.truncate()
        except BaseException:
            self._handle.close()
            raise
        return self

    def append(self, rows: NDArray[Any]) -> None:
        """Add rows (n, *row_shape)."""
        if self._handle is None or rows.shape[1:] != self.row_shape:
            raise ValueError(f"rows of shape {rows.shape[1:]} do not fit a file of rows {self.row_shape}")
        self._disk.write(self._handle, np.ascontiguousarray(rows, dtype=self.dtype).tobytes())
        self.rows += len(rows)

    def flush(self) -> None:
        """Make the rows so far durable and mark them, so that a later process can go on from here."""
        if self._handle is None:
            return
        self._handle.flush()
        os.fsync(self._handle.fileno())
        self._disk.replace_file(self._marker, str(self.rows).encode())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        handle, self._handle = self._handle, None
        if handle is None:
            return
        try:
            if kind is None:
                handle.seek(0)
                self._disk.write(handle, _header((self.rows, *self.row_shape), self.dtype))
                handle.flush()
                os.fsync(handle.fileno())
                self._marker.unlink(missing_ok=True)
        finally:
            handle.close()


def read_array(path: Path, *, mmap: bool = True) -> NDArray[Any]:
    """An NPY file without pickle, memory-mapped read-only; ArtifactError when it is not one or is cut short."""
    try:
        return np.load(path, mmap_mode="r" if mmap else None, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ArtifactError(
            f"not a readable array: {error}",
            where=str(path),
            next_step="make the artifact again with --force",
        ) from None
