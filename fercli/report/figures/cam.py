"""Where a net looks: maps over pictures, one by one and averaged by class."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fercli.report.figures.style import INK, MUTED, TEST, TRAIN, styled

COLOURS = "inferno"
_CELL = 0.98  # inches
_GAP = 0.22
_EDGE = 0.15
_LONGEST = 22
_MOST = 3.0
_PIXELS = 200


@dataclass(frozen=True)
class Overlay:
    """One picture (H, W[, 3]) uint8 with its map (H, W), 0 or more. caption: the answer. note: which row."""

    picture: NDArray[np.uint8]
    map: NDArray[np.float32]
    caption: str
    note: str


@styled
def overlays_figure(right: Sequence[Overlay], wrong: Sequence[Overlay], label: str, *, across: int = 0) -> Figure:
    """The pictures above, their maps over them below; the right ones on the left, the wrong ones on the right.

    label: what the pictures are. across: how many pictures there is room for, so that figures of several classes show
    theirs at one size. Each map is brightest at its own maximum.
    """
    sides = [(words, part, colour) for words, part, colour in (("right", right, TRAIN), ("wrong", wrong, TEST)) if part]
    headings = {words: f"{label}, answered {words}" for words, _, _ in sides}
    # No narrower than its heading, whose letters are about 0.06 inches wide.
    wide = {words: max(len(part) * _CELL, 0.06 * len(headings[words])) for words, part, _ in sides}
    shape = (right or wrong)[0].picture.shape
    tall = _CELL * min(1.5, shape[0] / shape[1])
    width = max(2.4, across * _CELL + _GAP + 2 * _EDGE, sum(wide.values()) + (len(sides) - 1) * _GAP + 2 * _EDGE)
    height = 2 * tall + 0.85
    figure = Figure(figsize=(width, height))
    left = _EDGE
    for words, part, colour in sides:
        figure.text(left / width, 1 - 0.15 / height, headings[words], fontsize=8, color=colour, va="center")
        for number, cell in enumerate(part):
            at = left + number * _CELL
            for row, shown in enumerate((reduced(_gray(cell.picture)), reduced(overlaid(cell.picture, cell.map)))):
                bottom = height - 0.3 - (row + 1) * tall
                place = (at / width, bottom / height, (_CELL - 0.06) / width, (tall - 0.06) / height)
                axes = figure.add_axes(place)
                axes.imshow(shown, interpolation="nearest")
                axes.set_axis_off()
            middle = (at + (_CELL - 0.06) / 2) / width
            figure.text(middle, 0.42 / height, cell.caption, fontsize=6.5, ha="center", va="center", color=INK)
            figure.text(middle, 0.25 / height, _short(cell.note), fontsize=4.6, ha="center", va="center", color=MUTED)
        left += wide[words] + _GAP
    return figure


@styled
def single_figure(cell: Overlay, target: str) -> Figure:
    """One picture beside the same with its map over it; target: the class whose evidence the map shows."""
    tall = 2.0 * min(1.5, cell.picture.shape[0] / cell.picture.shape[1])
    figure = Figure(figsize=(4.4, tall + 0.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for axes, shown, words in (
        (left, _gray(cell.picture), f"answer: {cell.caption}"),
        (right, overlaid(cell.picture, cell.map), f"evidence for {target}"),
    ):
        axes.imshow(shown, interpolation="nearest")
        axes.set_axis_off()
        axes.set_title(words, fontsize=7.5, loc="center", fontweight="normal")
    return figure


@styled
def averages_figure(
    names: Sequence[str], counts: Sequence[int], faces: NDArray[np.float64], density: NDArray[np.float64]
) -> Figure:
    """The average map of each class over the mean picture of its rows.

    counts: maps of each class. faces: (C, H, W) gray 0..255. density: (C, H, W), 1 where a map spreads its mass evenly;
    one scale for all classes, so that a class without a preferred place looks flat. It ends at `_MOST` times: a few
    maps of a rare class would else make all others dark.
    """
    faces, density = (np.stack([reduced(plane) for plane in planes]) for planes in (faces, density))
    across = min(4, len(names))
    down = -(-len(names) // across)
    tall = min(1.5, faces.shape[1] / faces.shape[2])
    figure = Figure(figsize=(1.45 * across + 0.7, (1.45 * tall + 0.3) * down + 0.1), layout="constrained")
    panels = figure.subplots(down, across, squeeze=False)
    top = min(_MOST, max(2.0, float(density.max())))
    image = None
    for place, axes in enumerate(panels.flat):
        axes.set_axis_off()
        if place >= len(names):
            continue
        face = np.repeat(faces[place][..., None], 3, axis=2) / 255
        axes.imshow(np.clip(face, 0, 1), interpolation="nearest")
        image = axes.imshow(
            density[place], cmap=COLOURS, vmin=0, vmax=top, alpha=_alpha(density[place] / top), interpolation="nearest"
        )
        axes.set_title(f"{names[place]} · {counts[place]:,}", fontsize=7.5, loc="center")
    if image is not None:
        beyond = "max" if float(density.max()) > top else "neither"
        bar = figure.colorbar(image, ax=panels, shrink=0.7, pad=0.02, extend=beyond)
        bar.set_label("times an even spread", fontsize=7)
        bar.outline.set_visible(False)
    return figure


def overlaid(picture: NDArray[np.uint8], map: NDArray[np.floating]) -> NDArray[np.float64]:
    """(H, W, 3) in 0..1: the gray picture with the map's colours over it, the stronger the more of them."""
    gray = _gray(picture)
    peak = float(map.max())
    strength = map / peak if peak > 0 else np.zeros(map.shape)
    colours = matplotlib.colormaps[COLOURS](strength)[..., :3]
    alpha = _alpha(strength)[..., None]
    blended: NDArray[np.float64] = (1 - alpha) * gray + alpha * colours
    return blended


def reduced(shown: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means over blocks of pixels where a side has more than a figure can show: the page would grow by megabytes."""
    block = -(-max(shown.shape[:2]) // _PIXELS)
    if block == 1:
        return shown
    rows, columns = (side // block * block for side in shown.shape[:2])
    blocks = shown[:rows, :columns].reshape(rows // block, block, columns // block, block, *shown.shape[2:])
    return np.asarray(blocks.mean(axis=(1, 3)), dtype=np.float64)


def _alpha(strength: NDArray[Any]) -> NDArray[np.float64]:
    """How much of the colours is laid over the picture: never all, so that the face stays visible."""
    return np.asarray(0.75 * np.clip(strength, 0, 1) ** 0.8, dtype=np.float64)


def _gray(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(H, W, 3) in 0..1 of a gray or colour picture; colour would be taken for the map's."""
    plane = picture if picture.ndim == 2 else picture @ np.array([0.299, 0.587, 0.114])
    return np.repeat(plane[..., None] / 255.0, 3, axis=2)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else "…" + text[1 - _LONGEST :]
