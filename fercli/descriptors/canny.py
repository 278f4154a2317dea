"""Canny's edge maps as MATLAB draws them, by release, and OpenCV's; whole batches, single precision, no loops.

Steps of `edge(G, 'canny')` with automatic thresholds: gradient of a Gaussian, thresholds from the histogram of the
gradient's magnitude, non-maximum suppression along the gradient, hysteresis over 8-connected components.
Source: MATLAB's documentation and published copies of edge.m; our maps agree with the golden ones pixel by pixel.
"""

from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from fercli.config.descriptors import Canny
from fercli.descriptors.canny_gradients import Plane, gradient
from fercli.descriptors.pixels import gray, side_by_side, single, tiles
from fercli.descriptors.thinning import thin_once
from fercli.errors import InputError

CANNIES: tuple[Canny, ...] = get_args(Canny)

_BINS = 64
_NOT_EDGES = 0.7
_LOW_TO_HIGH = 0.4


def canny(image: NDArray[Any], generation: Canny = "matlab") -> NDArray[np.bool_]:
    """(H, W) edge map of one picture; see `canny_batch`, of which this is the case N = 1."""
    return canny_batch(single(image), generation)[0]


def canny_batch(images: NDArray[Any], generation: Canny = "matlab") -> NDArray[np.bool_]:
    """(N, H, W) edge maps of pictures (N, H, W) or (N, H, W, 3), pixels 0..255.

    `matlab`: current releases. `matlab-2011`: R2011a to about R2015, a Gaussian of 16 taps that moves the map by
    half a pixel. `matlab-2010`: R2010b and before (now 'canny_old'), sigma 1, thinned once. `opencv`: Sobel and
    `cv2.Canny` with the same rule for the thresholds. Border pixels are never edges. Raises InputError for
    another name and for what is not a stack of pictures.
    """
    if generation not in CANNIES:
        raise InputError(f"a Canny generation is one of {', '.join(CANNIES)}, not {generation}")
    stack = gray(images)
    edges = np.empty(stack.shape, dtype=np.bool_)
    for part in tiles(len(stack), stack.shape[1] * stack.shape[2]):
        if generation == "opencv":
            for index in range(part.start, part.stop):
                edges[index] = _opencv(stack[index])
        else:
            edges[part] = matlab_edges(side_by_side(stack[part]), generation).transpose(1, 0, 2)
    return edges


def matlab_edges(pixels: NDArray[Any], generation: Canny) -> NDArray[np.bool_]:
    """Edge maps (H, n, W) of pictures side by side (H, n, W), by one of MATLAB's generations."""
    height, count, width = pixels.shape
    if min(height, width) < 3:
        return np.zeros(pixels.shape, dtype=np.bool_)
    dx, dy = gradient(pixels, generation)
    magnitude = np.sqrt(dx * dx + dy * dy)
    peaks = magnitude.max(axis=(0, 2))
    magnitude /= np.where(peaks > 0, peaks, np.float32(1))[:, None]
    high = high_thresholds(magnitude.transpose(1, 0, 2).reshape(count, -1))
    low = _LOW_TO_HIGH * high
    weak = _local_maxima(dx, dy, magnitude)
    weak &= magnitude > low.astype(np.float32)[:, None]
    strong = weak & (magnitude > high.astype(np.float32)[:, None])
    kept = _hysteresis(weak, strong)
    if generation != "matlab-2010":
        return kept
    # Before R2011a a picture without one strong pixel kept all weak ones.
    without_strong = ~np.any(strong, axis=(0, 2), keepdims=True)[0]
    kept |= weak & without_strong
    return thin_once(kept)


def high_thresholds(magnitudes: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n,) high thresholds of magnitudes (n, pixels) in 0..1.

    MATLAB's rule: of 64 bins, bin = floor(63 m + 0.5), the number of those until the cumulative count first
    exceeds 0.7 of the pixels, over 64. That bin holds the order statistic floor(0.7 pixels), so that one
    partition replaces the histogram.
    """
    rank = int(np.floor(_NOT_EDGES * magnitudes.shape[1]))
    statistic = np.partition(magnitudes, rank, axis=1)[:, rank].astype(np.float64)
    return (np.floor((_BINS - 1) * statistic + 0.5) + 1) / _BINS


def _local_maxima(dx: Plane, dy: Plane, magnitude: Plane) -> NDArray[np.bool_]:
    """Pixels at least as strong as both neighbours along the gradient, interpolated linearly.

    The neighbour along the longer component and the diagonal one are mixed with t = shorter / longer. MATLAB's
    four sectors share their borders, where t is 0 or 1 and both sides give the same value.
    """
    height, count, width = magnitude.shape
    row = count * width
    inner = slice(row + 1, (height - 1) * row - 1)
    flat_x, flat_y, m = dx.reshape(-1), dy.reshape(-1), magnitude.reshape(-1)
    x, y = flat_x[inner], flat_y[inner]

    def neighbour(down: int, right: int) -> NDArray[np.int32]:
        start = inner.start + down * row + right
        return m[start : start + x.size].view(np.int32)

    long_x, long_y = np.abs(x), np.abs(y)
    longer, shorter = np.maximum(long_x, long_y), np.minimum(long_x, long_y)
    nonzero = longer > 0
    t = shorter / np.maximum(longer, np.finfo(np.float32).tiny)
    rest = np.float32(1) - t
    # Choices as bit masks: np.where on floats mispredicts a branch per pixel.
    horizontal = -(long_x >= long_y).astype(np.int32)
    rising = -((x < 0) != (y < 0)).astype(np.int32)
    up = _choose(rising, neighbour(-1, 1), neighbour(-1, -1))
    down = _choose(rising, neighbour(1, -1), neighbour(1, 1))
    east, west = neighbour(0, 1), neighbour(0, -1)
    swap = (east ^ west) & ~rising
    beside_up = _choose(horizontal, east ^ swap, neighbour(-1, 0))
    beside_down = _choose(horizontal, west ^ swap, neighbour(1, 0))
    kept = np.zeros(m.size, dtype=np.bool_)
    here = kept[inner]
    centre = m[inner]
    np.greater_equal(centre, beside_up.view(np.float32) * rest + up.view(np.float32) * t, out=here)
    here &= centre >= beside_down.view(np.float32) * rest + down.view(np.float32) * t
    here &= nonzero
    peaks = kept.reshape(magnitude.shape)
    peaks[:, :, 0] = False
    peaks[:, :, -1] = False
    return peaks


def _choose(mask: NDArray[np.int32], yes: NDArray[np.int32], no: NDArray[np.int32]) -> NDArray[np.int32]:
    """`yes` where the mask is all ones, `no` where it is 0."""
    return no ^ ((yes ^ no) & mask)


def _hysteresis(weak: NDArray[np.bool_], strong: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The 8-connected components of `weak` that hold a pixel of `strong`.

    Pictures stand side by side, and their border columns hold no weak pixel, so none touches its neighbour.
    """
    height = len(weak)
    labels, components = ndimage.label(weak.reshape(height, -1), structure=np.ones((3, 3)))
    kept = np.zeros(components + 1, dtype=np.bool_)
    kept[labels[strong.reshape(height, -1)]] = True
    return kept[labels].reshape(weak.shape)


def _opencv(image: NDArray[Any]) -> NDArray[np.bool_]:
    """OpenCV's edge map of one picture (H, W): 3x3 Sobel without smoothing, L2 magnitude, MATLAB's thresholds."""
    import cv2

    pixels = np.ascontiguousarray(np.rint(image).astype(np.uint8))
    dx = cv2.Sobel(pixels, cv2.CV_16S, 1, 0, borderType=cv2.BORDER_REPLICATE)
    dy = cv2.Sobel(pixels, cv2.CV_16S, 0, 1, borderType=cv2.BORDER_REPLICATE)
    magnitude = np.sqrt(dx.astype(np.float32) ** 2 + dy.astype(np.float32) ** 2)
    peak = magnitude.max()
    if peak == 0:
        return np.zeros(image.shape, dtype=np.bool_)
    high = float(high_thresholds((magnitude / peak).reshape(1, -1))[0]) * float(peak)
    edges = np.asarray(cv2.Canny(dx, dy, _LOW_TO_HIGH * high, high, L2gradient=True)) > 0
    edges[[0, -1]] = False
    edges[:, [0, -1]] = False
    return edges
