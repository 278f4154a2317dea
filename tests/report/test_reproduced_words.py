"""Sentences beside the papers' figures, tables of differences and runs, examples, panels side by side."""

import numpy as np
import pytest

from fercli.records import EXPRESSIONS, Samples
from fercli.report.differences import DIFFERENCES, RunLine, differences_sheet, runs_sheet
from fercli.report.drawings import comparison_drawing
from fercli.report.examples import example_rows, examples_drawing
from fercli.report.figures.comparison import comparison_figure
from fercli.report.history import Columns
from fercli.report.material import RunMaterial
from fercli.report.published import DU_FIGURES, XU_FIGURES
from fercli.report.reproduced_words import (
    both_ends_words,
    extremes_words,
    preparation_words,
    pruning_words,
    steadiness_words,
)
from fercli.report.reproduction import Part, Reproduction, renamed, reproduction_page
from fercli.report.tables import Column, Sheet

HEADER = ("repeat", "fold", "phase", "epoch", "train_loss", "train_accuracy", "test_loss", "test_accuracy")


def history(*epochs):
    rows = [["0", "0", "train", str(place), *map(str, cells)] for place, cells in enumerate(epochs, start=1)]
    return Columns.of(HEADER, rows)


@pytest.fixture
def net():
    metrics = {
        "name": "net",
        "test": {"loss": {"name": "ce"}},
        "per_class": {
            "happy": {"recall": 0.8, "support": 895},
            "disgust": {"recall": 0.02, "support": 56},
            "fear": {"recall": None, "support": 0},
        },
    }
    return RunMaterial(metrics, history=history((2.0, 0.2, 2.1, 0.19), (1.0, 0.5, 2.6, 0.31), (0.5, 0.7, 2.5, 0.3)))


def test_where_curves_start_and_end(net):
    assert both_ends_words([("ResNet", net)]) == (
        "ResNet: loss from 2.000 to 0.500 on training rows and from 2.100 to 2.500 on held-out rows",
        "ResNet: accuracy from 20.0 to 70.0 % on training rows and from 19.0 to 30.0 % on held-out rows",
    )
    assert both_ends_words([("nothing", RunMaterial(net.metrics))]) == ()


def test_the_largest_rise_of_the_held_out_loss(net):
    assert steadiness_words("ResNet", net.history) == (
        "ResNet: the largest rise of the held-out loss between two epochs is 0.500",
    )
    assert steadiness_words("ResNet", history((1, 1, 1, 1))) == ()
    assert steadiness_words("ResNet", None) == ()
    falling = history((1, 0, 2.0, 0), (1, 0, 1.5, 0))
    assert steadiness_words("net", falling)[0].endswith("is 0.000")


def test_best_and_worst_class_leave_out_what_has_no_rows(net):
    assert extremes_words(net) == (
        "recognised best: happy, 80.0 % of its 895 rows",
        "recognised worst: disgust, 2.0 % of its 56 rows",
    )


def test_pruning_before_and_after(made_run):
    lines = pruning_words(made_run(folds=3))
    assert lines[0].startswith("training rows: loss 0.0")
    assert " with 64 units, " in lines[0]
    assert lines[1].startswith("held-out rows: loss 0.1")
    assert pruning_words(RunMaterial({})) == ("No unit qualified for removal in any fold.",)


def test_logged_columns_are_named():
    assert "the logarithm is taken of lpq.1, then" in preparation_words(["lpq.1", "lpq.2"], ["lpq.1"])[0]
    assert "the logarithm is taken of none of them, then" in preparation_words(["lpq.1"], [])[0]


def test_networks_stand_beside_each_other(net):
    (drawn,) = comparison_drawing([("BP", net), ("ResNet", net)], "accuracy", "figure6")
    assert drawn.stem == "figure6"
    assert b">BP<" in drawn.svg
    assert b">ResNet<" in drawn.svg
    assert comparison_drawing([("none", RunMaterial(net.metrics))], "loss", "figure5") == []
    assert comparison_figure([("none", "ce", history())], "loss") is None


def test_every_paper_says_where_it_is_departed_from_and_why():
    for paper in DIFFERENCES:
        sheet = differences_sheet(paper)
        assert all(all(cell for cell in row) for row in sheet.rows)
    assert set(XU_FIGURES) == {f"figure{number}" for number in range(1, 7)}
    assert set(DU_FIGURES) == {f"figure{number}" for number in range(1, 6)}
    line = RunLine("net", "resnet", "2026", "cuda", "bf16", 30, "fer train-resnet")
    assert runs_sheet([line]).rows == (("net", "resnet", "2026", "cuda", "bf16", 30, "fer train-resnet"),)


def test_examples_are_drawn_the_same_each_time_from_every_class():
    labels = np.array(["happy"] * 20 + ["sad"] * 3 + [""])
    blank = np.full(24, "")
    samples = Samples(
        np.arange(24).astype(str), labels, blank, blank, blank, np.zeros(24, int), np.zeros(24, int), EXPRESSIONS
    )
    rows = example_rows(samples, 1)
    assert [len(rows[name]) for name in ("happy", "sad", "fear")] == [8, 3, 0]
    assert set(rows["happy"].tolist()) <= set(range(20))
    assert np.array_equal(rows["happy"], example_rows(samples, 1)["happy"])
    assert not np.array_equal(rows["happy"], example_rows(samples, 2)["happy"])
    pictures = {name: [np.zeros((4, 4), np.uint8)] * len(found) for name, found in rows.items()}
    (drawn,) = examples_drawing("faces", pictures, "figure1")
    assert b">happy<" in drawn.svg
    assert b">fear<" not in drawn.svg
    assert examples_drawing("faces", {"happy": []}, "figure1") == []


def test_the_papers_words_stand_before_ours_and_sentences_may_break(net):
    long = "a sentence that is so long that it has to break over several lines"
    sheet = Sheet("readings", "Readings", (Column("a", "open"), Column("b", "read as")), (("x", long),))
    drawn = renamed(comparison_drawing([("BP", net)], "loss", "loss") * 2, "figure5")
    assert [one.stem for one in drawn] == ["figure5", "figure5-2"]
    part = Part("Figure 5", (sheet,), drawn[:1], paper=("theirs & <b>",), here=("ours",))
    page = reproduction_page(Reproduction("xu", "Xu", ("lead",), (part,)), runs=["net"], version="1")
    assert page.index("theirs &amp; &lt;b&gt;") < page.index('class="ours"') < page.index("<svg")
    assert 'class="sortable prose"' in page
    assert 'data-label="read as"' in page
    assert "<summary>Readings</summary>" in page  # beside a figure its table folds away
