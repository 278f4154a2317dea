"""SFEW's film frames (Dhall et al. 2011): class folders with `Film_HHMMSSmmm_NNNNNNNN.png`; group = film."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from fercli.config.import_dataset import ImportDatasetConfig
from fercli.datasets.film_names import film, frame_id, is_frame
from fercli.datasets.image_headers import is_image_name
from fercli.datasets.labels import canonical, canonical_split
from fercli.datasets.reading import Reading, folders, image_files, picture
from fercli.datasets.sources import Source
from fercli.records import LeftOut


def recognises(names: Sequence[str]) -> bool:
    """Whether most pictures carry the name of a film frame."""
    pictures = [PurePosixPath(name).name for name in names if is_image_name(name)]
    return bool(pictures) and sum(map(is_frame, pictures)) * 2 > len(pictures)


def read(source: Source, config: ImportDatasetConfig) -> Reading:
    """Every frame; id = stem with runs of `_` made one, label = its folder, group = film."""
    for file in image_files(source):
        if isinstance(file, LeftOut):
            yield file
            continue
        parents, name = folders(file.path), PurePosixPath(file.path).name
        if not parents:
            yield LeftOut(file.path, "in no class folder")
            continue
        split = canonical_split(parents[-2]) if len(parents) > 1 else ""
        yield picture(file, config, id=frame_id(name), label=canonical(parents[-1]), split=split, group=film(name))
