"""NPY files written row by row, so that memory stays flat and a killed write can go on where it was flushed."""

import io
import json
import math
import re
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
        self._disk.sync(self._handle)
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
                self._disk.sync(handle)
                self._marker.unlink(missing_ok=True)
        finally:
            handle.close()


# The header that NumPy and we write: no expression to evaluate, so nothing that a file could make Python do.
_HEADER = re.compile(
    rb"\{'descr': '([<>|][biufUS][0-9]{1,9})', 'fortran_order': (False|True), "
    rb"'shape': \(((?:[0-9]{1,18}, ?)*[0-9]{0,18})\), *\} *\n"
)
_MAGIC = b"\x93NUMPY"


def read_array(path: Path, *, mmap: bool = True) -> NDArray[Any]:
    """An NPY file of numbers or texts, memory-mapped read-only; ArtifactError when it is not one or is cut short.

    mmap: without it the array is read into memory, and can be written to.
    """
    try:
        with path.open("rb") as handle:
            head = handle.read(10)
            major, length = head[6:7], int.from_bytes(head[8:10], "little")
            found = _HEADER.fullmatch(handle.read(length))
            if head[:6] != _MAGIC or major != b"\x01" or found is None:
                raise ValueError("it has no header of an NPY file of numbers")
            dtype, order = np.dtype(found[1].decode()), "F" if found[2] == b"True" else "C"
            shape = tuple(int(side) for side in found[3].replace(b",", b" ").split())
            needed, held = math.prod(shape) * dtype.itemsize, path.stat().st_size - 10 - length
            if dtype.itemsize == 0 or needed > held or len(shape) > 32:
                raise ValueError(f"its header promises {needed:,} bytes, it holds {held:,}")
            if needed == 0:
                return np.empty(shape, dtype)
            mapped = np.memmap(path, dtype, "r", 10 + length, shape, order)  # type: ignore[call-overload]
            return mapped if mmap else np.array(mapped, order="K", subok=False)
    except (OSError, ValueError, TypeError) as error:
        raise ArtifactError(
            f"not a readable array: {error}",
            where=str(path),
            next_step="make the artifact again with --force",
        ) from None
