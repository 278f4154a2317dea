"""A plain feature sheet: a header with `id,label[,split][,group]` and numeric columns, `block.name` making blocks."""

from collections import Counter
from collections.abc import Iterator

from fercli.datasets.feature_rows import FeatureRows, FeatureSheet
from fercli.datasets.labels import canonical, canonical_split
from fercli.datasets.sheet_cells import Cell, Row, text
from fercli.errors import InputError
from fercli.records import Block

_FACTS = ("id", "label", "split", "group")


def read(header: Row, rows: Iterator[Row], path: str) -> FeatureSheet:
    """The sheet below `header`; columns of one block are brought together, blocks in order of appearance.

    Raises InputError for missing or doubled columns, ragged rows, unknown splits and rows without an id.
    """
    names = [text(cell) for cell in header[1]]
    while names and not names[-1]:
        names.pop()
    facts = _fact_columns(names, path)
    numeric = sorted(
        (column for column in range(len(names)) if column not in facts.values()),
        key=lambda column: _first_of_block(names, facts, column),
    )
    if not numeric:
        raise InputError("no numeric column", where=f"{path}, row {header[0]}", next_step="add the feature columns")
    gathered = FeatureRows(path, tuple(names[column] for column in numeric))
    for number, cells in rows:
        row = _rectangular(cells, names, f"{path}, row {number}")
        values = {name: text(row[column]) for name, column in facts.items()}
        if not values["id"]:
            raise InputError("the id is empty", where=f"{path}, row {number}", next_step="give every row an id")
        split = canonical_split(values.get("split", ""))
        if values.get("split") and not split:
            raise InputError(
                f"split {values['split']!r} is none of train, validation, test",
                where=f"{path}, row {number}",
                next_step="correct the column split",
            )
        gathered.add(
            number,
            [row[column] for column in numeric],
            id=values["id"],
            label=canonical(values["label"]),
            split=split,
            group=values.get("group", ""),
        )
    return gathered.sheet(_blocks(gathered.columns))


def _fact_columns(names: list[str], path: str) -> dict[str, int]:
    doubled = [name for name, count in Counter(names).items() if count > 1]
    if doubled:
        raise InputError(
            f"the header names column {doubled[0]!r} {names.count(doubled[0])} times",
            where=f"{path}, header",
            next_step="give every column its own name",
        )
    lower = [name.casefold() for name in names]
    facts = {name: lower.index(name) for name in _FACTS if name in lower}
    missing = [name for name in ("id", "label") if name not in facts]
    if missing:
        shown = ", ".join(names[:6]) + (" …" if len(names) > 6 else "")
        raise InputError(
            f"the header has no column {' and no column '.join(missing)}; it reads: {shown}",
            where=f"{path}, header",
            next_step="begin the header with id,label[,split][,group]",
        )
    return facts


def _block_of(name: str) -> str:
    head, dot, tail = name.partition(".")
    return head if head and dot and tail else "features"


def _first_of_block(names: list[str], facts: dict[str, int], column: int) -> tuple[int, int]:
    block = _block_of(names[column])
    first = next(index for index, name in enumerate(names) if index not in facts.values() and _block_of(name) == block)
    return first, column


def _blocks(columns: tuple[str, ...]) -> tuple[Block, ...]:
    blocks: list[Block] = []
    start = 0
    for stop in range(1, len(columns) + 1):
        if stop == len(columns) or _block_of(columns[stop]) != _block_of(columns[start]):
            blocks.append(Block(_block_of(columns[start]), start, stop, columns[start:stop]))
            start = stop
    return tuple(blocks)


def _rectangular(cells: list[Cell], names: list[str], where: str) -> list[Cell]:
    """The row at the header's length; only empty cells may stand beyond it, only XLSX leaves the last ones off."""
    if any(text(cell) for cell in cells[len(names) :]):
        raise InputError(
            f"{len(cells)} cells under a header of {len(names)}", where=where, next_step="correct the row or the header"
        )
    return [*cells[: len(names)], *[None] * (len(names) - len(cells))]
