"""Curves over folds: what the mean is taken over, and where it ends."""

import numpy as np
import pytest

from fercli.errors import ArtifactError
from fercli.report.history import Columns, carried_mean, loss_over_units, mean_curve

HEADER = ["repeat", "fold", "phase", "epoch", "train_loss", "test_loss"]


def test_empty_cells_are_not_measured_and_words_in_a_number_column_are_refused():
    columns = Columns.of(HEADER, [["0", "0", "train", "1", "0.5", ""]])
    assert columns.numbers("train_loss").tolist() == [0.5]
    assert np.isnan(columns.numbers("test_loss")).all()
    assert np.isnan(columns.numbers("monitor_loss")).all()  # a column that the table lacks
    with pytest.raises(ArtifactError, match="column epoch holds what is no number"):
        Columns.of(HEADER, [["0", "0", "train", "one", "0.5", ""]])


def test_mean_and_sd_over_folds_end_where_fewer_than_half_still_train():
    lengths = {0: 3, 1: 2, 2: 1}
    rows = [
        ["0", str(fold), "train", str(epoch), str(epoch + fold), ""]
        for fold, length in lengths.items()
        for epoch in range(length)
    ]
    curve = mean_curve(Columns.of(HEADER, rows), "epoch", "train_loss")
    assert curve is not None
    assert curve.x.tolist() == [0, 1]  # at epoch 2 one fold of three is left
    assert curve.mean.tolist() == [1.0, 1.5]
    assert curve.sd.tolist() == pytest.approx([1.0, np.sqrt(0.5)])
    assert curve.folds.tolist() == [3, 2]
    assert mean_curve(Columns.of(HEADER, rows), "epoch", "test_loss") is None


def test_loss_over_units_starts_before_the_first_removal():
    header = ["repeat", "fold", "units_left", "train_loss_before", "train_loss_retrained"]
    rows = [["0", "0", "62", "0.3", "0.2"], ["0", "0", "63", "0.4", "0.3"], ["0", "1", "63", "0.8", "0.6"]]
    receipts = Columns.of(header, rows)
    first, second = loss_over_units(receipts, "train")
    assert first.x.tolist() == [64, 63, 62]
    assert first.mean.tolist() == [0.4, 0.3, 0.2]
    assert second.x.tolist() == [64, 63]
    assert loss_over_units(receipts, "test") == []
    mean = carried_mean([first, second])
    assert mean is not None
    assert mean.x.tolist() == [64, 63, 62]
    assert mean.mean.tolist() == pytest.approx([0.6, 0.45, 0.4])  # fold 1 keeps its 0.6
    assert carried_mean([]) is None
