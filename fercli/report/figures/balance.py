"""Fold balance: how much of each held-out fold every class is."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from fercli.report.figures.style import COLUMN, INK, MUTED, ON_DEEP, TRAIN, styled

_LABELLED = 12  # above so many folds cells are too narrow for a number


@styled
def balance_figure(counts: NDArray[np.int64], classes: Sequence[str]) -> Figure:
    """counts: (folds, C) held-out rows. A column is a fold, a cell's depth its class's share of the fold's rows.

    Folds that are balanced give rows of one depth. Up to twelve folds the cells show their counts.
    """
    folds, count = counts.shape
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(COLUMN, 0.75 + 0.21 * count), layout="constrained")
    axes = figure.add_subplot()
    gap = 0.04 if folds <= 40 else 0.0
    for fold in range(folds):
        for label in range(count):
            share = float(shares[fold, label])
            axes.add_patch(
                Rectangle(
                    (fold + gap, label + 0.05), 1 - 2 * gap, 0.9, facecolor=TRAIN, alpha=0.04 + 0.96 * share, lw=0
                )
            )
            if folds <= _LABELLED:
                axes.text(
                    fold + 0.5,
                    label + 0.5,
                    f"{counts[fold, label]}",
                    ha="center",
                    va="center_baseline",
                    fontsize=6.5,
                    color=ON_DEEP if share > 0.45 else INK if counts[fold, label] else MUTED,
                )
    axes.set_xlim(0, folds)
    axes.set_ylim(count, 0)
    names = [name if len(name) <= 10 else f"{name[:9]}…" for name in classes]
    axes.set_yticks(np.arange(count) + 0.5, names)
    if folds <= _LABELLED:
        axes.set_xticks(np.arange(folds) + 0.5, [str(fold) for fold in range(folds)])
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xlabel("fold")
    axes.set_title("Held-out rows, share of each class")
    return figure
