"""Pyramid of histograms of oriented gradients (Bosch, Zisserman and Munoz 2007), exactly as anna_phog.m."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fercli.config.descriptors import Canny
from fercli.descriptors.canny import canny_batch
from fercli.descriptors.pixels import gray, single, tiles
from fercli.errors import InputError

Angle = Literal[180, 360]
Steps = NDArray[np.int64]
DARK = 100
"""A picture whose pixels sum to this or less gets a descriptor of zeros."""

_TINY = 1e-5


@dataclass(frozen=True)
class Pyramid:
    """The cells of every level over a picture or its region of interest.

    places: (levels + 1, H * W) int32, the first bin of the cell that a pixel counts into on each level, or -1
    outside the region and in the left-over rim. length: of the descriptor.
    """

    places: NDArray[np.int32]
    length: int


def phog(
    image: NDArray[Any],
    *,
    bins: int = 8,
    angle: Angle = 360,
    levels: int = 3,
    edges: NDArray[np.bool_] | None = None,
    canny: Canny = "matlab",
    roi: Sequence[int] | None = None,
) -> NDArray[np.float64]:
    """PHOG (D,) of one picture (H, W) or (H, W, 3); `edges` (H, W). See `phog_batch`, its case N = 1."""
    return phog_batch(
        single(image),
        bins=bins,
        angle=angle,
        levels=levels,
        edges=None if edges is None else np.asarray(edges)[None],
        canny=canny,
        roi=roi,
    )[0]


def phog_batch(
    images: NDArray[Any],
    *,
    bins: int = 8,
    angle: Angle = 360,
    levels: int = 3,
    edges: NDArray[np.bool_] | None = None,
    canny: Canny = "matlab",
    roi: Sequence[int] | None = None,
) -> NDArray[np.float64]:
    """PHOG (N, D) float64 of pictures (N, H, W) or (N, H, W, 3), pixels 0..255; each row sums to 1 or is 0.

    bins: over `angle` degrees, 360 (signed gradients) or 180. levels: the pyramid has levels 0..levels; a cell
    of level l is floor(side / 2^l) long, and as many as fit count, so that some sizes have more than 2^l.
    edges: (N, H, W) bool, the pixels that count, else from `canny` (see `canny_batch`).
    roi: (top, bottom, left, right), counted from 1, both ends included; cut out after gradients and edges.
    Order: level, cell column, cell row, bin. One L1 norm over all levels; a picture whose pixels sum to 100 or
    less, or without edges, gives zeros.
    Raises InputError if a side is below 2^levels, where the original never ends.
    """
    if angle not in (180, 360):
        raise InputError(f"PHOG bins span 180 or 360 degrees, not {angle}")
    if bins < 1:
        raise InputError(f"PHOG needs 1 bin or more, not {bins}")
    stack = gray(images)
    count, height, width = stack.shape
    region = _region(roi, height, width)
    pyramid = _pyramid(height, width, region, levels, bins)
    if edges is not None and np.shape(edges) != stack.shape:
        raise InputError(f"edges of shape {np.shape(edges)} do not fit pictures of shape {stack.shape}")
    out = np.empty((count, pyramid.length))
    for part in tiles(count, height * width):
        some = stack[part]
        counted = canny_batch(some, canny) if edges is None else np.asarray(edges[part], dtype=np.bool_).copy()
        counted[some.reshape(len(some), -1).sum(axis=1, dtype=np.float64) <= DARK] = False
        out[part] = _histograms(some, counted, pyramid, bins, angle)
    return out


def columns(height: int, width: int, *, bins: int, levels: int) -> int:
    """Length of the descriptor of a picture; raises InputError if a side is below 2^levels."""
    return _pyramid(height, width, (0, height, 0, width), levels, bins).length


def _region(roi: Sequence[int] | None, height: int, width: int) -> tuple[int, int, int, int]:
    """Top, bottom, left and right as a half-open range counted from 0."""
    if roi is None:
        return 0, height, 0, width
    top, bottom, left, right = (int(side) for side in roi)
    if not (1 <= top <= bottom <= height and 1 <= left <= right <= width):
        raise InputError(
            f"the region rows {top}..{bottom}, columns {left}..{right} is not inside a picture of {height}x{width}",
            next_step="count rows and columns from 1, both ends included",
        )
    return top - 1, bottom, left - 1, right


@lru_cache(maxsize=8)
def _pyramid(height: int, width: int, region: tuple[int, int, int, int], levels: int, bins: int) -> Pyramid:
    """The cells of each level; those of level 0 are the whole region."""
    top, bottom, left, right = region
    tall, wide = bottom - top, right - left
    legal = min(tall, wide).bit_length() - 1
    if not 0 <= levels <= legal:
        raise InputError(
            f"{levels} PHOG levels do not fit {tall}x{wide} pixels: a side must be at least 2^levels",
            next_step=f"use at most {legal} levels",
        )
    places = np.full((levels + 1, height, width), -1, dtype=np.int32)
    first = 0
    for level in range(levels + 1):
        x, y = wide >> level, tall >> level
        across, down = wide // x, tall // y
        number = np.arange(across * x)[None, :] // x * down + np.arange(down * y)[:, None] // y
        places[level, top : top + down * y, left : left + across * x] = first + bins * number
        first += bins * across * down
    return Pyramid(places=places.reshape(levels + 1, -1), length=first)


def _histograms(
    stack: NDArray[Any], edges: NDArray[np.bool_], pyramid: Pyramid, bins: int, angle: Angle
) -> NDArray[np.float64]:
    """(n, length) normalised sums of gradient magnitude of the edge pixels, by cell and bin."""
    count, height, width = stack.shape
    flat = stack.reshape(-1)
    here = np.flatnonzero(edges)
    picture, pixel = np.divmod(here, height * width)
    gx, gy = (_difference(flat, here, pixel, *steps) for steps in _steps(height, width))
    magnitude = np.sqrt(gx * gx + gy * gy)
    place = _bins(gx, gy, bins, angle) - 1 + picture * pyramid.length
    sums = np.zeros(count * pyramid.length)
    for level in pyramid.places:
        cell = level[pixel]
        inside = cell >= 0
        if inside.all():
            sums += np.bincount(place + cell, weights=magnitude, minlength=len(sums))
        else:
            sums += np.bincount((place + cell)[inside], weights=magnitude[inside], minlength=len(sums))
    rows = sums.reshape(count, pyramid.length)
    totals = rows.sum(axis=1, keepdims=True)
    return rows / np.where(totals > 0, totals, 1.0)


def _difference(
    flat: NDArray[Any], here: NDArray[np.int64], pixel: NDArray[np.int64], after: Steps, before: Steps
) -> NDArray[np.float64]:
    """Central differences, halved, of the pixels at `here`; one-sided and not halved on a picture's rim."""
    ahead, behind = after[pixel], before[pixel]
    difference = flat[here + ahead].astype(np.float64) - flat[here - behind]
    difference[(ahead > 0) & (behind > 0)] *= 0.5
    return difference


@lru_cache(maxsize=8)
def _steps(height: int, width: int) -> tuple[tuple[Steps, Steps], tuple[Steps, Steps]]:
    """How far the pixels after and before each pixel of a picture lie in memory: in x, then in y."""
    y, x = np.divmod(np.arange(height * width), width)
    return (
        (1 * (x < width - 1), 1 * (x > 0)),
        (width * (y < height - 1), width * (y > 0)),
    )


def _bins(gx: NDArray[np.float64], gy: NDArray[np.float64], bins: int, angle: Angle) -> NDArray[np.int64]:
    """Orientation bins 1..bins, closed on the right; gx = 0 becomes 1e-5, as in the original."""
    gx = np.where(gx == 0, _TINY, gx)
    gy = gy + 0.0  # -0.0 would turn the angle of a gradient to the left from 360 to 0 degrees.
    if angle == 360:
        degrees = ((np.arctan2(gy, gx) + np.pi) * 180) / np.pi
    else:
        degrees = ((np.arctan(gy / gx) + np.pi / 2) * 180) / np.pi
    # A tie is only possible on the axes and diagonals, whose angles are exact in any sound arctangent.
    return np.clip(np.ceil(degrees / (angle / bins)), 1, bins).astype(np.int64)
