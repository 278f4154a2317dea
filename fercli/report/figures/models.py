"""Models side by side: accuracy with its interval, against the majority class and chance."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from fercli.report.figures.style import COLUMN, INK, MUTED, PAPER, TEST, TRAIN, quiet_grid, styled


@dataclass(frozen=True)
class ModelScore:
    """One line of the figure; shares in 0..1, None where unknown."""

    name: str
    accuracy: float | None
    lower: float | None
    upper: float | None
    macro_f1: float | None
    majority: float | None


@styled
def models_figure(scores: Sequence[ModelScore], chance: float) -> Figure:
    """The first model stands on top; give them best first."""
    count = len(scores)
    figure = Figure(figsize=(COLUMN, 1.25 + 0.27 * count), layout="constrained")
    axes = figure.add_subplot()
    for place, score in enumerate(scores):
        if score.lower is not None and score.upper is not None:
            axes.plot([100 * score.lower, 100 * score.upper], [place, place], color=TRAIN, linewidth=1.8, alpha=0.6)
        if score.majority is not None:
            axes.plot([100 * score.majority], [place], marker="|", color=TEST, markersize=9, mew=1.6, linestyle="")
        if score.macro_f1 is not None:
            axes.plot(
                [100 * score.macro_f1], [place + 0.24], marker="o", color=INK, mfc=PAPER, markersize=4, linestyle=""
            )
        if score.accuracy is not None:
            axes.plot([100 * score.accuracy], [place], marker="o", color=TRAIN, markersize=5.5, linestyle="")
    axes.axvline(100 * chance, color=MUTED, linewidth=0.9, linestyle=(0, (2, 2)), zorder=0)
    axes.set_ylim(count - 0.5, -0.5)
    names = [score.name if len(score.name) <= 24 else f"{score.name[:22]}…" for score in scores]
    axes.set_yticks(range(count), names)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6))
    quiet_grid(axes, "x")
    axes.set_xlabel("held-out rows, %")
    handles = [
        Line2D([], [], color=TRAIN, marker="o", markersize=5.5, label="accuracy, 95 % interval"),
        Line2D([], [], color=INK, marker="o", mfc=PAPER, markersize=4, linestyle="", label="macro-F1"),
        Line2D([], [], color=TEST, marker="|", markersize=9, mew=1.6, linestyle="", label="majority class"),
        Line2D([], [], color=MUTED, linewidth=0.9, linestyle=(0, (2, 2)), label="chance"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, columnspacing=1.2, handlelength=1.8)
    return figure
