"""Outputs of the hidden units over the training rows of one fold, before and after pruning."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fercli.report.figures.style import COLUMN, MUTED, PAPER, TEST, TRAIN, quiet_grid, styled
from fercli.report.history import Columns


def _panel(axes: Axes, units: Columns, colour: str) -> None:
    """A bar from the 5th to the 95th percentile of each unit's output, its middle half thick, its median a dot."""
    place = units.numbers("unit")
    axes.vlines(place, units.numbers("q05"), units.numbers("q95"), color=colour, linewidth=0.7, alpha=0.7)
    axes.vlines(place, units.numbers("q25"), units.numbers("q75"), color=colour, linewidth=2.0, alpha=0.8)
    axes.plot(place, units.numbers("q50"), color=PAPER, marker="o", markersize=1.6, linestyle="", mew=0)
    axes.set_ylim(-0.03, 1.03)
    axes.set_yticks([0, 0.5, 1])
    quiet_grid(axes)


@styled
def activations_figure(activations: Columns) -> Figure | None:
    """activations: the columns of `activations.csv`. None where it has no unit.

    Units keep their numbers: a gap below is a unit that was removed. Near 0 throughout a unit is dead, near 1
    saturated; how alike two units are does not show here, the receipt tells it.
    """
    stage = activations.text("phase")
    before, after = (activations.where(stage == name) for name in ("before", "after"))
    if not before.rows:
        return None
    figure = Figure(figsize=(COLUMN, 3.0), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True)
    _panel(upper, before, TEST)
    _panel(lower, after, TRAIN)
    kept = set(after.numbers("unit").astype(int).tolist())
    gone = [unit for unit in before.numbers("unit").astype(int).tolist() if unit not in kept]
    lower.plot(
        gone,
        [0.0] * len(gone),
        color=MUTED,
        marker="x",
        markersize=3 if len(gone) <= 24 else 1.5,
        linestyle="",
        clip_on=False,
    )
    upper.set_title(f"{before.rows} hidden units before pruning")
    lower.set_title(f"{after.rows} after it" + (" (× removed)" if gone else ""))
    upper.set_ylabel("output")
    lower.set_ylabel("output")
    lower.set_xlabel("hidden unit")
    lower.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    return figure
