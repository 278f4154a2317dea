"""Local binary patterns (Ojala et al. 2002), scikit-image's uniform ones, as histograms over a grid."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.descriptors.grid import block_numbers
from fercli.descriptors.pixels import gray, single


def lbp(
    image: NDArray[Any], *, points: int = 8, radius: float = 1.0, grid: Sequence[int] = (4, 4)
) -> NDArray[np.float64]:
    """LBP (D,) of one picture (H, W) or (H, W, 3); see `lbp_batch`, of which this is the case N = 1."""
    return lbp_batch(single(image), points=points, radius=radius, grid=grid)[0]


def lbp_batch(
    images: NDArray[Any], *, points: int = 8, radius: float = 1.0, grid: Sequence[int] = (4, 4)
) -> NDArray[np.float64]:
    """LBP (N, D) float64 of pictures (N, H, W) or (N, H, W, 3).

    `points` neighbours on a circle of `radius` pixels, non-rotation-invariant uniform patterns: points *
    (points - 1) + 3 codes. Each block of the grid (rows, columns) gives one histogram that sums to 1, one after
    the other, row by row. Pixels whose circle leaves the picture count with a border of zeros, as scikit-image's.
    Pixels between whole gray levels are rounded first. Raises InputError if the grid is finer than the pixels.
    """
    from skimage.feature import local_binary_pattern

    stack = np.rint(gray(images)).astype(np.uint8)
    count, height, width = stack.shape
    blocks = block_numbers("an LBP", height, width, grid)
    codes = points * (points - 1) + 3
    bins = codes * grid[0] * grid[1]
    out = np.empty((count, bins))
    for index, image in enumerate(stack):
        patterns = local_binary_pattern(image, points, radius, method="nri_uniform").astype(np.int64)
        counts = np.bincount((blocks * codes + patterns).ravel(), minlength=bins).reshape(-1, codes)
        out[index] = (counts / counts.sum(axis=1, keepdims=True)).ravel()
    return out


def columns(height: int, width: int, *, points: int, grid: Sequence[int]) -> int:
    """Length of the descriptor of a picture; raises InputError if the grid is finer than the pixels."""
    block_numbers("an LBP", height, width, grid)
    return (points * (points - 1) + 3) * grid[0] * grid[1]
