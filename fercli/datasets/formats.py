"""Every format that `import-dataset` reads, and how one is recognised: by names, and by the headers of tables."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fercli.config.import_dataset import ImportDatasetConfig
from fercli.datasets import (
    affectnet,
    ckplus,
    class_folders,
    csv_list,
    fer2013_csv,
    fer2013_folders,
    ferplus,
    jaffe,
    rafdb,
    sfew,
    tables,
)
from fercli.datasets.image_headers import is_image_name
from fercli.datasets.reading import Reading
from fercli.datasets.sources import Source
from fercli.errors import InputError, UsageError

SHEETS = frozenset({".csv", ".xlsx", ".xlsm"})


@dataclass(frozen=True)
class SourceFormat:
    """One published tree or file: how to tell it by its names and the header of its first table, and its reader."""

    recognises: Callable[[Sequence[str], str], bool]
    read: Callable[[Source, ImportDatasetConfig], Reading]


# The order is that of asking: the most particular names first.
FORMATS: dict[str, SourceFormat] = {
    "ferplus": SourceFormat(lambda names, header: ferplus.recognises(names), ferplus.read),
    "fer2013-csv": SourceFormat(lambda names, header: fer2013_csv.recognises(header), fer2013_csv.read),
    "fer2013-folders": SourceFormat(lambda names, header: fer2013_folders.recognises(names), fer2013_folders.read),
    "sfew": SourceFormat(lambda names, header: sfew.recognises(names), sfew.read),
    "jaffe": SourceFormat(lambda names, header: jaffe.recognises(names), jaffe.read),
    "ckplus": SourceFormat(lambda names, header: ckplus.recognises(names), ckplus.read),
    "rafdb": SourceFormat(lambda names, header: rafdb.recognises(names), rafdb.read),
    "affectnet": SourceFormat(affectnet.recognises, affectnet.read),
    "csv": SourceFormat(lambda names, header: csv_list.recognises(header), csv_list.read),
    "class-folders": SourceFormat(lambda names, header: class_folders.recognises(names), class_folders.read),
}


def detect(source: Source) -> str:
    """The format of a source, told by its first names, and by all of them only when those do not tell.

    Raises InputError when no format fits.
    """
    names = source.first_names()
    for every in (False, True):
        if every:
            names = source.names()
        header = tables.first_header(source, names)
        for name, candidate in FORMATS.items():
            if candidate.recognises(names, header):
                return name
    if class_folders.has_folders(names):
        return "class-folders"
    if source.path.suffix.lower() in SHEETS:
        raise InputError(
            "this is a sheet, in no format that holds or lists pictures",
            where=str(source.path),
            next_step="a table of features comes in with fer import-features; a CSV of pictures needs path,label",
        )
    pictures = sum(map(is_image_name, names))
    raise InputError(
        f"no known format: {len(names):,} files, {pictures:,} of them pictures, and no class folders",
        where=str(source.path),
        next_step=f"put the pictures into folders named by class, or say which --format it is: {', '.join(FORMATS)}",
    )


def resolve_format(source: Source, config: ImportDatasetConfig) -> str:
    """The format in force: the one that was asked for, else the one that is recognised; UsageError for any other."""
    if config.format == "auto":
        return detect(source)
    if config.format not in FORMATS:
        raise UsageError(
            f"--format: there is no format {config.format!r}",
            where=f"--format {config.format}",
            next_step=f"take auto or one of {', '.join(FORMATS)}",
        )
    return config.format


def read(source: Source, config: ImportDatasetConfig) -> Reading:
    """Pictures and left-out files of a source, one at a time, in the container's order."""
    return FORMATS[resolve_format(source, config)].read(source, config)
