"""Which criterion removed how many hidden units, in each fold."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fercli.report.figures.style import COLUMN, MUTED, PALETTE, quiet_grid, styled
from fercli.report.history import Columns

# colour and hatch: bars must be told apart in a black-and-white print too
LOOKS = {
    "angle": (PALETTE[2], "----"),
    "dead": (PALETTE[0], ""),
    "saturated": (PALETTE[4], "////"),
    "correlated": (PALETTE[1], "\\\\\\\\"),
    "least-missed": (PALETTE[5], "...."),
}
MANY_FOLDS = 40  # above it bars are too narrow for hatches


@styled
def removals_figure(receipts: Columns, folds: int) -> Figure | None:
    """A bar per fold, stacked by criterion; None when no unit was removed.

    receipts: the columns of `receipts.csv`. folds: folds x repeats of the run; those without a receipt kept all.
    """
    if not receipts.rows:
        return None
    repeat, fold = receipts.numbers("repeat"), receipts.numbers("fold")
    per_repeat = max(folds // (int(repeat.max()) + 1), int(fold.max()) + 1)
    place = (repeat * per_repeat + fold).astype(np.int64)
    total = max(folds, int(place.max()) + 1)
    criteria = receipts.text("criterion")
    names = [name for name in LOOKS if name in criteria] + sorted(set(criteria.tolist()) - set(LOOKS))
    figure = Figure(figsize=(COLUMN, 2.3), layout="constrained")
    axes = figure.add_subplot()
    bottom = np.zeros(total)
    for name in names:
        counts = np.bincount(place[criteria == name], minlength=total).astype(np.float64)
        colour, hatch = LOOKS.get(name, (MUTED, "xx"))
        axes.bar(
            np.arange(total),
            counts,
            bottom=bottom,
            width=0.8,
            color=colour,
            hatch=hatch if total <= MANY_FOLDS else None,
            edgecolor="white",
            linewidth=0.4 if total <= MANY_FOLDS else 0,
            label=f"{name} ({int(counts.sum())})",
        )
        bottom += counts
    axes.set_xlim(-0.7, total - 0.3)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    quiet_grid(axes)
    axes.set_xlabel("fold")
    axes.set_ylabel("units removed")
    axes.set_title(f"Hidden units removed: {int(bottom.sum())}")
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=2 if len(names) > 2 else 3,
        columnspacing=1.2,
        handlelength=1.4,
    )
    return figure
