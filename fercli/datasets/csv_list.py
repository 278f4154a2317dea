"""Pictures listed in a CSV: `path,label[,split][,group]`, paths relative to the CSV; further columns are kept."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from sys import intern

from fercli.config.import_dataset import ImportDatasetConfig
from fercli.datasets import tables
from fercli.datasets.labels import canonical, canonical_split
from fercli.datasets.reading import Reading, picture, stem
from fercli.datasets.sources import FolderSource, SingleFileSource, Source
from fercli.errors import InputError
from fercli.records import LeftOut

_KNOWN = {"path", "label", "split", "group"}
# Columns of `samples.csv` itself: a further column of the list may not take their place.
_RESERVED = {"id", "source", "width", "height", "content"}


def recognises(header: str) -> bool:
    """Whether a table's header has the columns path and label."""
    return {"path", "label"} <= set(tables.columns(header))


def read(source: Source, config: ImportDatasetConfig) -> Reading:
    """Every listed picture, in the container's order; id = path without extension, as the list writes it.

    Raises InputError for a list without path or label, an unknown split, or a path that leads out of the source.
    A listed file that is missing, and a picture that no row lists, are left out by name.
    """
    listed, listing = _listing(source)
    if isinstance(source, SingleFileSource):
        folder = FolderSource(source.path.parent)
        files = (file for path in list(listed) if (file := folder.file(path)) is not None)
    else:
        files = (file for file in source.files() if file.path != listing)
    for file in files:
        rows = listed.pop(file.path, None)
        if rows is None:
            yield LeftOut(file.path, f"not listed in {listing}")
            continue
        for row in rows:
            yield picture(
                file,
                config,
                id=stem(row["path"].replace("\\", "/")),
                label=canonical(row["label"]),
                split=canonical_split(row.get("split", "")),
                group=row.get("group", "").strip(),
                extra={name: cell for name, cell in row.items() if name and name not in _KNOWN | _RESERVED},
            )
    for path in listed:
        yield LeftOut(path, f"listed in {listing}, but not there")


def _listing(source: Source) -> tuple[dict[str, list[Mapping[str, str]]], str]:
    """The rows of the list by path in the source, and the list's own path."""
    for file in tables.table_files(source):
        listed = _by_path(tables.rows(file), file.path)
        if listed:
            return listed, file.path
    raise InputError(
        "no table with the columns path and label", where=str(source.path), next_step="begin it with path,label"
    )


def _by_path(rows: Iterable[tuple[int, Mapping[str, str]]], listing: str) -> dict[str, list[Mapping[str, str]]]:
    folder = PurePosixPath(listing).parent
    listed: dict[str, list[Mapping[str, str]]] = defaultdict(list)
    for line, row in rows:
        if not {"path", "label"} <= row.keys():
            return {}
        where = f"{listing}, line {line}"
        path = row["path"].strip().replace("\\", "/")
        if not path or path.startswith("/") or ".." in PurePosixPath(path).parts or Path(path).is_absolute():
            raise InputError(
                f"path {row['path']!r} is empty or leads out of the source",
                where=where,
                next_step="write it relative to the list",
            )
        if row.get("split", "").strip() and not canonical_split(row["split"]):
            raise InputError(
                f"split {row['split']!r} is none of train, validation, test",
                where=where,
                next_step="correct the column split",
            )
        # Equal cells as one object, for the million rows that a list may have.
        listed[intern(str(folder / path))].append({name: intern(cell) for name, cell in row.items()})
    return dict(listed)
