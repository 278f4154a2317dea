"""What folds hold out, and the receipts of pruning, as tables."""

import numpy as np
import pytest

from fercli.report.balance import balance_sheet, by_balance
from fercli.report.drawings import balance_drawing
from fercli.report.figures.balance import balance_figure
from fercli.report.material import FoldRows
from fercli.report.receipts import receipts_sheet, shortened


def test_every_fold_shows_rows_groups_and_classes():
    folds = (FoldRows(0, 0, (3, 4), 2), FoldRows(0, 1, (5, 0), 1))
    sheet = balance_sheet(folds, ("happy", "sad"), "folds")
    assert sheet.header == ("repeat", "fold", "rows", "groups", "happy", "sad")
    assert sheet.rows == ((0, 0, 7, 2, 3, 4), (0, 1, 5, 1, 5, 0))
    ungrouped = balance_sheet((FoldRows(0, 0, (3, 4)),), ("happy", "sad"), "folds")
    assert ungrouped.header == ("repeat", "fold", "rows", "happy", "sad")


def with_folds(made_run, name, *folds):
    run = made_run(name, pruned=False)
    return type(run)(metrics=run.metrics, folds=folds)


def test_runs_with_equal_folds_share_a_figure_and_a_single_split_has_none(made_run):
    seven = (1,) * 7
    one, two = FoldRows(0, 0, seven), FoldRows(0, 1, seven)
    runs = [
        with_folds(made_run, "a", one, two),
        with_folds(made_run, "official", one),
        with_folds(made_run, "b", one, FoldRows(0, 1, seven, 4)),
        with_folds(made_run, "c", one, two),
    ]
    assert [[run.name for run in alike] for alike in by_balance(runs)] == [["a", "c"], ["b"]]


def test_the_figure_is_of_the_first_repeat(made_run):
    folds = [FoldRows(repeat, fold, (fold + 1,) * 7, fold + 2) for repeat in range(3) for fold in range(2)]
    (drawn,) = balance_drawing([with_folds(made_run, "a", *folds)], "folds")
    assert "Each fold holds 2 to 3 groups." in drawn.caption
    assert "First of 3 repeats." in drawn.caption
    assert drawn.svg.count(b">2</text>") >= 7


@pytest.mark.parametrize(("folds", "labelled"), [(5, True), (30, False), (120, False)])
def test_many_folds_have_no_counts_in_their_cells(folds, labelled):
    figure = balance_figure(np.full((folds, 3), 1234), ("a", "a very long class name", "c"))
    assert any(text.get_text() == "1234" for text in figure.axes[0].texts) is labelled
    assert len(figure.axes[0].patches) == 3 * folds


def test_receipts_say_which_unit_went_and_what_it_cost(made_run):
    run = made_run(folds=3)
    sheet = receipts_sheet(run.receipts, run.name)
    cells = dict(zip(sheet.header, sheet.rows[0], strict=True))
    assert sheet.name == "prune-bp-receipts"
    assert (cells["fold"], cells["unit"], cells["units_left"], cells["partner"]) == (1, 3, 63, None)
    assert isinstance(cells["unit"], int)
    assert cells["train_loss_removed"] == pytest.approx(cells["train_loss_before"] + 0.01)
    none = run.receipts.where(np.zeros(run.receipts.rows, dtype=bool))
    assert receipts_sheet(none, "none") is None


def test_a_long_table_says_where_its_other_rows_stand(made_run):
    sheet = receipts_sheet(made_run(folds=5).receipts, "net")
    assert shortened(sheet, 1000) == sheet
    short = shortened(sheet, 2)
    assert short.rows == sheet.rows[:2]
    assert short.notes[0] == f"the first 2 of {len(sheet.rows)}; all stand in tables/net-receipts.csv"
