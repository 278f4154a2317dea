"""One quantity over the epochs, a panel for each network side by side: figures 5 and 6 of Xu's paper."""

from collections.abc import Sequence
from typing import Literal

from matplotlib.figure import Figure

from fercli.report.figures.curves import panel
from fercli.report.figures.style import COLUMN, styled
from fercli.report.history import Columns


@styled
def comparison_figure(runs: Sequence[tuple[str, str, Columns]], quantity: Literal["loss", "accuracy"]) -> Figure | None:
    """runs: name, name of its loss, and the columns of `history.csv`; of pruned runs only the first training is drawn.

    Losses of different names have axes of their own; accuracies share one. None when nothing was measured.
    """
    figure = Figure(figsize=(COLUMN * max(1.0, 0.62 * len(runs)), 2.3), layout="constrained")
    row = figure.subplots(1, len(runs), squeeze=False, sharey=quantity == "accuracy")[0]
    drawn = []
    for (name, loss, history), axes in zip(runs, row, strict=True):
        training = history.where(history.text("phase") == "train")
        if panel(axes, training, quantity, percent=quantity == "accuracy"):
            drawn.append(axes)
        axes.set_title(name if len(name) <= 26 else f"{name[:25]}…")
        axes.set_xlabel("epoch")
        if quantity == "loss":
            axes.set_ylabel(f"loss ({loss})")
    if not drawn:
        return None
    if quantity == "accuracy":
        row[0].set_ylabel("accuracy, %")
    handles, labels = drawn[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, columnspacing=1.2, handlelength=1.8)
    return figure
