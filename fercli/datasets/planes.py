"""A sink for `assembly.assemble` that keeps planes in memory; `artifacts/planes.py` has the one on disk."""

import numpy as np
from numpy.typing import NDArray


class PlaneList:
    """Planes in memory, for small data."""

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
