"""Loss and accuracy over the epochs: training, held-out and monitored rows, mean over the folds."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fercli.report.figures.style import COLUMN, MONITOR, TEST, TRAIN, quiet_grid, styled
from fercli.report.history import Columns, mean_curve

LINES = (
    ("train", "training rows", TRAIN, "-"),
    ("test", "held-out rows", TEST, "-"),
    ("monitor", "monitored rows", MONITOR, (0, (4, 1.5))),
)


def panel(axes: Axes, history: Columns, quantity: str, percent: bool) -> bool:
    """Draw one quantity over the epochs; False when it was never measured."""
    drawn = False
    scale = 100.0 if percent else 1.0
    for which, label, colour, dash in LINES:
        curve = mean_curve(history, "epoch", f"{which}_{quantity}")
        if curve is None or not len(curve.x):
            continue
        drawn = True
        mean, sd = scale * curve.mean, scale * np.nan_to_num(curve.sd)
        few = len(curve.x) <= 2
        axes.plot(curve.x, mean, color=colour, linestyle=dash, label=label, marker="o" if few else "", markersize=3)
        if np.any(sd > 0):
            axes.fill_between(curve.x, mean - sd, mean + sd, color=colour, alpha=0.15, linewidth=0)
    quiet_grid(axes)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
    return drawn


@styled
def curves_figure(history: Columns, loss_name: str) -> Figure | None:
    """Loss above, accuracy below, over the epochs of the first training; None when neither was measured.

    history: the columns of `history.csv`; only the phase `train` is drawn (pruning has its own figure). Bands
    are one standard deviation over the folds; curves end where fewer than half of the folds still train.
    """
    training = history.where(history.text("phase") == "train")
    figure = Figure(figsize=(COLUMN, 3.6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True)
    has_loss = panel(upper, training, "loss", percent=False)
    has_accuracy = panel(lower, training, "accuracy", percent=True)
    if not (has_loss or has_accuracy):
        return None
    upper.set_ylabel(f"loss ({loss_name})")
    lower.set_ylabel("accuracy, %")
    lower.set_xlabel("epoch")
    folds = len(training.folds())
    upper.set_title(f"Training, mean ± sd of {folds} folds" if folds > 1 else "Training")
    handles, labels = (upper if has_loss else lower).get_legend_handles_labels()
    if not has_loss:
        figure.delaxes(upper)
    if not has_accuracy:
        figure.delaxes(lower)
        upper.set_xlabel("epoch")
        upper.tick_params(labelbottom=True)
    figure.legend(handles, labels, loc="outside lower center", ncols=3, columnspacing=1.2, handlelength=1.8)
    return figure
