"""Text tables inside a source: the rows of a CSV, streamed, with numbers for error messages."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

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


@contextmanager
def opened(file: SourceFile) -> Iterator[Iterator[tuple[int, Mapping[str, str]]]]:
    """The rows of one CSV as (line number, {column: cell}); column names lower case and stripped.

    Raises InputError with the line for broken CSV, NUL bytes, other encodings than UTF-8 and ragged rows.
    """
    with file.open() as stream:
        yield _rows(io.TextIOWrapper(stream, encoding="utf-8-sig", newline=""), file.path)


def _rows(stream: io.TextIOWrapper, path: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    csv.field_size_limit(max(csv.field_size_limit(), _FIELD_LIMIT))
    reader = csv.reader(stream, strict=True)
    try:
        with damage(path):
            header = [name.strip().casefold() for name in next(reader, [])]
            for cells in reader:
                if not any(cells):
                    continue
                if len(cells) != len(header):
                    raise InputError(
                        f"{len(cells)} cells under a header of {len(header)}",
                        where=f"{path}, line {reader.line_num}",
                        next_step="correct the row",
                    )
                yield reader.line_num, dict(zip(header, cells, strict=True))
    except UnicodeDecodeError as error:
        raise InputError(
            f"not UTF-8: byte 0x{error.object[error.start]:02x}",
            where=f"{path}, after line {reader.line_num}",
            next_step="save the table as UTF-8 CSV",
        ) from None
    except csv.Error as error:
        raise InputError(
            f"broken CSV: {error}", where=f"{path}, after line {reader.line_num}", next_step="save the table again"
        ) from None


def columns(header: str) -> list[str]:
    """The column names of a header line, lower case and stripped."""
    return [name.strip().casefold() for name in next(csv.reader([header]), [])]
