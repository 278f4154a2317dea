"""Contact sheet: one strip of pictures per finding, each picture with what is known of it below."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fercli.report.figures.style import INK, MUTED, TEST, styled

ACROSS = 8
_CELL = 0.95  # inches
_TEXT = 0.42  # inches below a picture for its caption
_TITLE = 0.24


@dataclass(frozen=True)
class Strip:
    """A titled row of pictures. pictures: (H, W) or (H, W, 3) uint8, as many are drawn as go beside each other.

    captions: two short lines per picture. more: how many pictures of the finding are not among them.
    """

    title: str
    pictures: Sequence[NDArray[np.uint8]]
    captions: Sequence[tuple[str, str]]
    alarming: bool = False
    more: int = 0


@styled
def contact_sheet(title: str, strips: Sequence[Strip], *, across: int = ACROSS) -> Figure:
    """The strips below each other under one title, `across` pictures wide; every picture keeps its proportions."""
    line = _TITLE + _CELL + _TEXT
    width, height = across * _CELL + 0.3, len(strips) * line + 0.5
    figure = Figure(figsize=(width, height))
    figure.text(0.15 / width, 1 - 0.2 / height, title, fontsize=10, fontweight="bold", va="center", color=INK)
    for number, strip in enumerate(strips):
        top = height - 0.45 - number * line
        more = f"  (and {strip.more:,} more)" if strip.more else ""
        figure.text(
            0.15 / width,
            (top - _TITLE / 2) / height,
            strip.title + more,
            fontsize=7.5,
            va="center",
            color=TEST if strip.alarming else INK,
        )
        shown = list(zip(strip.pictures, strip.captions, strict=True))[:across]
        for place, (picture, (first, second)) in enumerate(shown):
            left, bottom = 0.15 + place * _CELL, top - _TITLE - _CELL
            side = _CELL - 0.08
            axes = figure.add_axes((left / width, bottom / height, side / width, side / height))
            axes.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            axes.set_axis_off()
            middle = (left + side / 2) / width
            figure.text(middle, (bottom - 0.05) / height, first, fontsize=6, ha="center", va="top", color=INK)
            figure.text(middle, (bottom - 0.17) / height, second, fontsize=4.8, ha="center", va="top", color=MUTED)
    return figure
