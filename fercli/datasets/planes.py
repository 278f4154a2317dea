"""Sinks for `assembly.assemble`: planes on disk as one `.npy` file, or in memory."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CHUNK_BYTES = 64 * 2**20


class PlaneList:
    """Planes in memory, for small data and tests."""

    def __init__(self) -> None:
        self._planes: list[NDArray[np.uint8]] = []

    def append(self, pixels: NDArray[np.uint8]) -> None:
        """One more plane."""
        self._planes.append(pixels)

    def promote_to_rgb(self) -> None:
        """Repeats the channel of every gray plane."""
        self._planes = [np.repeat(plane[..., None], 3, axis=2) for plane in self._planes]

    def stacked(self, order: NDArray[np.int64]) -> NDArray[np.uint8]:
        """(N, H, W[, 3]) uint8 in the order of the rows."""
        return np.stack([self._planes[row] for row in order.tolist()])


class PlaneFile:
    """Planes on disk: raw bytes in order of arrival, then one `.npy` in the order of the rows; memory stays flat.

    The raw file stands beside the target with the suffix `.raw` and is gone after `finish` or `close`.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._raw = target.with_suffix(".raw")
        self._stream = self._raw.open("w+b")
        self._shape: tuple[int, ...] = ()
        self._count = 0

    def append(self, pixels: NDArray[np.uint8]) -> None:
        """One more plane."""
        self._shape = pixels.shape
        self._stream.write(np.ascontiguousarray(pixels).data)
        self._count += 1

    def promote_to_rgb(self) -> None:
        """Rewrites the raw file with every gray plane's channel repeated."""
        wide = self._raw.with_suffix(".rgb")
        with open(wide, "wb") as out:
            self._stream.seek(0)
            while data := self._stream.read(CHUNK_BYTES):
                out.write(np.repeat(np.frombuffer(data, np.uint8), 3).data)
        self._stream.close()
        wide.replace(self._raw)
        self._stream = self._raw.open("r+b")
        self._stream.seek(0, 2)

    def finish(self, order: NDArray[np.int64]) -> None:
        """Writes the `.npy`: (N, H, W[, 3]) uint8, row i being the plane that arrived as number order[i]."""
        self._stream.flush()
        shape = (self._count, *self._shape)
        arrived = np.memmap(self._raw, dtype=np.uint8, mode="r", shape=shape)
        step = max(1, CHUNK_BYTES // max(1, int(np.prod(self._shape))))
        with open(self._target, "wb") as out:
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(out, header)
            for start in range(0, len(order), step):
                out.write(np.ascontiguousarray(arrived[order[start : start + step]]).data)
        del arrived
        self.close()

    def close(self) -> None:
        """Removes the raw file; safe to call twice."""
        self._stream.close()
        self._raw.unlink(missing_ok=True)
