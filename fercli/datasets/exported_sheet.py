"""The sheet that `fer export` writes: its first cell says what was fitted, its second row names the columns."""

import re
from collections.abc import Iterator
from dataclasses import replace

from fercli.datasets import plain_sheet
from fercli.datasets.feature_rows import FeatureSheet
from fercli.datasets.sheet_cells import Row, text
from fercli.errors import InputError

_MARK = "Features: "
_UNMARKED = "nothing was fitted"
_BETWEEN = " | "


def recognises(first_rows: list[Row]) -> bool:
    """Whether the first cell is the mark and the second row begins with name and label."""
    if len(first_rows) < 2:
        return False
    (_, above), (_, below) = first_rows[:2]
    return text(above[0]).startswith(_MARK) and [text(cell) for cell in below[:2]] == ["name", "label"]


def read(rows: Iterator[Row], path: str) -> FeatureSheet:
    """The sheet's rows, with label numbers turned into names; the sentences of its first cell become leaks.

    Raises InputError for a label number that the first row does not explain, and as `plain_sheet.read` does.
    """
    _, above = next(rows)
    number, below = next(rows)
    said = text(above[0]).removeprefix(_MARK)
    leaks = () if said == _UNMARKED else tuple(said.split(_BETWEEN))
    explained = text(above[1]) if len(above) > 1 else ""
    names = dict(re.findall(r"(?:^|, )(\d+) (.*?)(?=, \d+ |$)", explained))
    header: Row = (number, ["id", *below[1:]])
    return replace(plain_sheet.read(header, _named(rows, names, path), path), leaks=leaks)


def _named(rows: Iterator[Row], names: dict[str, str], path: str) -> Iterator[Row]:
    for number, cells in rows:
        label = text(cells[1]) if len(cells) > 1 else ""
        if label and label not in names:
            known = ", ".join(f"{key} {name}" for key, name in names.items())
            raise InputError(
                f"label {label!r} is none of those that the first row explains: {known}",
                where=f"{path}, row {number}",
                next_step="correct the label, or explain it in the first row",
            )
        yield number, [cells[0], names.get(label, ""), *cells[2:]]
