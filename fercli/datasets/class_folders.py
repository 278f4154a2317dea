"""Any pictures in class folders: `CLASS/file` or `SPLIT/CLASS/file`, at any common root."""

from collections.abc import Sequence

from fercli.config.import_dataset import ImportDatasetConfig
from fercli.datasets.image_headers import is_image_name
from fercli.datasets.labels import canonical, canonical_split
from fercli.datasets.reading import Reading, folders, image_files, picture, stem
from fercli.datasets.sources import Source
from fercli.records import EXPRESSIONS, LeftOut


def recognises(names: Sequence[str]) -> bool:
    """Whether any picture lies in a folder that is named as one of the seven expressions."""
    return any(
        is_image_name(name) and len(folders(name)) > 0 and canonical(folders(name)[-1]) in EXPRESSIONS for name in names
    )


def has_folders(names: Sequence[str]) -> bool:
    """Whether pictures lie in at least two folders: class folders with names that we do not know."""
    return len({folders(name)[-1] for name in names if is_image_name(name) and folders(name)}) > 1


def read(source: Source, config: ImportDatasetConfig) -> Reading:
    """Every picture; label = its folder, split = the folder above where that is the name of a split.

    id = path without extension, from the split or class folder on: the same whether a folder was packed with its
    own name or without it.
    """
    for file in image_files(source):
        if isinstance(file, LeftOut):
            yield file
            continue
        parents = folders(file.path)
        if not parents:
            yield LeftOut(file.path, "in no class folder")
            continue
        split = canonical_split(parents[-2]) if len(parents) > 1 else ""
        own = stem(file.path).split("/")[-3 if split else -2 :]
        yield picture(file, config, id="/".join(own), label=canonical(parents[-1]), split=split)
