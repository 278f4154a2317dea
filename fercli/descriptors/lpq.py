"""Local phase quantisation (Ojansivu and Heikkila 2008), exactly as the authors' lpq.m of 2010."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fercli.config.descriptors import Frequency
from fercli.descriptors.grid import block_numbers
from fercli.descriptors.lpq_filters import PRODUCTS, Filters, filters
from fercli.descriptors.pixels import TILE_PIXELS, gray, side_by_side, single, tiles
from fercli.errors import InputError

Mode = Literal["codes", "counts", "normalized"]
MODES: tuple[Mode, ...] = ("codes", "counts", "normalized")
CODES = 256

Line = NDArray[np.float64]


def lpq(
    image: NDArray[Any],
    *,
    window: int = 7,
    frequency: Frequency = "uniform",
    decorrelate: bool = True,
    mode: Mode = "normalized",
    grid: Sequence[int] = (1, 1),
) -> NDArray[Any]:
    """LPQ of one picture (H, W) or (H, W, 3); see `lpq_batch`, of which this is the case N = 1."""
    return lpq_batch(single(image), window=window, frequency=frequency, decorrelate=decorrelate, mode=mode, grid=grid)[
        0
    ]


def lpq_batch(
    images: NDArray[Any],
    *,
    window: int = 7,
    frequency: Frequency = "uniform",
    decorrelate: bool = True,
    mode: Mode = "normalized",
    grid: Sequence[int] = (1, 1),
) -> NDArray[Any]:
    """LPQ of pictures (N, H, W) or (N, H, W, 3), pixels 0..255.

    window: odd, 3 or more. frequency: `uniform`, `gaussian`, `quadrature` (estimators 1, 2, 3 of the original).
    mode: `codes` (N, H-window+1, W-window+1) uint8, F1 the lowest bit; `counts` (N, 256) int64; `normalized`
    (N, 256) float64, counts / their sum. grid: (rows, columns); the code image is cut into as equal blocks and
    the blocks' histograms, each normalized by itself, stand one after the other, row by row: (N, 256 * blocks).
    It plays no part in mode `codes`.
    Deviation from the original: a response within 1e-9 * 255 * sum|kernel| of zero counts as zero (bit 0), where
    the original's bit is rounding noise. No sum here depends on the batch: same bits alone or among others.
    Raises InputError for an even or small window, a picture smaller than it, a grid finer than the codes.
    """
    if mode not in MODES:
        raise InputError(f"an LPQ mode is one of {', '.join(MODES)}, not {mode}")
    bank = filters(window, frequency, bool(decorrelate))
    stack = gray(images)
    count, height, width = stack.shape
    down, across = code_shape(height, width, window)
    if mode == "codes":
        codes = np.empty((count, down, across), dtype=np.uint8)
        for part, top, block in _code_blocks(stack, bank):
            codes[part, top : top + len(block)] = block.transpose(1, 0, 2)
        return codes
    blocks = block_numbers("an LPQ", down, across, grid)
    bins = CODES * grid[0] * grid[1]
    counts = np.zeros((count, bins), dtype=np.int64)
    for part, top, block in _code_blocks(stack, bank):
        pictures = block.shape[1]
        places = block + (CODES * blocks[top : top + len(block), None, :])
        places += bins * np.arange(pictures)[:, None]
        counts[part] += np.bincount(places.ravel(), minlength=pictures * bins).reshape(pictures, bins)
    if mode == "counts":
        return counts
    by_block = counts.reshape(count, -1, CODES)
    return (by_block / by_block.sum(axis=2, keepdims=True)).reshape(count, bins)


def code_shape(height: int, width: int, window: int) -> tuple[int, int]:
    """Rows and columns of the code image; raises InputError if the picture is smaller than the window."""
    side = min(height, width)
    if side < window:
        raise InputError(
            f"pictures of {height}x{width} pixels are smaller than an LPQ window of {window}",
            next_step=f"use a window of at most {side - 1 + side % 2}" if side >= 3 else "use larger pictures",
        )
    return height - window + 1, width - window + 1


def columns(height: int, width: int, *, window: int, grid: Sequence[int]) -> int:
    """Length of the descriptor of a picture; raises InputError if window or grid do not fit it."""
    block_numbers("an LPQ", *code_shape(height, width, window), grid)
    return CODES * grid[0] * grid[1]


def _code_blocks(stack: NDArray[Any], bank: Filters) -> Any:
    """Yield (slice of pictures, first row, codes (rows, n, columns)); large pictures come in strips of rows."""
    count, height, width = stack.shape
    margin = bank.taps.shape[1] - 1
    strip = max(1, min(height - margin, TILE_PIXELS // width - margin))
    scratch: NDArray[np.float64] = np.empty((16, 0))
    for part in tiles(count, (strip + margin) * width):
        for top in range(0, height - margin, strip):
            pixels = side_by_side(stack[part, top : top + strip + margin])
            if pixels.size > scratch.shape[1]:
                scratch = np.empty((16, pixels.size))
            codes = _codes(pixels, bank, scratch)
            yield part, top, codes.reshape(-1, *pixels.shape[1:])[:, :, : width - margin]


def _codes(pixels: NDArray[Any], bank: Filters, scratch: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Codes of pictures side by side (H, n, W), flat, one per pixel of the rows that have one.

    Steps in x run over the seams, too: what stands in the last window - 1 columns of a picture is nobody's code.
    """
    height, row = len(pixels), pixels.shape[1] * pixels.shape[2]
    margin = bank.taps.shape[1] - 1
    source = scratch[0, : pixels.size]
    np.copyto(source.reshape(pixels.shape), pixels)
    along_x = scratch[1:4, : pixels.size - margin]
    work = scratch[4:7]
    _filter(source, 1, bank.taps, along_x, (0, 1, 2), work)
    size = pixels.size - margin - margin * row
    products = scratch[7:15, :size]
    for over_x in range(3):
        wanted = tuple(over_y for over_y in range(3) if (over_y, over_x) in PRODUCTS)
        out = [products[PRODUCTS.index((over_y, over_x))] for over_y in wanted]
        _filter(along_x[over_x], row, bank.taps, out, wanted, work)
    codes = np.zeros((height - margin) * row, dtype=np.uint8)
    used, bit = codes[:size], np.empty(size, dtype=np.bool_)
    response, term = scratch[4, :size], scratch[5, :size]
    for component in reversed(range(8)):
        _weighted_sum(products, bank.responses[component], response, term)
        np.greater(response, bank.ties[component], out=bit)
        np.add(used, used, out=used)
        np.add(used, bit.view(np.uint8), out=used)
    return codes


def _weighted_sum(planes: NDArray[np.float64], weights: Sequence[tuple[int, float]], out: Line, term: Line) -> None:
    """out = sum of weight * planes[index]; the first weight is 1 or -1."""
    (first, sign), *others = weights
    if not others:
        np.multiply(planes[first], sign, out=out)
        return
    index, weight = others[0]
    np.multiply(planes[index], weight, out=out)
    (np.add if sign > 0 else np.subtract)(out, planes[first], out=out)
    for index, weight in others[1:]:
        np.multiply(planes[index], weight, out=term)
        np.add(out, term, out=out)


def _filter(line: Line, step: int, taps: Line, out: Sequence[Line] | Line, wanted: tuple[int, ...], work: Line) -> None:
    """out[i][p] = sum over k of taps[wanted[i], k] * line[p + k * step].

    Rows 0 and 1 of `taps` are even and row 2 is odd, so sums and differences of mirrored pixels serve all three.
    """
    size = out[0].size
    radius = taps.shape[1] // 2
    plus, minus, term = (plane[:size] for plane in work)
    centre = line[radius * step :][:size]
    for target, kind in zip(out, wanted, strict=True):
        if kind < 2:
            np.multiply(centre, taps[kind, radius], out=target)
    for offset in range(1, radius + 1):
        after, before = line[(radius + offset) * step :][:size], line[(radius - offset) * step :][:size]
        np.add(after, before, out=plus)
        if 2 in wanted:
            np.subtract(after, before, out=minus)
        for target, kind in zip(out, wanted, strict=True):
            weight = taps[kind, radius + offset]
            pair = minus if kind == 2 else plus
            if kind == 2 and offset == 1:
                np.multiply(pair, weight, out=target)
                continue
            if weight != 1.0:
                np.multiply(pair, weight, out=term)
                pair = term
            np.add(target, pair, out=target)
