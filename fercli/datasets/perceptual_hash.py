"""A 64-bit perceptual hash: pictures that look alike differ in few bits.

The bits are low frequencies of the discrete cosine transform, as in pHash (Zauner 2010, "Implementation and
Benchmarking of Perceptual Image Hash Functions"). Deviation: a bit says whether a coefficient is above its median over
the data set, not above the median of the picture's own coefficients. Aligned faces share the sign of most low
frequencies, so pHash's own bits are nearly constant over a set of faces; above-the-median bits halve every set.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fercli.datasets.images import to_gray

BITS = 64
_SIDE = 10  # the 64 lowest frequencies lie in the first 10 x 10 coefficients
# Interquartile range, as a part of a picture of length 1, below which a coefficient tells nothing.
_FAINT = 0.02
_FEW = 1024
_ONES = np.array([bin(byte).count("1") for byte in range(256)], dtype=np.uint8)


@lru_cache(maxsize=1)
def _frequencies() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(64,) vertical and (64,) horizontal frequencies by rising radius, without the mean."""
    pairs = [(row, column) for row in range(_SIDE) for column in range(_SIDE) if row or column]
    pairs.sort(key=lambda pair: (pair[0] ** 2 + pair[1] ** 2, pair))
    rows, columns = zip(*pairs[:BITS], strict=True)
    return np.array(rows), np.array(columns)


@lru_cache(maxsize=8)
def _cosines(size: int) -> NDArray[np.float32]:
    """(10, size) orthonormal rows of the DCT-II; zero where a side has fewer frequencies than rows."""
    frequency = np.arange(_SIDE)[:, None]
    rows = np.cos(np.pi * (2 * np.arange(size)[None] + 1) * frequency / (2 * size)) * np.sqrt(2 / size)
    rows[0] /= np.sqrt(2)
    rows[size:] = 0
    return rows.astype(np.float32)


def gray_planes(planes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Planes (n, H, W) or (n, H, W, 3) as gray (n, H, W)."""
    return to_gray(planes) if planes.ndim == 4 else planes


def low_frequencies(planes: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Coefficients (n, 64) and the standard deviation (n,) of the gray values, of planes (n, H, W[, 3]) uint8.

    Each plane is first brought to mean 0 and length 1, so light and contrast do not count; a constant one has zeros.
    """
    gray = gray_planes(planes)
    values = gray.astype(np.float32)
    values -= values.mean(axis=(1, 2), keepdims=True)
    spread = np.sqrt(np.einsum("nhw,nhw->n", values, values) / max(1, values[0].size if len(values) else 1))
    coefficients = _cosines(values.shape[1]) @ values @ _cosines(values.shape[2]).T
    rows, columns = _frequencies()
    length = np.maximum(spread, 1e-6) * np.sqrt(np.float32(gray.shape[1] * gray.shape[2]))
    return coefficients[:, rows, columns] / length[:, None], spread


def packed(bits: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """(n, 64) bool as (n,) uint64."""
    return np.ascontiguousarray(np.packbits(bits, axis=1)).view(np.uint64).reshape(-1)


def thresholds(coefficients: NDArray[np.float32]) -> NDArray[np.float32]:
    """(64,) median of each coefficient of some pictures (n, 64); infinite for a frequency in which they do not differ.

    Pictures that were blown up or drawn lack some frequencies altogether; a bit of their rounding would be a coin. Of
    fewer than 1,024 pictures the limits are 0: a pair of copies among a few moves the median between them.
    """
    if not len(coefficients):
        return np.full(BITS, np.inf, dtype=np.float32)
    low, middle, high = np.quantile(coefficients, (0.25, 0.5, 0.75), axis=0)
    if len(coefficients) < _FEW:
        middle = np.zeros(BITS)
    return np.where(high - low > _FAINT, middle, np.inf).astype(np.float32)


def hashes(coefficients: NDArray[np.float32], limits: NDArray[np.float32]) -> NDArray[np.uint64]:
    """(n,) uint64: bit j says whether coefficient j is above limits[j]. coefficients: (n, 64)."""
    return packed(coefficients > limits)


def distance(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> NDArray[np.int64]:
    """(n,) number of bits in which the hashes differ."""
    ones: NDArray[np.int64] = _ONES[(left ^ right).view(np.uint8).reshape(-1, 8)].sum(axis=1, dtype=np.int64)
    return ones
