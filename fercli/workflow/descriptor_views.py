"""What the descriptors see in one picture: PHOG's edges, cells and orientations, LPQ's codes and their histogram."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.config.descriptors import DescriptorConfig
from fercli.descriptors.canny import canny
from fercli.descriptors.lpq import lpq
from fercli.descriptors.phog import DARK, phog
from fercli.descriptors.pixels import gray, single
from fercli.errors import InputError


@dataclass(frozen=True)
class PhogLevel:
    """One level of the pyramid. cells: (down, across, bins) shares of the descriptor. rows, columns: the cells' borders
    in pixels, one more than there are cells."""

    level: int
    cells: NDArray[np.float64]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]


@dataclass(frozen=True)
class LpqWindow:
    """codes: (h, w) uint8 of one window. histogram: (256,) their shares. grid: (rows, columns) of blocks."""

    window: int
    codes: NDArray[np.uint8]
    histogram: NDArray[np.float64]
    grid: tuple[int, int]


@dataclass(frozen=True)
class View:
    """picture: (H, W) uint8 as the descriptors get it. edges: (H, W) bool, None without PHOG. angle: in degrees."""

    picture: NDArray[np.uint8]
    edges: NDArray[np.bool_] | None
    angle: int
    levels: tuple[PhogLevel, ...]
    windows: tuple[LpqWindow, ...]


def seen(picture: NDArray[np.uint8], config: DescriptorConfig) -> View:
    """The view of a picture (H, W[, 3]) uint8. Raises InputError where the config has neither PHOG nor LPQ."""
    if not {"phog", "lpq"} & set(config.descriptors):
        raise InputError(
            f"there is a view of PHOG and of LPQ only, not of {', '.join(config.descriptors)}",
            next_step="leave the run out to see PHOG and LPQ with their defaults",
        )
    plane = gray(single(picture))[0]
    edges: NDArray[np.bool_] | None = None
    levels: tuple[PhogLevel, ...] = ()
    if "phog" in config.descriptors:
        edges = canny(plane, config.phog_canny)
        if plane.sum(dtype=np.int64) <= DARK:
            edges = np.zeros_like(edges)
        levels = _levels(plane, edges, config)
    windows = config.lpq_windows if "lpq" in config.descriptors else ()
    return View(plane, edges, config.phog_angle, levels, tuple(_window(plane, window, config) for window in windows))


def _levels(plane: NDArray[np.uint8], edges: NDArray[np.bool_], config: DescriptorConfig) -> tuple[PhogLevel, ...]:
    """The descriptor cut into its levels and cells, in its order: level, cell column, cell row, bin."""
    bins, (height, width) = config.phog_bins, plane.shape
    whole = phog(plane, bins=bins, angle=config.phog_angle, levels=config.phog_levels, edges=edges)
    found, start = [], 0
    for level in range(config.phog_levels + 1):
        wide, tall = width >> level, height >> level
        across, down = width // wide, height // tall
        stop = start + across * down * bins
        cells = whole[start:stop].reshape(across, down, bins).transpose(1, 0, 2)
        found.append(PhogLevel(level, cells, np.arange(down + 1) * tall, np.arange(across + 1) * wide))
        start = stop
    return tuple(found)


def _window(plane: NDArray[np.uint8], window: int, config: DescriptorConfig) -> LpqWindow:
    codes = lpq(plane, window=window, frequency=config.lpq_frequency, decorrelate=config.lpq_decorrelate, mode="codes")
    histogram = np.bincount(codes.ravel(), minlength=256) / codes.size
    return LpqWindow(window, codes, histogram, config.lpq_grid)
