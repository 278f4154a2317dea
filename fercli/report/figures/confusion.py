"""Confusion matrix: each row is a true class, shares of its rows in percent."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from fercli.report.figures.style import COLUMN, INK, MUTED, ON_DEEP, TRAIN, styled


@styled
def confusion_figure(confusion: NDArray[np.int64], classes: Sequence[str]) -> Figure:
    """confusion: (C, C) counts, [truth][predicted]. A class without rows has an empty row.

    A cell's depth is its share of its row. Counts stand beside the class names; up to twelve classes the
    cells are labelled.
    """
    count = len(classes)
    support = confusion.sum(axis=1)
    shares = confusion / np.maximum(support, 1)[:, None]
    side = COLUMN if count <= 8 else COLUMN * count / 8
    figure = Figure(figsize=(side, side * 0.93), layout="constrained")
    axes = figure.add_subplot()
    for truth in range(count):
        for predicted in range(count):
            share = float(shares[truth, predicted])
            axes.add_patch(
                Rectangle(
                    (predicted + 0.03, truth + 0.03), 0.94, 0.94, facecolor=TRAIN, alpha=0.05 + 0.95 * share, lw=0
                )
            )
            if count <= 12 and support[truth]:
                axes.text(
                    predicted + 0.5,
                    truth + 0.5,
                    f"{100 * share:.0f}",
                    ha="center",
                    va="center_baseline",
                    color=ON_DEEP if share > 0.45 else (INK if share >= 0.005 else MUTED),
                    fontweight="bold" if truth == predicted else "normal",
                )
    axes.set_xlim(0, count)
    axes.set_ylim(count, 0)
    axes.set_aspect("equal")
    names = [name if len(name) <= 10 else f"{name[:9]}…" for name in classes]
    axes.set_xticks(np.arange(count) + 0.5, names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(np.arange(count) + 0.5, [f"{name} · {rows:,}" for name, rows in zip(names, support, strict=True)])
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class, rows")
    axes.set_title("Confusion, % of each true class")
    return figure
