"""Loss against the hidden units that remain while a network is pruned: figure 4 of Xu's paper, fold by fold."""

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fercli.report.figures.style import COLUMN, TEST, TRAIN, quiet_grid, styled
from fercli.report.history import Columns, carried_mean, loss_over_units

FEW_FOLDS, FEW_SIZES = 25, 20


@styled
def units_figure(receipts: Columns, loss_name: str) -> Figure | None:
    """receipts: the columns of `receipts.csv`. None when no unit was removed.

    A thin line per fold from its loss before the first removal over each loss after retraining; the thick
    line is the mean, in which a fold that has finished keeps its last loss. Pruning runs from left to right.
    """
    figure = Figure(figsize=(COLUMN, 2.6), layout="constrained")
    axes = figure.add_subplot()
    drawn = False
    for which, label, colour in (("train", "training rows", TRAIN), ("test", "held-out rows", TEST)):
        curves = loss_over_units(receipts, which)
        # many folds: faint lines without dots, or the means are buried
        many = len(curves) > FEW_FOLDS
        dot, alpha = ("", 0.12) if many else ("o", 0.35)
        for curve in curves:
            axes.plot(curve.x, curve.mean, color=colour, alpha=alpha, linewidth=0.7, marker=dot, markersize=1.4, mew=0)
        mean = carried_mean(curves)
        if mean is not None:
            drawn = True
            dot = "o" if len(mean.x) <= FEW_SIZES else ""
            axes.plot(
                mean.x,
                mean.mean,
                color=colour,
                marker=dot,
                markersize=3,
                linewidth=1.9,
                zorder=3,
                label=f"{label}, mean",
            )
    if not drawn:
        return None
    axes.invert_xaxis()
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
    quiet_grid(axes)
    axes.set_xlabel("remaining hidden units")
    axes.set_ylabel(f"loss ({loss_name})")
    axes.set_title("Loss while hidden units are removed")
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure
