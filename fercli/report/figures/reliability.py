"""Reliability diagram: what a stated confidence was worth."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from fercli.report.figures.style import COLUMN, MUTED, TRAIN, quiet_grid, styled


@styled
def reliability_figure(bins: Sequence[tuple[int, float, float]], ece: float) -> Figure:
    """bins: rows, mean confidence and accuracy of each bin that has rows, shares in 0..1.

    The area of a dot is the share of rows in its bin; no line joins them, for it would make as much of a bin
    of one row as of a bin of hundreds.
    """
    total = sum(rows for rows, _, _ in bins)
    figure = Figure(figsize=(COLUMN, 2.9), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 100], [0, 100], color=MUTED, linewidth=0.9, linestyle=(0, (2, 2)))
    axes.scatter(
        [100 * entry[1] for entry in bins],
        [100 * entry[2] for entry in bins],
        s=[8 + 260 * entry[0] / total for entry in bins],
        color=TRAIN,
        alpha=0.75,
        linewidth=0,
        zorder=3,
        clip_on=False,
    )
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 100)
    axes.set_aspect("equal")
    quiet_grid(axes, "both")
    axes.set_xlabel("confidence, %")
    axes.set_ylabel("of these right, %")
    axes.set_title(f"Reliability (calibration error {100 * ece:.1f} %)")
    return figure
