"""What every folder importer does with one file: decode it, or say why it was left out."""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from fercli.config.import_dataset import ImportDatasetConfig
from fercli.datasets.image_headers import is_image_name
from fercli.datasets.images import decode
from fercli.datasets.sources import Source, SourceFile
from fercli.errors import InputError
from fercli.records import LeftOut, Picture

Reading = Iterator[Picture | LeftOut]


def image_files(source: Source) -> Iterator[SourceFile | LeftOut]:
    """Every file with the name of a picture; other files come as LeftOut, so that they are counted."""
    for file in source.files():
        yield file if is_image_name(file.path) else LeftOut(file.path, "not the name of a picture")


def picture(
    file: SourceFile,
    config: ImportDatasetConfig,
    *,
    id: str,
    label: str,
    split: str = "",
    group: str = "",
    extra: Mapping[str, str] | None = None,
) -> Picture | LeftOut:
    """The decoded picture of one file, or LeftOut with the reason when it cannot be read."""
    try:
        pixels = decode(file.read(), source=file.path, color=config.color)
    except InputError as error:
        # Why: a link or a broken picture is one row; damage to the archive itself ends the pass where it is met.
        return LeftOut(file.path, error.what)
    height, width = pixels.shape[:2]
    return Picture(id, label, split, group, file.path, pixels, width, height, extra or {})


def stem(path: str) -> str:
    """The path without its extension."""
    return str(PurePosixPath(path).with_suffix(""))


def folders(path: str) -> tuple[str, ...]:
    """The folders of a path, outermost first."""
    return PurePosixPath(path).parts[:-1]
