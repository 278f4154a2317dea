"""Pruning receipts as a table: which unit went, by which criterion, and what that did to loss and accuracy."""

from typing import Any

import numpy as np

from fercli.report.history import Columns
from fercli.report.tables import Column, Sheet

SHOWN = 40  # rows on the page; the CSV holds all
_WHOLE = ("repeat", "fold", "round", "unit", "partner", "units_left")
COLUMNS = (
    Column("repeat", "repeat", "count"),
    Column("fold", "fold", "count"),
    Column("round", "round", "count"),
    Column("unit", "unit", "count"),
    Column("criterion", "criterion"),
    Column("value", "value", "number"),
    Column("partner", "partner", "count"),
    Column("units_left", "units left", "count"),
    Column("train_loss_before", "train loss before", "number"),
    Column("train_loss_removed", "removed", "number"),
    Column("train_loss_retrained", "retrained", "number"),
    Column("test_loss_before", "held-out loss before", "number"),
    Column("test_loss_retrained", "retrained", "number"),
    Column("test_accuracy_before", "held out % before", "percent"),
    Column("test_accuracy_retrained", "retrained %", "percent"),
)


def receipts_sheet(receipts: Columns, run: str) -> Sheet | None:
    """The receipts of a pruned run, None where no unit was removed."""
    if not receipts.rows:
        return None
    cells = [[_cell(column.key, value) for value in _values(receipts, column)] for column in COLUMNS]
    return Sheet(
        f"{run}-receipts",
        "Pruning receipts",
        COLUMNS,
        tuple(zip(*cells, strict=True)),
        ("value: the mean output, or the correlation with the partner that stayed, on the fold's training rows",),
    )


def shortened(sheet: Sheet, rows: int = SHOWN) -> Sheet:
    """The first rows of a long table, with a note that says where the others stand."""
    if len(sheet.rows) <= rows:
        return sheet
    note = f"the first {rows} of {len(sheet.rows):,}; all stand in tables/{sheet.name}.csv"
    return Sheet(sheet.name, sheet.title, sheet.columns, sheet.rows[:rows], (note, *sheet.notes))


def _values(receipts: Columns, column: Column) -> list[Any]:
    return list((receipts.text if column.form == "text" else receipts.numbers)(column.key).tolist())


def _cell(key: str, value: Any) -> Any:
    if isinstance(value, str):
        return value
    if not np.isfinite(value):
        return None
    return int(value) if key in _WHOLE else value
