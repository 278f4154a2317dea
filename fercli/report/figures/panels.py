"""Loss and accuracy of several networks, a row of panels for each."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from fercli.report.figures.curves import panel
from fercli.report.figures.style import COLUMN, styled
from fercli.report.history import Columns


@styled
def panels_figure(histories: Sequence[tuple[str, Columns]], loss_name: str) -> Figure:
    """Loss on the left, accuracy on the right, one row a network (Du 2023, figure 4).

    histories: name and the columns of `history.csv` of each network.
    """
    figure = Figure(figsize=(2 * COLUMN, 1.9 * len(histories)), layout="constrained")
    rows = figure.subplots(len(histories), 2, sharex=True, squeeze=False)
    for (name, history), (left, right) in zip(histories, rows, strict=True):
        training = history.where(history.text("phase") == "train")
        panel(left, training, "loss", percent=False)
        panel(right, training, "accuracy", percent=True)
        left.set_ylabel(f"loss ({loss_name})")
        right.set_ylabel("accuracy, %")
        left.set_title(f"{name}: loss")
        right.set_title(f"{name}: accuracy")
    for axes in rows[-1]:
        axes.set_xlabel("epoch")
    handles, labels = rows[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure
