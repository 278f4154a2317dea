"""Planes of a data set on their way to disk: raw in order of arrival, then one NPY file in the order of the rows."""

from types import TracebackType
from typing import BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from fercli.artifacts.disk import Disk
from fercli.artifacts.draft import Draft

CHUNK_BYTES = 64 * 2**20


class PlaneWriter:
    """A sink for `datasets.assembly.assemble`; memory stays flat, and every write passes the store's disk."""

    def __init__(self, draft: Draft, disk: Disk, name: str = "images.npy") -> None:
        self._draft = draft
        self._disk = disk
        self._name = name
        self._raw = draft.scratch(f"{name}.raw")
        self._shape: tuple[int, ...] = ()
        self._count = 0
        self._stream: BinaryIO | None = None

    def __enter__(self) -> Self:
        self._stream = self._raw.open("w+b")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream is not None:
            self._stream.close()

    def append(self, pixels: NDArray[np.uint8]) -> None:
        """One more plane (H, W) or (H, W, 3)."""
        if self._stream is None:
            raise ValueError("the plane writer was not entered")
        self._shape = pixels.shape
        self._disk.write(self._stream, np.ascontiguousarray(pixels).tobytes())
        self._count += 1

    def promote_to_rgb(self) -> None:
        """Rewrite what is there with every gray plane's channel repeated."""
        if self._stream is None:
            raise ValueError("the plane writer was not entered")
        wide = self._raw.with_suffix(".rgb")
        with wide.open("wb") as out:
            self._stream.seek(0)
            while data := self._stream.read(CHUNK_BYTES):
                self._disk.write(out, np.repeat(np.frombuffer(data, np.uint8), 3).tobytes())
        self._stream.close()
        wide.replace(self._raw)
        self._stream = self._raw.open("r+b")
        self._stream.seek(0, 2)

    def finish(self, order: NDArray[np.int64]) -> None:
        """Write the array (N, H, W[, 3]) uint8 whose row i is the plane that arrived as number order[i]."""
        if self._stream is None:
            raise ValueError("the plane writer was not entered")
        self._stream.flush()
        arrived = np.memmap(self._raw, dtype=np.uint8, mode="r", shape=(self._count, *self._shape))
        step = max(1, CHUNK_BYTES // max(1, int(np.prod(self._shape))))
        with self._draft.array_writer(self._name, self._shape, np.uint8) as writer:
            for start in range(0, len(order), step):
                writer.append(arrived[order[start : start + step]])
        del arrived
