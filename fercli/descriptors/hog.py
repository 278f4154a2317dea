"""Histograms of oriented gradients (Dalal and Triggs 2005), scikit-image's, for batches of gray pictures."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.descriptors.pixels import gray, single
from fercli.errors import InputError


def hog(image: NDArray[Any], *, orientations: int = 9, cell: int = 8, block: int = 2) -> NDArray[np.float64]:
    """HOG (D,) of one picture (H, W) or (H, W, 3); see `hog_batch`, of which this is the case N = 1."""
    return hog_batch(single(image), orientations=orientations, cell=cell, block=block)[0]


def hog_batch(images: NDArray[Any], *, orientations: int = 9, cell: int = 8, block: int = 2) -> NDArray[np.float64]:
    """HOG (N, D) float64 of pictures (N, H, W) or (N, H, W, 3): unsigned orientations, L2-Hys blocks.

    cell: side in pixels. block: side in cells. Colour becomes gray first, by the formula of all descriptors
    here (scikit-image would take the strongest channel). Raises InputError if not one block fits.
    """
    from skimage.feature import hog as skimage_hog

    stack = gray(images)
    out = np.empty((len(stack), columns(*stack.shape[1:], orientations=orientations, cell=cell, block=block)))
    for index, image in enumerate(stack):
        out[index] = skimage_hog(
            image,
            orientations=orientations,
            pixels_per_cell=(cell, cell),
            cells_per_block=(block, block),
            block_norm="L2-Hys",
        )
    return out


def columns(height: int, width: int, *, orientations: int, cell: int, block: int) -> int:
    """Length of the descriptor of a picture; raises InputError if not one block fits."""
    down, across = height // cell - block + 1, width // cell - block + 1
    if min(down, across) < 1:
        raise InputError(
            f"pictures of {height}x{width} pixels hold no HOG block of {block}x{block} cells of {cell} pixels",
            next_step=f"use cells of at most {max(1, min(height, width) // block)} pixels",
        )
    return down * across * block * block * orientations
