"""Text tables inside a source: the rows of a CSV, streamed, with numbers for error messages."""

import codecs
import csv
from collections.abc import Iterator, Mapping, Sequence
from typing import IO

from fercli.datasets.sources import Source, SourceFile, damage
from fercli.errors import InputError

_FIELD_LIMIT = 2**24


def is_table_name(path: str) -> bool:
    """Whether a file name ends like a CSV."""
    return path.lower().endswith(".csv")


def table_files(source: Source) -> Iterator[SourceFile]:
    """The CSV files of a source."""
    return (file for file in source.files() if is_table_name(file.path))


def first_header(source: Source, names: Sequence[str]) -> str:
    """The first line of the outermost CSV among `names`, "" where there is none or it is no text."""
    tables = sorted((name for name in names if is_table_name(name)), key=lambda name: (name.count("/"), name))
    if not tables:
        return ""
    lines = source.head(tables[0]).splitlines()
    return lines[0].decode("utf-8-sig", "replace").strip() if lines else ""


def rows(file: SourceFile) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The rows of one CSV as (line number, {column: cell}); column names lower case and stripped.

    Raises InputError with the line for broken CSV, other encodings than UTF-8 and ragged rows.
    """
    path, number = file.path, 0
    csv.field_size_limit(max(csv.field_size_limit(), _FIELD_LIMIT))
    try:
        with damage(path), file.open() as stream:
            # Why: a member of a streamed tar cannot seek, which io.TextIOWrapper asks for.
            reader = csv.reader((line.decode("utf-8") for line in _without_mark(stream)), strict=True)
            header = [name.strip().casefold() for name in next(reader, [])]
            for cells in reader:
                number = reader.line_num
                if not any(cells):
                    continue
                if len(cells) != len(header):
                    raise InputError(
                        f"{len(cells)} cells under a header of {len(header)}",
                        where=f"{path}, line {number}",
                        next_step="correct the row",
                    )
                yield number, dict(zip(header, cells, strict=True))
    except UnicodeDecodeError as error:
        raise InputError(
            f"not UTF-8: byte 0x{error.object[error.start]:02x}",
            where=f"{path}, after line {number}",
            next_step="save the table as UTF-8 CSV",
        ) from None
    except csv.Error as error:
        raise InputError(
            f"broken CSV: {error}", where=f"{path}, after line {number}", next_step="save the table again"
        ) from None


def _without_mark(stream: IO[bytes]) -> Iterator[bytes]:
    """The lines of a file, the first without a byte order mark."""
    yield stream.readline().removeprefix(codecs.BOM_UTF8)
    yield from stream


def columns(header: str) -> list[str]:
    """The column names of a header line, lower case and stripped."""
    return [name.strip().casefold() for name in next(csv.reader([header]), [])]
