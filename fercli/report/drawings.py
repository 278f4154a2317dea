"""Which figures a run has, with their captions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from fercli.report.figures.activations import activations_figure
from fercli.report.figures.balance import balance_figure
from fercli.report.figures.comparison import comparison_figure
from fercli.report.figures.confusion import confusion_figure
from fercli.report.figures.curves import curves_figure
from fercli.report.figures.distributions import distributions_figure
from fercli.report.figures.frontier import FrontierPoint, frontier_figure
from fercli.report.figures.models import ModelScore, models_figure
from fercli.report.figures.optimizers import optimizers_figure
from fercli.report.figures.panels import panels_figure
from fercli.report.figures.reliability import reliability_figure
from fercli.report.figures.removals import removals_figure
from fercli.report.figures.structure import structure_figure
from fercli.report.figures.style import png_bytes, svg_bytes
from fercli.report.figures.units import units_figure
from fercli.report.material import Drawing, RunMaterial
from fercli.report.structure import Box, Part, folded
from fercli.report.wording import few, listed, percent, protocols_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray


def _drawing(stem: str, caption: str, figure: Figure | None) -> list[Drawing]:
    return [] if figure is None else [Drawing(stem, caption, svg_bytes(figure), png_bytes(figure))]


def run_drawings(run: RunMaterial) -> list[Drawing]:
    """Confusion matrix, curves, loss against units, removals, reliability: those that the run has data for."""
    metrics, name = run.metrics, run.name
    loss = str(metrics["test"]["loss"]["name"])
    drawings = _drawing(
        f"{name}-confusion",
        f"Confusion matrix of {name}. Rows are true classes with their counts"
        + (", summed over repeats." if metrics["protocol"]["repeats"] > 1 else "."),
        confusion_figure(np.array(metrics["confusion"], dtype=np.int64), metrics["classes"]),
    )
    if run.history is not None:
        drawings += _drawing(
            f"{name}-curves",
            f"Loss and accuracy of {name} over the epochs; bands are one standard deviation over the folds.",
            curves_figure(run.history, loss),
        )
    if run.receipts is not None:
        drawings += _drawing(
            f"{name}-units",
            "Loss against the hidden units that remain, after retraining: thin lines are folds; in the mean a fold "
            "that has finished keeps its last loss.",
            units_figure(run.receipts, loss),
        )
        drawings += _drawing(
            f"{name}-removals",
            "Hidden units removed in each fold, by the criterion that removed them.",
            removals_figure(run.receipts, len(metrics["folds"])),
        )
    if run.activations is not None:
        drawings += _drawing(
            f"{name}-activations",
            "Outputs of the hidden units over the training rows of the first fold: medians, the middle half (thick) "
            "and the middle nine tenths (thin).",
            activations_figure(run.activations),
        )
    bins = [
        (entry["rows"], entry["confidence"], entry["accuracy"])
        for entry in metrics.get("reliability", ())
        if entry["rows"]
    ]
    if bins and metrics["ece"] is not None:
        drawings += _drawing(
            f"{name}-reliability",
            f"Reliability of {name}: on the dashed line a confidence is worth what it says. Dots grow with their rows.",
            reliability_figure(bins, metrics["ece"]),
        )
    return drawings


def models_drawing(runs: Sequence[RunMaterial], stem: str = "models") -> list[Drawing]:
    """Comparable runs side by side, in the order given."""
    scores = []
    for run in runs:
        interval = run.metrics["intervals"]["accuracy"] or {}
        scores.append(
            ModelScore(
                run.name,
                run.metrics["accuracy"],
                interval.get("lower"),
                interval.get("upper"),
                run.metrics["macro_f1"],
                run.metrics["majority"]["accuracy"]["pooled"],
            )
        )
    first = runs[0].metrics
    methods = sorted({str((run.metrics["intervals"]["accuracy"] or {}).get("method", "none")) for run in runs})
    protocols = protocols_of([run.metrics for run in runs])
    division = protocols[0] if len(protocols) == 1 else "the protocols stand under the table"
    return _drawing(
        stem,
        f"Held-out accuracy with 95 % intervals ({', '.join(methods)}); {division}; "
        f"chance is {percent(first['chance'])} %.",
        models_figure(scores, first["chance"]),
    )


def balance_drawing(runs: Sequence[RunMaterial], stem: str) -> list[Drawing]:
    """What each fold holds out, of runs that hold out the same; of repeated folds the first repeat."""
    folds = [fold for fold in runs[0].folds if fold.repeat == runs[0].folds[0].repeat]
    repeats = len({fold.repeat for fold in runs[0].folds})
    groups = [fold.groups for fold in folds if fold.groups is not None]
    whole = f" Each fold holds {min(groups)} to {max(groups)} groups." if groups else ""
    return _drawing(
        stem,
        f"Balance of the folds of {few([run.name for run in runs])}: a column is a fold, the depth of a cell its "
        f"class's share of the rows held out.{whole}" + (f" First of {repeats} repeats." if repeats > 1 else ""),
        balance_figure(np.array([fold.counts for fold in folds], dtype=np.int64), runs[0].metrics["classes"]),
    )


def frontier_drawing(runs: Sequence[RunMaterial], stem: str = "frontier") -> list[Drawing]:
    """Accuracy against units over pruned runs on the same rows, where they ended with different numbers of units."""
    points = [
        FrontierPoint(
            run.name,
            run.metrics["hidden_after"]["mean"],
            run.metrics["accuracy"],
            (run.metrics["intervals"]["accuracy"] or {}).get("lower"),
            (run.metrics["intervals"]["accuracy"] or {}).get("upper"),
            float(run.metrics["hidden_before"]),
            run.metrics["control"]["accuracy"],
        )
        for run in runs
        if {"hidden_after", "hidden_before", "control"} <= run.metrics.keys()
    ]
    if len({point.units for point in points}) < 3:
        return []
    return _drawing(
        stem,
        f"Held-out accuracy against hidden units over {len(points)} pruned runs; each open dot is the unpruned "
        "control of the run that its dashed line leads to.",
        frontier_figure(points),
    )


def optimizer_drawing(runs: Sequence[tuple[str, RunMaterial]], stem: str = "optimizers") -> list[Drawing]:
    """Runs that differ in their optimizer, by its name."""
    histories = [(name, run.history) for name, run in runs if run.history is not None]
    if len(histories) < 2:
        return []
    loss = str(runs[0][1].metrics["test"]["loss"]["name"])
    return _drawing(
        stem,
        "Loss on training rows and accuracy on held-out rows, mean over the folds; the band is one standard deviation.",
        optimizers_figure(histories, loss),
    )


def comparison_drawing(
    runs: Sequence[tuple[str, RunMaterial]], quantity: Literal["loss", "accuracy"], stem: str
) -> list[Drawing]:
    """Loss or accuracy over the epochs, a panel a run."""
    shown = [(name, str(run.metrics["test"]["loss"]["name"]), run.history) for name, run in runs if run.history]
    names = listed([name for name, _, _ in shown])
    return _drawing(
        stem,
        f"{quantity.capitalize()} of {names} over the epochs, mean over the folds; bands are one standard deviation.",
        comparison_figure(shown, quantity) if shown else None,
    )


def panels_drawing(runs: Sequence[tuple[str, RunMaterial]], stem: str) -> list[Drawing]:
    """Loss and accuracy of several networks, a row of panels for each."""
    histories = [(name, run.history) for name, run in runs if run.history is not None]
    loss = str(runs[0][1].metrics["test"]["loss"]["name"])
    return _drawing(
        stem, f"Loss and accuracy of {' and '.join(name for name, _ in histories)}.", panels_figure(histories, loss)
    )


def structure_drawing(name: str, parts: Sequence[Part], picture: Box, stem: str, *, fold: bool) -> list[Drawing]:
    """A network from the picture to the softmax; fold: a residual block is one box."""
    total = sum(part.parameters * part.times for part in parts)
    drawn = [folded(part) for part in parts] if fold else parts
    softmax = Box("softmax", parts[-1].boxes[-1].output)
    blocks = " A box with several kernels is a residual block, with BN and ReLU inside." if fold else ""
    return _drawing(
        stem,
        f"Structure of {name}, drawn from the layers that it is built of: {total:,} parameters. Outputs are height × "
        f"width × channels; BN is batch norm, /2 a stride of 2.{blocks} Parameters at ×N are those of one block.",
        structure_figure(picture, drawn, softmax),
    )


def blocks_drawing(name: str, parts: Sequence[Part], stem: str) -> list[Drawing]:
    """The residual blocks of the first stage, layer by layer, below what goes into them."""
    first = next((index for index, part in enumerate(parts) if index and part.shortcut), None)
    if first is None:
        return []
    stage = [part for part in parts if part.stage == parts[first].stage]
    return _drawing(
        stem,
        f"Residual blocks of {name}: the first stage, layer by layer. The shortcut around a block is a projection "
        "where the channels or the size change, the identity elsewhere.",
        structure_figure(parts[first - 1].boxes[-1], stage),
    )


def preparation_drawing(
    before: NDArray[np.floating], after: NDArray[np.floating], names: Sequence[str], stem: str = "preparation"
) -> list[Drawing]:
    """Columns (n, d) over the training rows of one fold, as they came and as the network sees them."""
    return _drawing(
        stem,
        "Features over the training rows of the first fold: as they came, and after logarithm and scaling fitted on "
        "these rows.",
        distributions_figure(before, after, names),
    )
