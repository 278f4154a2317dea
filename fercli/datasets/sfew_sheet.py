"""The SFEW sheet: five principal components each of LPQ and PHOG (Dhall et al. 2011), as .xlsx or the same as .csv."""

from collections.abc import Iterator

from fercli.datasets.feature_rows import FeatureRows, FeatureSheet
from fercli.datasets.film_names import film, frame_id, is_frame
from fercli.datasets.sheet_cells import Cell, Row, text
from fercli.errors import InputError
from fercli.records import EXPRESSIONS, Block

COMPONENTS = 5
LEAK = "components were fitted on all rows of the sheet"
_COLUMNS = tuple(f"{block}.{number}" for block in ("lpq", "phog") for number in range(1, COMPONENTS + 1))


def recognises(first_rows: list[Row]) -> bool:
    """Whether one of the first rows begins with the name of a film frame and a label from 1 to 7."""
    return any(
        len(cells) > 2 and is_frame(text(cells[0])) and text(cells[1]) in map(str, range(1, 8))
        for _, cells in first_rows
    )


def read(rows: Iterator[Row], path: str) -> FeatureSheet:
    """The sheet's rows: id = name without `.mat`, label = 1..7 in the order of the seven classes, group = film.

    The header rows, however many, are those before the first frame. Raises InputError for a row that is no frame or
    has another label or width.
    """
    gathered = FeatureRows(path, _COLUMNS)
    begun = False
    for number, cells in rows:
        name = text(cells[0])
        if not is_frame(name):
            if not begun:
                continue
            raise InputError(
                f"{name!r} is not the name of a film frame (Film_HHMMSSmmm_NNNNNNNN)",
                where=f"{path}, row {number}",
                next_step="correct the name, or import the sheet with a header id,label,…",
            )
        begun = True
        gathered.add(
            number,
            _components(cells, f"{path}, row {number}"),
            id=frame_id(name),
            label=_label(cells[1] if len(cells) > 1 else None, path, number),
            group=film(name),
        )
    blocks = (
        Block("lpq", 0, COMPONENTS, _COLUMNS[:COMPONENTS]),
        Block("phog", COMPONENTS, 2 * COMPONENTS, _COLUMNS[COMPONENTS:]),
    )
    return gathered.sheet(blocks, leaks=(LEAK,))


def _components(cells: list[Cell], where: str) -> list[Cell]:
    width = 2 + 2 * COMPONENTS
    if any(text(cell) for cell in cells[width:]):
        raise InputError(
            f"{len(cells)} cells where the SFEW sheet has {width}: name, label, 5 LPQ and 5 PHOG components",
            where=where,
            next_step="import it with a header id,label,lpq.1,…",
        )
    return [*cells[2:width], *[None] * (width - len(cells))]


def _label(cell: Cell, path: str, number: int) -> str:
    label = text(cell)
    if label not in map(str, range(1, len(EXPRESSIONS) + 1)):
        raise InputError(
            f"label {label!r} is not a number from 1 to 7", where=f"{path}, row {number}", next_step="correct the label"
        )
    return EXPRESSIONS[int(label) - 1]
