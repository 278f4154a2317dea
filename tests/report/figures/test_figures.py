"""Figures: what they say, that they are the same each time, and that nothing global changes."""

import matplotlib
import numpy as np
import pytest

from fercli.report.drawings import models_drawing, run_drawings
from fercli.report.figures.confusion import confusion_figure
from fercli.report.figures.curves import curves_figure
from fercli.report.figures.removals import removals_figure
from fercli.report.figures.style import COLUMN, png_bytes, svg_bytes
from fercli.report.figures.units import units_figure
from fercli.report.history import Columns


def svg_of(figure) -> str:
    return svg_bytes(figure).decode()


def test_every_figure_is_the_same_each_time_and_carries_no_date(made_run):
    first, second = (run_drawings(made_run()) + models_drawing([made_run()]) for _ in range(2))
    assert [entry.stem for entry in first] == [
        "prune-bp-confusion",
        "prune-bp-curves",
        "prune-bp-units",
        "prune-bp-removals",
        "prune-bp-reliability",
        "models",
    ]
    assert first == second
    for entry in first:
        assert entry.png.startswith(b"\x89PNG")
        assert b"<dc:date>" not in entry.svg
        assert b"<text" in entry.svg  # text that can be searched, not outlines


def test_a_users_settings_neither_leak_in_nor_are_changed(made_run):
    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "path", "axes.titlecolor": "red"}):
        before = dict(matplotlib.rcParams)
        foreign = run_drawings(made_run())[0]
        assert dict(matplotlib.rcParams) == before
    assert foreign == run_drawings(made_run())[0]


def test_a_figure_drawn_twice_is_the_same_twice():
    figure = confusion_figure(np.eye(3, dtype=int), ("angry", "happy", "sad"))
    assert svg_bytes(figure) == svg_bytes(figure)
    png = png_bytes(figure)
    svg_bytes(figure)
    assert png_bytes(figure) == png


def test_confusion_shows_shares_of_the_true_class_and_its_rows():
    svg = svg_of(confusion_figure(np.array([[3, 1], [0, 0]]), ("happy", "sad")))
    for words in (">75<", ">25<", "happy · 4", "predicted class"):
        assert words in svg
    assert svg.count(">0<") == 0  # a class without rows has no shares


def test_many_classes_widen_the_matrix_instead_of_shrinking_the_text():
    few = confusion_figure(np.eye(7, dtype=int), tuple("abcdefg"))
    many = confusion_figure(np.eye(24, dtype=int), tuple(f"class {index}" for index in range(24)))
    assert few.get_figwidth() == COLUMN
    assert many.get_figwidth() == 3 * COLUMN


def test_nothing_measured_gives_no_figure():
    nothing = Columns.of(["repeat", "fold", "phase", "epoch", "train_loss"], [["0", "0", "train", "1", ""]])
    assert curves_figure(nothing, "mse") is None
    empty = Columns.of(["repeat", "fold", "units_left", "criterion", "train_loss_before"], [])
    assert units_figure(empty, "mse") is None
    assert removals_figure(empty, 5) is None


def test_curves_draw_the_first_training_only_and_one_panel_where_one_was_measured():
    header = ["repeat", "fold", "phase", "epoch", "train_loss", "train_accuracy"]
    rows = [["0", "0", phase, str(epoch), "0.5", ""] for phase in ("train", "prune") for epoch in (1, 2, 3)]
    figure = curves_figure(Columns.of(header, rows), "ce")
    assert figure is not None
    assert len(figure.axes) == 1
    (line,) = figure.axes[0].lines
    assert line.get_xdata().tolist() == [1, 2, 3]
    assert figure.axes[0].get_ylabel() == "loss (ce)"
    assert figure.axes[0].get_xlabel() == "epoch"


def test_units_run_from_many_to_few_with_a_line_per_fold_and_a_mean(made_run):
    receipts = made_run().receipts
    figure = units_figure(receipts, "mse")
    assert figure is not None
    left, right = figure.axes[0].get_xlim()
    assert left > right
    folds = len(receipts.folds())
    assert len(figure.axes[0].lines) == 2 * (folds + 1)


def test_removals_count_every_receipt_and_keep_folds_without_any(made_run):
    receipts = made_run(folds=5).receipts
    figure = removals_figure(receipts, 5)
    assert figure is not None
    heights = sum(bar.get_height() for bar in figure.axes[0].patches)
    assert heights == receipts.rows
    assert figure.axes[0].get_title("left") == f"Hidden units removed: {receipts.rows}"
    assert figure.axes[0].get_xlim() == pytest.approx((-0.7, 4.7))


def test_png_has_two_hundred_dots_an_inch():
    data = png_bytes(confusion_figure(np.eye(2, dtype=int), ("a", "b")))
    assert int.from_bytes(data[16:20], "big") == int(COLUMN * 200)
