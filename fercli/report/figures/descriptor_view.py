"""What PHOG and LPQ see in one picture."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from fercli.report.figures.style import MUTED, TEST, TRAIN, quiet_grid, styled

_PANEL = 1.75  # inches


@styled
def phog_figure(
    picture: NDArray[np.uint8],
    edges: NDArray[np.bool_],
    levels: Sequence[tuple[int, NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]],
    angle: int,
) -> Figure:
    """The picture and its edges, then each level: its cells with a rose of orientations in each, and its histogram.

    levels: (level, cells (down, across, bins), row borders, column borders) of each. angle: 180 or 360 degrees. Rays
    point along the gradient, from dark to bright (at 180 degrees to both sides), and are as long as their share of the
    level's largest. A histogram shows the level's part of the descriptor in its order: cell column, cell row, bin.
    """
    count = len(levels) + 1
    tall = _PANEL * min(1.5, picture.shape[0] / picture.shape[1])
    figure = Figure(figsize=(_PANEL * count, 2 * tall + 0.75), layout="constrained")
    panels = figure.subplots(2, count, squeeze=False)
    _show(panels[0][0], picture, "picture")
    _show(panels[1][0], np.where(edges, 60, 255).astype(np.uint8), f"edges · {edges.mean():.1%}")
    for column, (level, cells, rows, columns) in enumerate(levels, start=1):
        down, across = cells.shape[:2]
        axes = panels[0][column]
        _show(axes, np.where(edges, 205, 255).astype(np.uint8), f"level {level}: {down}x{across} cells")
        _borders(axes, rows, columns)
        axes.add_collection(LineCollection(_rays(cells, rows, columns, angle), colors=TEST, linewidths=1.0))
        below = panels[1][column]
        part = cells.transpose(1, 0, 2).ravel()
        below.vlines(np.arange(len(part)), 0, 100 * part, color=TRAIN, linewidth=max(0.3, min(3.0, 60 / len(part))))
        below.set_ylim(bottom=0)
        below.set_xlim(-1, len(part))
        below.set_xlabel(f"{len(part):,} values", fontsize=7, color=MUTED)
        below.xaxis.set_major_locator(MaxNLocator(nbins=3, integer=True))
        below.yaxis.set_major_locator(MaxNLocator(nbins=3))
        below.tick_params(labelsize=6)
        quiet_grid(below)
        if column == 1:
            below.set_ylabel("% of the descriptor", fontsize=7)
    return figure


@styled
def lpq_figure(
    windows: Sequence[tuple[int, NDArray[np.uint8], NDArray[np.float64], tuple[int, int]]],
) -> Figure:
    """One row a window: the image of codes, and how often each of the 256 codes occurs.

    windows: (window, codes (h, w), histogram (256,), grid) of each. Gray is the code's number, whose bits are the signs
    of eight phase components: like grays need not be like codes. Lines are the blocks of the descriptor.
    """
    shape = windows[0][1].shape
    tall = _PANEL * min(1.5, shape[0] / shape[1])
    figure = Figure(
        figsize=(_PANEL + 4.2, (tall + 0.4) * len(windows) + 0.3), layout=ConstrainedLayoutEngine(w_pad=0.12)
    )
    panels = figure.subplots(len(windows), 2, squeeze=False, width_ratios=(_PANEL, 4.2))
    for (left, right), (window, codes, histogram, grid) in zip(panels, windows, strict=True):
        _show(left, codes, f"LPQ codes, window {window}")
        if grid != (1, 1):
            rows, columns = (
                np.arange(parts + 1) * side // parts for side, parts in zip(codes.shape, grid, strict=True)
            )
            _borders(left, rows, columns, colour=TEST)
        right.vlines(np.arange(256), 0, 100 * histogram, color=TRAIN, linewidth=1.0)
        right.axhline(100 / 256, color=MUTED, linewidth=0.8, linestyle=(0, (2, 2)))
        right.set_ylim(bottom=0)
        right.set_xlim(-2, 257)
        right.set_xticks((0, 64, 128, 192, 255))
        right.set_ylabel("% of the codes")
        quiet_grid(right)
    panels[-1][1].set_xlabel("code; dashed: all codes equally often")
    return figure


def _show(axes: Axes, plane: NDArray[np.uint8], title: str) -> None:
    axes.imshow(plane, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_axis_off()
    axes.set_title(title, fontsize=7.5, loc="center", fontweight="normal")


def _borders(axes: Axes, rows: NDArray[np.number], columns: NDArray[np.number], colour: str = MUTED) -> None:
    """Lines between the cells; pixel centres are at whole numbers, so borders lie half a pixel before."""
    axes.hlines(np.asarray(rows) - 0.5, columns[0] - 0.5, columns[-1] - 0.5, color=colour, linewidth=0.6)
    axes.vlines(np.asarray(columns) - 0.5, rows[0] - 0.5, rows[-1] - 0.5, color=colour, linewidth=0.6)


def _rays(
    cells: NDArray[np.float64], rows: NDArray[np.int64], columns: NDArray[np.int64], angle: int
) -> list[NDArray[np.float64]]:
    """Segments (2, 2) in x and y of every bin of every cell that holds anything."""
    down, across, bins = cells.shape
    largest = float(cells.max())
    if largest <= 0:
        return []
    # bin b of the descriptor spans angle/bins degrees from b on, counted from the direction to the left
    offset = 180 if angle == 360 else 90
    middles = np.radians((np.arange(bins) + 0.5) * angle / bins - offset)
    radius = 0.48 * min(rows[1] - rows[0], columns[1] - columns[0])
    segments = []
    for row in range(down):
        for column in range(across):
            x = (columns[column] + columns[column + 1]) / 2 - 0.5
            y = (rows[row] + rows[row + 1]) / 2 - 0.5
            for value, turn in zip(cells[row, column], middles, strict=True):
                if value > 0:
                    reach = radius * value / largest
                    step = np.array([np.cos(turn), np.sin(turn)]) * reach
                    begin = (x, y) if angle == 360 else (x - step[0], y - step[1])
                    segments.append(np.array([begin, (x + step[0], y + step[1])]))
    return segments
