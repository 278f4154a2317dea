"""The smoothed gradients of MATLAB's Canny, by release: separable filters in single precision."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]


def gradient(pixels: NDArray[Any], generation: str) -> tuple[Plane, Plane]:
    """dx and dy, each (H, n, W) float32, of pictures side by side (H, n, W), pixels 0..255.

    Borders are replicated. `matlab` and `matlab-2011`: sigma sqrt(2), smoothed across and differentiated along
    each axis, of 13 and 16 taps; `matlab-2010`: sigma 1, smoothed and then differentiated by a Gaussian again.
    """
    image = pixels.astype(np.float32)
    image /= np.float32(255)
    smooth, slope = _taps(generation)
    if generation == "matlab-2010":
        image = _along_y(_along_x(image, smooth), smooth)
        smooth = smooth * np.float32(2)
    return _along_x(_along_y(image, smooth), slope), _along_y(_along_x(image, smooth), slope)


@lru_cache(maxsize=8)
def _taps(generation: str) -> tuple[Plane, Plane]:
    """Smoothing and differentiating taps; mirrored exactly, the first even, the second odd."""
    if generation == "matlab-2010":
        t = np.arange(-4.0, 5.0)
        smooth = np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi)
        # -x exp(-(x^2 + y^2) / 2) / pi is this slope times twice the smoothing taps.
        slope = -t * np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi)
    else:
        t = np.arange(-6.0, 7.0) if generation == "matlab" else np.arange(-7.5, 8.0)
        smooth = np.exp(-(t**2) / 4)
        smooth /= smooth.sum()
        slope = np.gradient(smooth)
        slope /= slope[slope > 0].sum()
    smooth, slope = (smooth + smooth[::-1]) / 2, (slope - slope[::-1]) / 2
    return smooth.astype(np.float32), slope.astype(np.float32)


def _along_y(planes: Plane, taps: Plane) -> Plane:
    """Convolution over rows, borders replicated."""
    height, count, width = planes.shape
    before, after = _reach(taps)
    padded = np.empty((height + before + after, count, width), dtype=np.float32)
    padded[:before] = planes[0]
    padded[before : before + height] = planes
    padded[before + height :] = planes[-1]
    out = np.empty((height, count, width), dtype=np.float32)
    _convolve(padded.reshape(-1), count * width, taps, out.reshape(-1))
    return out


def _along_x(planes: Plane, taps: Plane) -> Plane:
    """Convolution over columns, borders replicated; the pictures' seams fall into the padding."""
    height, count, width = planes.shape
    before, after = _reach(taps)
    padded = np.empty((height, count, width + before + after), dtype=np.float32)
    padded[:, :, :before] = planes[:, :, :1]
    padded[:, :, before : before + width] = planes
    padded[:, :, before + width :] = planes[:, :, -1:]
    out = np.empty(padded.shape, dtype=np.float32)
    _convolve(padded.reshape(-1), 1, taps, out.reshape(-1)[: padded.size - before - after])
    return np.ascontiguousarray(out[:, :, :width])


def _reach(taps: Plane) -> tuple[int, int]:
    """Pixels needed before and after; an even filter is centred as MATLAB's 'same' cuts it, half a pixel late."""
    after = len(taps) // 2
    return len(taps) - 1 - after, after


def _convolve(line: Plane, step: int, taps: Plane, out: Plane) -> None:
    """out[p] = sum over k of taps[k] * line[p + (K - 1 - k) * step]; mirrored taps share one product.

    Sums run in one order for every pixel and no fused operation is left to a library, so that equal
    neighbourhoods give equal bits: ties in the suppression fall alike everywhere.
    """
    last = len(taps) - 1
    odd = taps[0] == -taps[-1]
    term = np.empty_like(out)
    pair = np.subtract if odd else np.add
    for k in range(len(taps) // 2):
        target = out if k == 0 else term
        pair(line[(last - k) * step :][: out.size], line[k * step :][: out.size], out=target)
        np.multiply(target, taps[k], out=target)
        if k:
            np.add(out, term, out=out)
    if last % 2 == 0 and not odd:
        middle = last // 2
        np.multiply(line[middle * step :][: out.size], taps[middle], out=term)
        np.add(out, term, out=out)
