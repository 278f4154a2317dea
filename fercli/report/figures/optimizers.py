"""Training loss and held-out accuracy under several optimizers: figure 2 of Xu's paper."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fercli.report.figures.style import COLUMN, PALETTE, quiet_grid, styled
from fercli.report.history import Columns, mean_curve

# dashes too: lines must be told apart in a black-and-white print
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)))


@styled
def optimizers_figure(runs: Sequence[tuple[str, Columns]], loss_name: str) -> Figure | None:
    """Loss on training rows above, accuracy on held-out rows below; a line per optimizer, the mean over its folds.

    runs: label and the columns of `history.csv`; of pruned runs only the first training is drawn. Bands are one
    standard deviation over the folds. None when nothing was measured.
    """
    figure = Figure(figsize=(COLUMN, 3.6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True)
    drawn = False
    for place, (label, history) in enumerate(runs):
        training = history.where(history.text("phase") == "train")
        look = {"color": PALETTE[place % len(PALETTE)], "linestyle": DASHES[place % len(DASHES)]}
        for axes, quantity, scale in ((upper, "train_loss", 1.0), (lower, "test_accuracy", 100.0)):
            curve = mean_curve(training, "epoch", quantity)
            if curve is None:
                continue
            drawn = True
            mean, sd = scale * curve.mean, scale * np.nan_to_num(curve.sd)
            axes.plot(curve.x, mean, label=label, **look)
            if quantity == "train_loss":
                axes.fill_between(curve.x, mean - sd, mean + sd, color=look["color"], alpha=0.13, linewidth=0)
    if not drawn:
        return None
    upper.set_ylabel(f"training loss ({loss_name})")
    lower.set_ylabel("held-out accuracy, %")
    lower.set_xlabel("epoch")
    for axes in (upper, lower):
        quiet_grid(axes)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
    upper.set_title("Optimizers")
    handles, labels = upper.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, columnspacing=1.2, handlelength=2.2)
    return figure
