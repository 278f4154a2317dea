"""Figures of the BP network: preparation, optimizers, hidden outputs, and the frontier of a sweep."""

import numpy as np
import pytest

from fercli.report.drawings import frontier_drawing, optimizer_drawing, preparation_drawing, run_drawings
from fercli.report.figures.activations import activations_figure
from fercli.report.figures.distributions import distributions_figure, skewness
from fercli.report.figures.frontier import FrontierPoint, frontier_figure
from fercli.report.figures.optimizers import optimizers_figure
from fercli.report.figures.style import svg_bytes
from fercli.report.history import Columns
from fercli.report.page import build


def svg_of(figure) -> str:
    return svg_bytes(figure).decode()


def test_skewness_of_known_columns():
    assert skewness(np.array([-1.0, 0.0, 1.0])) == 0
    assert skewness(np.array([0.0, 0.0, 0.0, 1.0])) == pytest.approx(2 / np.sqrt(3))
    assert skewness(np.full(5, 3.0)) == 0


def test_distributions_stand_before_over_after_and_the_most_skewed_are_shown():
    drawn = np.random.default_rng(0)
    before = drawn.normal(size=(60, 12))
    before[:, [3, 7]] = np.exp(2 * before[:, [3, 7]])
    after = before.copy()
    after[:, [3, 7]] = np.log(before[:, [3, 7]])
    names = [f"column{place:02}" for place in range(12)]
    svg = svg_of(distributions_figure(before, after, names))
    shown = [name for name in names if f">{name}<" in svg]
    assert len(shown) == 10
    assert {"column03", "column07"} <= set(shown)
    for column in (before[:, 3], after[:, 3]):
        words = f"skew {skewness(column):.1f}".replace("-", "\N{MINUS SIGN}")
        assert words in svg or words.replace("\N{MINUS SIGN}", "-") in svg
    assert distributions_figure(before[:0], after[:0], names) is None
    assert [one.stem for one in preparation_drawing(before, after, names)] == ["preparation"]


def test_optimizers_have_a_line_each(made_run):
    runs = [(name, made_run(name)) for name in ("adam", "momentum", "sgd")]
    svg = svg_of(optimizers_figure([(name, run.history) for name, run in runs], "ce"))
    for words in (">adam<", ">momentum<", ">sgd<", "training loss (ce)", "held-out accuracy, %"):
        assert words in svg
    assert optimizer_drawing(runs[:1]) == []
    nothing = Columns.of(["repeat", "fold", "phase", "epoch", "train_loss", "test_accuracy"], [])
    assert optimizers_figure([("adam", nothing)], "ce") is None


def activations(units):
    header = ["phase", "unit", "q05", "q25", "q50", "q75", "q95"]
    rows = [[phase, str(unit), "0.1", "0.3", "0.5", "0.7", "0.9"] for phase, kept in units.items() for unit in kept]
    return Columns.of(header, rows)


def test_hidden_outputs_before_and_after_with_the_units_that_went(made_run):
    svg = svg_of(activations_figure(activations({"before": range(5), "after": (0, 3, 4)})))
    assert "5 hidden units before pruning" in svg
    assert "3 after it (× removed)" in svg
    assert "3 after it<" in svg_of(activations_figure(activations({"before": range(3), "after": range(3)})))
    assert activations_figure(activations({"before": (), "after": ()})) is None
    run = made_run()
    with_them = type(run)(**{**vars(run), "activations": activations({"before": range(5), "after": (0, 3)})})
    assert "prune-bp-activations" in [one.stem for one in run_drawings(with_them)]
    assert "prune-bp-activations" not in [one.stem for one in run_drawings(run)]


def pruned_at(made_run, units, name):
    after = {"mean": units, "min": int(units), "max": int(units)}
    return made_run(name, hidden_before=64, hidden_after=after, control={"accuracy": 0.3})


def test_the_frontier_needs_three_sizes_and_stands_in_the_page(made_run):
    runs = [pruned_at(made_run, units, f"prune.correlated-{units}") for units in (62.0, 44.0, 20.0)]
    assert frontier_drawing(runs[:2]) == []
    assert frontier_drawing([made_run()]) == []
    drawing = frontier_drawing(runs)[0]
    assert b"hidden units left" in drawing.svg
    assert "frontier" in [one.stem for one in frontier_drawing(runs)]
    assert frontier_figure([FrontierPoint("a", 3.0, 0.2, None, None, 64.0, 0.3)]) is None


def test_a_sweep_over_optimizers_is_drawn_in_the_page(made_run):
    names = [f"bp.optimizer-{name}" for name in ("adam", "sgd")]
    drawn = [one.stem for one in build([made_run(name) for name in names], title="x").drawings]
    assert "optimizers" in drawn
    assert "optimizers" not in [one.stem for one in build([made_run("a"), made_run("b")], title="x").drawings]
