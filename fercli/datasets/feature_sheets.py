"""Feature tables that somebody else made: which kind a sheet is, and its reader."""

from itertools import chain, islice
from pathlib import Path
from typing import Literal

from fercli.datasets import exported_sheet, plain_sheet, sfew_sheet
from fercli.datasets.feature_rows import FeatureSheet
from fercli.datasets.sheet_cells import rows as sheet_rows
from fercli.errors import InputError

HEADER_ROWS = 4


def read_sheet(path: str | Path, format: Literal["auto", "sfew", "table"] = "auto") -> FeatureSheet:
    """The features of a CSV or XLSX sheet, as float64 with blocks, groups, left-out rows, notes and leaks.

    `auto` knows a sheet that `fer export` wrote; it takes another for the SFEW sheet if one of the first rows is a
    film frame without a header `id`, else for a plain table. Raises InputError with row, column and next step.
    """
    path = Path(path)
    rows = sheet_rows(path)
    first = list(islice(rows, HEADER_ROWS))
    if not first:
        raise InputError("the sheet is empty", where=str(path), next_step="check the file")
    if format == "auto" and exported_sheet.recognises(first):
        return exported_sheet.read(chain(first, rows), str(path))
    names = [str(cell).strip().casefold() for cell in first[0][1]]
    if format == "sfew" or (format == "auto" and "id" not in names and sfew_sheet.recognises(first)):
        return sfew_sheet.read(chain(first, rows), str(path))
    return plain_sheet.read(first[0], chain(first[1:], rows), str(path))
