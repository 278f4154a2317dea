"""Cells of a sheet, CSV or XLSX, row by row; nothing but text, numbers and None comes out."""

import csv
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

from fercli.errors import InputError

Cell = str | int | float | None
Row = tuple[int, list[Cell]]
_DELIMITERS = ",;\t"


def rows(path: Path) -> Iterator[Row]:
    """(number from 1, cells) of every row that is not empty; InputError for a file that is no sheet."""
    if not path.is_file():
        raise InputError("there is no such file", where=str(path), next_step="check the path")
    with open(path, "rb") as stream:
        is_zip = stream.read(4) == b"PK\x03\x04"
    if path.suffix.lower() in (".xlsx", ".xlsm") or is_zip:
        yield from _xlsx(path)
    else:
        yield from _csv(path)


def _csv(path: Path) -> Iterator[Row]:
    number = 0
    try:
        with open(path, encoding="utf-8-sig", newline="") as stream:
            head = stream.readline()
            stream.seek(0)
            delimiter = max(_DELIMITERS, key=head.count)
            for number, cells in enumerate(csv.reader(stream, delimiter=delimiter, strict=True), start=1):
                if any("\0" in cell for cell in cells):
                    raise InputError(
                        "a NUL byte", where=f"{path}, row {number}", next_step="save the sheet as UTF-8 CSV"
                    )
                if any(cells):
                    yield number, list(cells)
    except UnicodeDecodeError as error:
        raise InputError(
            f"not UTF-8: byte 0x{error.object[error.start]:02x}",
            where=f"{path}, after row {number}",
            next_step="save the sheet as UTF-8 CSV, or as .xlsx",
        ) from None
    except csv.Error as error:
        raise InputError(
            f"broken CSV: {error}", where=f"{path}, after row {number}", next_step="save the sheet as CSV again"
        ) from None


def _xlsx(path: Path) -> Iterator[Row]:
    import openpyxl

    try:
        with path.open("rb") as stream, warnings.catch_warnings():
            # Why: openpyxl warns of extensions of the format that hold styles, not cells.
            warnings.simplefilter("ignore", UserWarning)
            book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
            try:
                sheet = book.worksheets[0]
                for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
                    if any(cell is not None for cell in cells):
                        yield (
                            number,
                            [cell if cell is None or isinstance(cell, int | float) else str(cell) for cell in cells],
                        )
            finally:
                book.close()
    except (zipfile.BadZipFile, KeyError, ValueError, IndexError, OSError, EOFError) as error:
        raise InputError(
            f"not a readable .xlsx sheet: {error}", where=str(path), next_step="save it again, as .xlsx or as UTF-8 CSV"
        ) from None


def text(cell: Cell) -> str:
    """A cell as text; whole numbers without a fraction, an empty cell as ""."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()
