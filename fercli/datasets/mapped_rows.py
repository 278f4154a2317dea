"""Rows of a memory-mapped array, read so that the process never holds more of the file than it works on."""

import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

# A row far from the last one maps 64 KiB and more of the file around it.
_SCATTERED = 256


def release(array: NDArray[Any]) -> None:
    """Let go of the pages of a memory map that were read; an array in memory is left alone."""
    if isinstance(array.base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        array.base.madvise(mmap.MADV_DONTNEED)


def gather(array: NDArray[Any], rows: NDArray[np.int64]) -> NDArray[Any]:
    """array[rows] in memory, whatever their order. array: (N, …). rows: (n,)."""
    found = np.empty((len(rows), *array.shape[1:]), dtype=array.dtype)
    for start in range(0, len(rows), _SCATTERED):
        found[start : start + _SCATTERED] = array[rows[start : start + _SCATTERED]]
        release(array)
    return found
