"""Features as a sheet like SFEW's: two header rows, name, label number, components; marked with what was fitted on."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fercli.config.preprocessing import PreprocessingConfig
from fercli.errors import InputError
from fercli.preprocessing.foldwise import Fitted, apply, column_names, fit
from fercli.records import EXPRESSIONS, Block, Samples

# What the first cell begins with; `datasets/exported_sheet.py` knows the sheet by it.
MARK = "Features"
UNMARKED = "nothing was fitted"
BETWEEN = " | "
LARGEST_XLSX = (1_048_576, 16_384)
_ROWS_AT_ONCE = 1024


@dataclass(frozen=True)
class SheetContent:
    """A sheet before it is written: `features` (N, D) raw, `fitted` the projection of its blocks or None.

    leaks: one sentence each, what no division of the rows is free of; they stand in the first cell. notes: pairs of
    a name and a value, for a worksheet of their own.
    """

    samples: Samples
    features: NDArray[np.floating]
    blocks: tuple[Block, ...]
    fitted: Fitted | None
    leaks: tuple[str, ...] = ()
    notes: tuple[tuple[str, Any], ...] = ()


def fit_components(
    features: NDArray[np.floating], blocks: Sequence[Block], rows: NDArray[np.int64], pca: int | float | None
) -> Fitted | None:
    """The PCA of each block on features[rows], with neither logarithm nor scaling; None where no block gets one."""
    if pca is None:
        return None
    fitted = fit(features, blocks, rows, PreprocessingConfig(pca=pca, log="none", scaling="none"))
    return fitted if any(projection is not None for projection in fitted.projections) else None


def out_blocks(content: SheetContent) -> tuple[Block, ...]:
    """The blocks of the columns that the sheet has, with their names."""
    found: list[Block] = []
    for number, block in enumerate(content.blocks):
        projection = content.fitted.projections[number] if content.fitted else None
        if projection is None:
            names = column_names(block)
        else:
            names = tuple(f"{block.name}.pc{component + 1}" for component in range(len(projection.components)))
        start = found[-1].stop if found else 0
        found.append(Block(block.name, start, start + len(names), names))
    return tuple(found)


def label_numbers(classes: Sequence[str]) -> dict[str, int]:
    """1 to 7 for the seven expressions, as in SFEW's sheet, whichever of them occur; 8 and on for other classes."""
    others = [name for name in classes if name not in EXPRESSIONS]
    numbers = {name: EXPRESSIONS.index(name) + 1 for name in classes if name in EXPRESSIONS}
    return numbers | {name: len(EXPRESSIONS) + 1 + place for place, name in enumerate(others)}


def header_rows(content: SheetContent) -> tuple[list[str], list[str]]:
    """The two header rows: mark, meaning of the label numbers, block names; then the names of the columns."""
    blocks = out_blocks(content)
    numbers = sorted((number, name) for name, number in label_numbers(content.samples.classes).items())
    above = [
        f"{MARK}: {BETWEEN.join(content.leaks) or UNMARKED}",
        ", ".join(f"{number} {name}" for number, name in numbers),
    ]
    below = ["name", "label"]
    for block in blocks:
        above += [block.name, *[""] * (block.width - 1)]
        below += block.columns
    facts = _fact_columns(content.samples)
    return [*above, *[""] * len(facts)], [*below, *facts]


def sheet_rows(content: SheetContent) -> Iterator[list[Any]]:
    """Name, label number ("" where unlabelled), float32 values, then split and group where rows have them."""
    samples = content.samples
    numbers = label_numbers(samples.classes)
    facts = list(_fact_columns(samples).values())
    for start in range(0, len(samples), _ROWS_AT_ONCE):
        stop = min(start + _ROWS_AT_ONCE, len(samples))
        part = content.features[start:stop]
        values = np.asarray(part if content.fitted is None else apply(content.fitted, part), dtype=np.float32)
        for row in range(start, stop):
            label = numbers.get(str(samples.labels[row]), "")
            yield [str(samples.ids[row]), label, *values[row - start], *(str(column[row]) for column in facts)]


def write_csv(content: SheetContent, stream: BinaryIO) -> None:
    """UTF-8 CSV; numbers in the shortest form that reads back the same float32."""
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows(header_rows(content))
    writer.writerows(sheet_rows(content))
    text.flush()
    text.detach()


def write_xlsx(content: SheetContent, stream: BinaryIO) -> None:
    """A workbook with the sheet, and `notes` on a second one. Raises InputError where it is too large for .xlsx."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    above, below = header_rows(content)
    rows, columns = len(content.samples) + 2, len(below)
    if rows > LARGEST_XLSX[0] or columns > LARGEST_XLSX[1]:
        raise InputError(
            f"a sheet of {rows:,} x {columns:,} cells does not fit .xlsx ({LARGEST_XLSX[0]:,} x {LARGEST_XLSX[1]:,})",
            next_step="write a .csv, or keep fewer components with --pca",
        )
    book = Workbook(write_only=True)
    sheet = book.create_sheet("features")

    def cell(value: Any) -> Any:
        if not isinstance(value, str):
            # The float64 with the fewest digits: float32's own digits, as in the CSV.
            return float(str(value)) if isinstance(value, np.floating) else value
        made = WriteOnlyCell(sheet, value or None)
        if value:
            made.data_type = "s"  # a name that begins with "=" is no formula
        return made

    for row in (above, below):
        sheet.append([cell(value) for value in row])
    for row in sheet_rows(content):
        sheet.append([cell(value) for value in row])
    notes = book.create_sheet("notes")
    for name, value in content.notes:
        notes.append([name, value])
    book.save(stream)


def _fact_columns(samples: Samples) -> dict[str, NDArray[np.str_]]:
    """Split and group, each only where a row has one: SFEW's sheet has neither."""
    columns = {"split": samples.splits, "group": samples.groups}
    return {name: column for name, column in columns.items() if (column != "").any()}
