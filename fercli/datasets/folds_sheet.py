"""A table of folds that a user wrote, or edited after `fer make-folds` wrote it."""

from pathlib import Path

from fercli.datasets.sheet_cells import rows, text
from fercli.errors import InputError
from fercli.protocol.standing import StandingFolds, read_folds_table

NEEDED = ("id", "fold")
DEFAULTS = {"group": "", "repeat": "0"}


def read_folds_sheet(path: Path) -> StandingFolds:
    """The folds in a CSV or XLSX with the columns id and fold, and group and repeat where there are any.

    Raises InputError for a file that is no sheet, a missing column, or a row that is no fold.
    """
    sheet = rows(path)
    _, first = next(sheet, (1, []))
    header = [text(cell).casefold() for cell in first]
    missing = [name for name in NEEDED if name not in header]
    if missing:
        raise InputError(
            f"a table of folds needs the columns id and fold, and has no {' and no '.join(missing)}",
            where=f"{path}: {','.join(header)}" if any(header) else str(path),
            next_step="begin the table with the row id,group,repeat,fold, as `fer make-folds` writes it",
        )
    table = []
    for _, cells in sheet:
        row = dict(zip(header, map(text, cells), strict=False))
        table.append([row.get(name) or DEFAULTS.get(name, "") for name in ("id", "group", "repeat", "fold")])
    return read_folds_table(table, name=str(path))
