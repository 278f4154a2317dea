"""Accuracy against hidden units over several pruned runs: how small a network may become."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from fercli.report.figures.style import COLUMN, MUTED, PAPER, TEST, TRAIN, quiet_grid, styled


@dataclass(frozen=True)
class FrontierPoint:
    """One pruned run. units: mean over its networks. lower, upper: of a 95 % interval, None where there is none."""

    name: str
    units: float
    accuracy: float
    lower: float | None
    upper: float | None
    control_units: float
    control: float


@styled
def frontier_figure(points: Sequence[FrontierPoint]) -> Figure | None:
    """Pruned runs as filled dots, their unpruned controls of the same epochs as open ones; None below two runs."""
    if len(points) < 2:
        return None
    ordered = sorted(points, key=lambda point: -point.units)
    figure = Figure(figsize=(COLUMN, 2.7), layout="constrained")
    axes = figure.add_subplot()
    for point in ordered:
        if point.lower is not None and point.upper is not None:
            axes.plot([point.units] * 2, [100 * point.lower, 100 * point.upper], color=TRAIN, linewidth=1, alpha=0.45)
        axes.plot(
            [point.control_units, point.units],
            [100 * point.control, 100 * point.accuracy],
            color=MUTED,
            linewidth=0.6,
            linestyle=(0, (2, 2)),
        )
        axes.plot([point.control_units], [100 * point.control], color=TEST, marker="o", mfc=PAPER, markersize=4.5)
    axes.plot(
        [point.units for point in ordered],
        [100 * point.accuracy for point in ordered],
        color=TRAIN,
        marker="o",
        markersize=5,
    )
    axes.invert_xaxis()
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
    quiet_grid(axes)
    axes.set_xlabel("hidden units left, mean over the networks")
    axes.set_ylabel("held-out accuracy, %")
    axes.set_title("Accuracy against hidden units")
    handles = [
        Line2D([], [], color=TRAIN, marker="o", markersize=5, label="pruned, 95 % interval"),
        Line2D([], [], color=TEST, marker="o", mfc=PAPER, markersize=4.5, linestyle="", label="unpruned, same epochs"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, columnspacing=1.2, handlelength=1.8)
    return figure
