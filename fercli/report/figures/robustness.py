"""Accuracy against the strength of each kind of corruption."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fercli.report.figures.style import COLUMN, MUTED, TEST, TRAIN, quiet_grid, styled

ACROSS = 3


@styled
def robustness_figure(curves: Sequence[Mapping[str, Any]], *, chance: float, majority: float | None) -> Figure:
    """One panel a kind: accuracy with its interval and macro-F1 over the levels, the clean pictures first.

    curves: `kind`, `what` and `levels` of the JSON answer. chance, majority: accuracy of guessing, and of always
    answering the commonest training class (None where unknown), shares in 0..1.
    """
    down = -(-len(curves) // ACROSS)
    across = min(ACROSS, len(curves))
    figure = Figure(figsize=(max(COLUMN, 2.35 * across), 2.1 * down + 0.35), layout="constrained")
    panels = figure.subplots(down, across, sharey=True, squeeze=False)
    for place, axes in enumerate(panels.flat):
        if place >= len(curves):
            axes.set_axis_off()
            continue
        _panel(axes, curves[place], chance, majority)
        if place % across == 0:
            axes.set_ylabel("%")
    top = max(level["accuracy"] for curve in curves for level in curve["levels"])
    upper = [level["intervals"]["accuracy"] for curve in curves for level in curve["levels"]]
    top = max([top, *(entry["upper"] for entry in upper if entry)])
    panels[0][0].set_ylim(0, min(100.0, 108 * top))
    handles, labels = panels[0][0].get_legend_handles_labels()
    free = panels.flat[len(curves)] if panels.size > len(curves) else None
    if free is None:
        figure.legend(
            handles, labels, loc="outside lower center", ncols=2 if across == 1 else len(handles), columnspacing=1.4
        )
    else:
        free.legend(handles, labels, loc="center left")
    return figure


def _panel(axes: Axes, curve: Mapping[str, Any], chance: float, majority: float | None) -> None:
    levels = curve["levels"]
    at = np.arange(len(levels))
    accuracy = [100 * level["accuracy"] for level in levels]
    bounds = [level["intervals"]["accuracy"] for level in levels]
    if all(bounds):
        lower, upper = ([100 * entry[end] for entry in bounds] for end in ("lower", "upper"))
        axes.fill_between(at, lower, upper, color=TRAIN, alpha=0.16, linewidth=0)
    axes.plot(at, accuracy, color=TRAIN, marker="o", markersize=3.5, label="accuracy")
    macro = [100 * level["macro_f1"] for level in levels]
    axes.plot(at, macro, color=TEST, linestyle=(0, (4, 1.5)), linewidth=1.2, label="macro-F1")
    axes.axhline(100 * chance, color=MUTED, linewidth=0.9, linestyle=(0, (1, 1.5)), label="chance")
    if majority is not None:
        axes.axhline(100 * majority, color=MUTED, linewidth=0.9, linestyle=(0, (5, 2)), label="commonest class")
    axes.set_xticks(at, ["clean", *(f"{level['strength']:g}" for level in levels[1:])])
    axes.set_xlim(-0.25, max(1, len(levels) - 1) + 0.25)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    quiet_grid(axes)
    axes.set_title(curve["kind"])
    axes.set_xlabel(curve["what"], fontsize=6.5, color=MUTED)
