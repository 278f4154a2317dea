"""PHOG and LPQ as one would transcribe the MATLAB originals with NumPy and SciPy: plain, one picture at a time.

The yardstick of `fer bench descriptors` and of the tests; it shares no code with `fercli.descriptors`. Ties are
decided by the same stated rule (a response within 1e-9 * 255 * sum|kernel| of zero counts as zero).
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

Image = NDArray[np.uint8]
Real = NDArray[np.float64]


def canny(image: Image) -> NDArray[np.bool_]:
    """Edge map of current MATLAB's edge(G, 'canny'), step by step."""
    pixels = image.astype(np.float32) / np.float32(255)
    t = np.arange(-6, 7)
    smooth = np.exp(-(t**2) / 4)
    smooth = smooth / smooth.sum()
    slope = np.array(np.gradient(smooth))
    slope[slope > 0] /= slope[slope > 0].sum()
    slope[slope < 0] /= -slope[slope < 0].sum()
    across = ndimage.convolve1d(pixels, smooth, axis=0, mode="nearest")
    dx = ndimage.convolve1d(across, slope, axis=1, mode="nearest")
    down = ndimage.convolve1d(pixels, smooth, axis=1, mode="nearest")
    dy = ndimage.convolve1d(down, slope, axis=0, mode="nearest")
    m = np.hypot(dx, dy)
    if m.max() > 0:
        m = m / m.max()
    counts = np.bincount(np.floor(63 * m + 0.5).astype(int).ravel(), minlength=64)
    high = (np.flatnonzero(np.cumsum(counts) > 0.7 * m.size)[0] + 1) / 64
    low = 0.4 * high
    x, y, centre = dx[1:-1, 1:-1], dy[1:-1, 1:-1], m[1:-1, 1:-1]
    north, south, west, east = m[:-2, 1:-1], m[2:, 1:-1], m[1:-1, :-2], m[1:-1, 2:]
    north_west, north_east, south_west, south_east = m[:-2, :-2], m[:-2, 2:], m[2:, :-2], m[2:, 2:]
    keep = np.zeros(x.shape, dtype=bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        flat, steep = np.abs(y / x), np.abs(x / y)
        for sector, t, ahead, ahead_diagonal, behind, behind_diagonal in (
            (((y <= 0) & (x > -y)) | ((y >= 0) & (x < -y)), flat, east, north_east, west, south_west),
            (((x > 0) & (-y >= x)) | ((x < 0) & (-y <= x)), steep, north, north_east, south, south_west),
            (((x <= 0) & (x > y)) | ((x >= 0) & (x < y)), steep, north, north_west, south, south_east),
            (((y < 0) & (x <= y)) | ((y > 0) & (x >= y)), flat, west, north_west, east, south_east),
        ):
            first = ahead * (1 - t) + ahead_diagonal * t
            second = behind * (1 - t) + behind_diagonal * t
            keep |= sector & (centre >= first) & (centre >= second)
    weak = np.zeros(m.shape, dtype=bool)
    weak[1:-1, 1:-1] = keep & (centre > low)
    labels, _ = ndimage.label(weak, structure=np.ones((3, 3)))
    return np.asarray(weak & np.isin(labels, np.unique(labels[weak & (m > high)])))


def phog(image: Image, bins: int = 8, angle: int = 360, levels: int = 3) -> Real:
    """anna_phog.m with the edge map of current MATLAB."""
    cells = []
    weight: Real = np.zeros(image.shape)
    index = np.zeros(image.shape, dtype=int)
    if image.sum() > 100:
        gy, gx = np.gradient(image.astype(np.float64))
        magnitude = np.hypot(gx, gy)
        gx = np.where(gx == 0, 1e-5, gx)
        if angle == 360:
            degrees = (np.arctan2(gy, gx) + np.pi) * 180 / np.pi
        else:
            degrees = (np.arctan(gy / gx) + np.pi / 2) * 180 / np.pi
        index = np.ceil(degrees / (angle / bins)).astype(int)
        weight = np.where(canny(image), magnitude, 0.0)
    height, width = image.shape
    for level in range(levels + 1):
        x, y = width // 2**level, height // 2**level
        for left in range(0, width - x + 1, x):
            for top in range(0, height - y + 1, y):
                cell = np.s_[top : top + y, left : left + x]
                sums = np.bincount(index[cell].ravel(), weight[cell].ravel(), minlength=bins + 1)
                cells.append(sums[1:])
    histogram = np.concatenate(cells)
    total = histogram.sum()
    return np.asarray(histogram / total if total else histogram)


@lru_cache(maxsize=8)
def _rotation(window: int) -> tuple[Real, Real]:
    """V^T of the whitening transform and the sums of |rotated kernel|, uniform frequency."""
    x = np.arange(window) - (window - 1) / 2
    w0, w1 = np.ones(window), np.exp(-2j * np.pi * x / window)
    rows = [np.outer(w0, w1), np.outer(w1, w0), np.outer(w1, w1), np.outer(w1, w1.conj())]
    m = np.array([part.ravel() for q in rows for part in (q.real, q.imag)])
    yy, xx = np.mgrid[:window, :window].reshape(2, -1)
    c = 0.9 ** np.hypot(yy[:, None] - yy, xx[:, None] - xx)
    a = np.diag([1.000007, 1.000006, 1.000005, 1.000004, 1.000003, 1.000002, 1.000001, 1])
    v = np.linalg.svd(a @ (m @ c @ m.T) @ a)[2].T
    for column in v.T:
        if column[np.argmax(np.abs(column))] < 0:
            column *= -1
    return v.T, np.abs(v.T @ m).sum(axis=1)


def lpq(image: Image, window: int = 7) -> Real:
    """lpq.m of 2010 with decorrelation, uniform frequency, normalised histogram."""
    x = np.arange(window) - (window - 1) / 2
    w0, w1 = np.ones(window), np.exp(-2j * np.pi * x / window)
    pixels = image.astype(np.float64)
    responses = []
    for over_y, over_x in ((w0, w1), (w1, w0), (w1, w1), (w1, w1.conj())):
        r = signal.convolve2d(signal.convolve2d(pixels, over_y[:, None], "valid"), over_x[None, :], "valid")
        responses += [r.real, r.imag]
    rotation, sums = _rotation(window)
    f = np.tensordot(rotation, np.array(responses), axes=1)
    bits = f > 1e-9 * 255 * sums[:, None, None]
    codes = np.tensordot(2 ** np.arange(8), bits, axes=1)
    counts = np.bincount(codes.ravel(), minlength=256)
    return np.asarray(counts / counts.sum())
