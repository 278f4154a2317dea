"""Cells of a sheet, CSV or XLSX, row by row; nothing but text, numbers and None comes out."""

import csv
import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import IO, Any
from xml.etree import ElementTree

from fercli.errors import InputError

Cell = str | int | float | None
Row = tuple[int, list[Cell]]
_DELIMITERS = ",;\t"
# Excel's own limit of rows, and of what the file does not hold but its numbers of rows and columns claim.
MOST_ROWS = 2**20
MOST_PADDING = 200_000_000
MOST_BYTES = 4 * 2**30
SUSPECT_BYTES = 32 * 2**20
SUSPECT_RATIO = 200
# What openpyxl and the XML and zip readers under it raise on a file that is damaged, or is no workbook.
_NO_WORKBOOK = (
    zipfile.BadZipFile,
    zlib.error,
    ElementTree.ParseError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    OverflowError,
    OSError,
    EOFError,
    RuntimeError,
    struct.error,
)


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
            _refuse_bomb(stream, path)
            # Why: openpyxl prints what it misses among styles, which would stand in the middle of --json.
            with redirect_stdout(io.StringIO()):
                book = openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False)
            try:
                sheet = book.worksheets[0]
                # Why: rows are padded to the size that the file states, which need not be true.
                sheet.reset_dimensions()
                yield from _filled(sheet.iter_rows(values_only=True), path)
            finally:
                book.close()
    except _NO_WORKBOOK as error:
        raise InputError(
            f"not a readable .xlsx sheet: {error}", where=str(path), next_step="save it again, as .xlsx or as UTF-8 CSV"
        ) from None


def _filled(rows: Iterable[tuple[Any, ...]], path: Path) -> Iterator[Row]:
    """The rows with a cell that is not empty; openpyxl makes up those that the file leaves out, up to any number."""
    padding = 0
    for number, cells in enumerate(rows, start=1):
        filled = sum(cell is not None for cell in cells)
        padding += len(cells) - filled
        if number > MOST_ROWS or padding > MOST_PADDING:
            raise InputError(
                f"the sheet claims more than {MOST_ROWS:,} rows, or holds almost nothing but empty cells",
                where=f"{path}, row {number}",
                next_step="copy the cells that matter into a new sheet",
            )
        if filled:
            yield (
                number,
                [cell if cell is None or isinstance(cell, int | float) else str(cell) for cell in cells],
            )


def _refuse_bomb(stream: IO[bytes], path: Path) -> None:
    """InputError for parts that unpack to far more than any sheet of numbers does; openpyxl reads texts whole."""
    with zipfile.ZipFile(stream) as archive:
        for entry in archive.infolist():
            ratio = entry.file_size / max(1, entry.compress_size)
            if entry.file_size > MOST_BYTES or (entry.file_size > SUSPECT_BYTES and ratio > SUSPECT_RATIO):
                raise InputError(
                    f"{entry.filename} in it unpacks from {entry.compress_size:,} to {entry.file_size:,} bytes",
                    where=str(path),
                    next_step="do not trust this file; save the sheet as UTF-8 CSV",
                )
    stream.seek(0)


def text(cell: Cell) -> str:
    """A cell as text; whole numbers without a fraction, an empty cell as ""."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()
