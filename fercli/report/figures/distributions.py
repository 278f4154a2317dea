"""Columns of features before and after their preparation: figure 1 of Xu's paper, both sides of it."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from fercli.report.figures.style import INK, MUTED, TEST, TRAIN, styled

SHOWN = 10
BINS = 24
WIDTH = 7.2  # inches: both columns of a paper


def skewness(values: NDArray[np.floating]) -> float:
    """Third standardised moment; 0 for a constant column."""
    centred = values.astype(np.float64) - values.mean(dtype=np.float64)
    spread = centred.std()
    return float(np.mean(centred**3) / spread**3) if spread > 0 else 0.0


@styled
def distributions_figure(
    before: NDArray[np.floating], after: NDArray[np.floating], names: Sequence[str]
) -> Figure | None:
    """A column of two histograms per feature, each with its skewness; None without features.

    before, after: (n, d) the same columns as they came and as the network sees them. Of more than ten columns those
    most skewed before are shown, in their order.
    """
    if not len(names) or not len(before):
        return None
    skews = np.array([abs(skewness(column)) for column in before.T])
    shown = np.sort(np.argsort(-skews, kind="stable")[:SHOWN])
    per_row = min(5, len(shown))
    blocks = -(-len(shown) // per_row)
    figure = Figure(figsize=(WIDTH, 2.15 * blocks + 0.35), layout="constrained")
    axes = figure.subplots(2 * blocks, per_row, squeeze=False)
    for place, column in enumerate(shown.tolist()):
        block, at = divmod(place, per_row)
        for row, (values, colour) in enumerate(((before[:, column], TEST), (after[:, column], TRAIN))):
            panel = axes[2 * block + row, at]
            panel.hist(values, bins=BINS, color=colour, linewidth=0)
            panel.set_yticks([])
            panel.set_ylim(0, 1.28 * panel.get_ylim()[1])  # room for the skewness above the bars
            panel.spines["left"].set_visible(False)
            panel.xaxis.set_major_locator(MaxNLocator(nbins=3))
            panel.tick_params(axis="x", labelsize=6.5)
            panel.text(
                0.98,
                0.95,
                f"skew {skewness(values):.1f}",
                transform=panel.transAxes,
                ha="right",
                va="top",
                fontsize=6.5,
                color=MUTED,
            )
            if row == 0:
                panel.set_title(names[column], fontsize=7.5, color=INK)
            if at == 0:
                panel.set_ylabel("as it came" if row == 0 else "prepared", fontsize=7)
    for place in range(len(shown), blocks * per_row):
        block, at = divmod(place, per_row)
        for row in (0, 1):
            axes[2 * block + row, at].set_axis_off()
    return figure
