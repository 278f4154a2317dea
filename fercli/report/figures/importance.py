"""What is lost when a block or a component is permuted, as bars with intervals."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fercli.report.figures.style import COLUMN, INK, MUTED, TEST, TRAIN, quiet_grid, styled

MOST = 24


@styled
def importance_figure(entries: Sequence[Mapping[str, Any]]) -> Figure:
    """Accuracy lost on the left, log loss risen on the right; the rows as given, at most `MOST`.

    entries: of the JSON answer's `importance`. Lines are the intervals over rows or groups, the zero is no loss.
    """
    shown = list(entries)[:MOST]
    figure = Figure(figsize=(2 * COLUMN, 0.2 * len(shown) + 0.85), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    _bars(left, shown, "accuracy", 100.0, TRAIN, "accuracy lost, points")
    _bars(right, shown, "log_loss", 1.0, TEST, "log loss risen")
    names = [entry["name"] for entry in shown]
    left.set_yticks(np.arange(len(shown)), names, color=INK)
    left.set_ylim(len(shown) - 0.4, -0.6)
    return figure


def _bars(axes: Axes, entries: Sequence[Mapping[str, Any]], score: str, scale: float, colour: str, label: str) -> None:
    at = np.arange(len(entries))
    axes.barh(at, [scale * entry[score]["mean"] for entry in entries], height=0.62, color=colour, alpha=0.8)
    for place, entry in enumerate(entries):
        interval = entry[score]["interval"]
        if interval:
            ends = [scale * interval["lower"], scale * interval["upper"]]
            axes.plot(ends, [place, place], color=INK, linewidth=0.9, solid_capstyle="butt")
    axes.axvline(0, color=MUTED, linewidth=0.8)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    quiet_grid(axes, "x")
    axes.set_xlabel(label)
