"""The structure of a network as boxes with shortcuts around its blocks (Xu's figure 3, Du's figures 2 and 3)."""

import re
from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from fercli.report.figures.style import COLUMN, DPI, INK, MONITOR, MUTED, PALETTE, RULE, TEST, TRAIN, styled
from fercli.report.structure import Box, Part

# Inches, down from the top.
LEFT, RIGHT, MIDDLE = 0.40, 2.82, 1.61
SHAPE_ENDS, COUNT_ENDS = 2.20, 2.77
LANE = 2.97
HEIGHT, GAP, ENTRY, SUM = 0.215, 0.10, 0.23, 0.055
HEAD, FOOT = 0.24, 0.34
LABEL, SMALL = 7, 6
TINTS = {"convolution": TRAIN, "pooling": PALETTE[4], "connected": MONITOR, "other": MUTED}
SHORTCUTS: Mapping[str, tuple[str, Any]] = {"identity": (TRAIN, "-"), "projection": (TEST, (0, (1, 1.3)))}


@styled
def structure_figure(before: Box, parts: Sequence[Part], after: Box | None = None) -> Figure:
    """Each box has its layers, its output and its parameters; equal parts are drawn once, with their number.

    before: what goes in. after: what the result is used for, None for an excerpt. Shapes are written as height,
    width and channels, as the papers do. A solid line is an identity shortcut, a dotted one a projection.
    """
    entries = [_entry(*pair) for pair in pairwise(("", *(part.stage for part in parts), ""))]
    high = HEAD + HEIGHT + sum(entries) + sum(_height(part) for part in parts) + (HEIGHT if after else 0) + FOOT
    figure = Figure(figsize=(COLUMN, high))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, COLUMN)
    axes.set_ylim(high, 0)
    for x, words in ((SHAPE_ENDS, "output"), (COUNT_ENDS, "parameters")):
        axes.text(x, HEAD - 0.07, words, fontsize=SMALL, color=MUTED, ha="right", va="center")
    y = _box(axes, before, HEAD, counted=False)
    entry = iter(entries)
    for stage, members in groupby(parts, key=lambda part: part.stage):
        top = y
        for part in members:
            y = _part(axes, part, y, next(entry))
        _panel(axes, stage, top + 0.06, y + 0.035)
    end = y + entries[-1]
    _arrow(axes, y, end)
    if after:
        _box(axes, after, end, counted=False)
    _legend(figure, parts)
    return figure


def stage_title(stage: str) -> str:
    """ "layer2" as "stage 2" and "fc.block1" as "block 1"; "" for what needs no panel."""
    found = re.fullmatch(r"(?:.*\.)?([a-z]+)(\d+)", stage)
    return f"{found[1].replace('layer', 'stage')} {found[2]}" if found else ""


def written(shape: Sequence[int]) -> str:
    """(C, H, W) as "H×W×C"."""
    return "×".join(map(str, (*shape[1:], shape[0])))


def _entry(above: str, below: str) -> float:
    """From one part to the next: wider where a panel begins or ends, or a shortcut leaves."""
    return ENTRY if stage_title(above) or stage_title(below) else GAP


def _height(part: Part) -> float:
    boxes = len(part.boxes) * HEIGHT + (len(part.boxes) - 1) * GAP
    return boxes + (GAP + 2 * SUM if part.shortcut else 0)


def _box(axes: Axes, box: Box, top: float, *, counted: bool = True) -> float:
    """Draws one box; gives back its lower edge."""
    colour = TINTS[box.sort]
    shape = "round,pad=0,rounding_size=0.05"
    corner, size = (LEFT, top), (RIGHT - LEFT, HEIGHT)
    # A tint lets the page show through, which may be dark.
    axes.add_patch(FancyBboxPatch(corner, *size, boxstyle=shape, facecolor=colour, alpha=0.16, linewidth=0, zorder=2))
    axes.add_patch(FancyBboxPatch(corner, *size, boxstyle=shape, facecolor="none", edgecolor=colour, lw=0.8, zorder=3))
    middle = top + HEIGHT / 2
    style: Any = {"va": "center_baseline", "zorder": 4}
    label = axes.text(LEFT + 0.07, middle, box.label, fontsize=LABEL, color=INK, **style)
    shown = axes.text(SHAPE_ENDS, middle, written(box.output), fontsize=6.5, color=INK, ha="right", **style)
    # Outputs of large pictures are long words.
    free = shown.get_window_extent().x0 - 0.07 * DPI - label.get_window_extent().x0
    label.set_fontsize(LABEL * min(1.0, free / label.get_window_extent().width))
    if counted and box.parameters:
        axes.text(COUNT_ENDS, middle, f"{box.parameters:,}", fontsize=6.5, color=INK, ha="right", **style)
    return top + HEIGHT


def _part(axes: Axes, part: Part, top: float, entry: float) -> float:
    """Draws a part and its shortcut below an arrow of length `entry`; gives back where the next arrow starts."""
    y = top
    edges = []
    for index, box in enumerate(part.boxes):
        start = y
        y += entry if index == 0 else GAP
        _arrow(axes, start, y)
        edges.append(y)
        y = _box(axes, box, y)
    if part.times > 1:
        middle = (edges[0] + y) / 2
        axes.text(LEFT - 0.05, middle, f"×{part.times}", fontsize=7, weight="bold", color=INK, ha="right", va="center")
    if part.shortcut is None:
        return y
    join = y + GAP + SUM
    _arrow(axes, y, join - SUM)
    axes.add_patch(Circle((MIDDLE, join), SUM, facecolor="none", edgecolor=INK, linewidth=0.8, zorder=4))
    for dx, dy in ((0.032, 0.0), (0.0, 0.032)):
        axes.add_line(Line2D((MIDDLE - dx, MIDDLE + dx), (join - dy, join + dy), color=INK, linewidth=0.8, zorder=5))
    words = "add, ReLU" if part.activated else "add"
    axes.text(MIDDLE - 0.11, join, words, fontsize=SMALL, color=MUTED, ha="right", va="center_baseline")
    _shortcut(axes, part, top + entry / 2 + 0.005, join)
    return join + SUM


def _shortcut(axes: Axes, part: Part, start: float, end: float) -> None:
    colour, dash = SHORTCUTS[str(part.shortcut)]
    bend = 0.15
    corners = [(MIDDLE, start), (LANE - bend, start), (LANE, start), (LANE, start + bend)]
    back = [(LANE, end - bend), (LANE, end), (LANE - bend, end), (MIDDLE + SUM, end)]
    codes = [Path.MOVETO, Path.LINETO, Path.CURVE3, Path.CURVE3, Path.LINETO, Path.CURVE3, Path.CURVE3, Path.LINETO]
    line = Path([*corners, *back], codes)
    style: Any = {"facecolor": "none", "edgecolor": colour, "linewidth": 1.1, "zorder": 2.5}
    axes.add_patch(FancyArrowPatch(path=line, arrowstyle="-", linestyle=dash, **style))
    # The head by itself: a dotted line would dot it too.
    tip = Path([(MIDDLE + SUM + 0.04, end), (MIDDLE + SUM, end)])
    axes.add_patch(FancyArrowPatch(path=tip, arrowstyle="-|>", mutation_scale=5, color=colour, linewidth=0.8, zorder=3))
    if part.projection is not None:
        convolution = part.projection.label.split(",")[0]
        if "/" in convolution:
            convolution = convolution.replace(" ", "\n", 1)
        label = f"{convolution}\n{part.projection.parameters:,}"
        middle = (start + end) / 2
        axes.text(LANE + 0.04, middle, label, fontsize=5.5, color=INK, va="center", linespacing=1.25)


def _arrow(axes: Axes, start: float, end: float) -> None:
    arrow = FancyArrowPatch(
        (MIDDLE, start), (MIDDLE, end), arrowstyle="-|>", mutation_scale=5, color=INK, linewidth=0.8, zorder=3
    )
    arrow.shrinkA = arrow.shrinkB = 0
    axes.add_patch(arrow)


def _panel(axes: Axes, stage: str, top: float, bottom: float) -> None:
    title = stage_title(stage)
    if not title:
        return
    shape = "round,pad=0,rounding_size=0.07"
    corner, size = (0.06, top), (COLUMN - 0.12, bottom - top)
    axes.add_patch(FancyBboxPatch(corner, *size, boxstyle=shape, facecolor=RULE, alpha=0.35, linewidth=0, zorder=0))
    middle = (top + bottom) / 2
    style: Any = {"fontsize": SMALL, "color": MUTED, "ha": "center", "va": "center"}
    axes.text(0.14, middle, title, rotation=90, **style)


def _legend(figure: Figure, parts: Sequence[Part]) -> None:
    """Only the kinds of shortcut that are drawn."""
    used = [kind for kind in SHORTCUTS if any(part.shortcut == kind for part in parts)]
    handles = [Line2D([], [], color=SHORTCUTS[kind][0], linestyle=SHORTCUTS[kind][1], linewidth=1.1) for kind in used]
    if used:
        labels = [f"{kind} shortcut" for kind in used]
        figure.legend(handles, labels, loc="lower center", ncols=2, fontsize=6.5, borderaxespad=0.2)
