"""FER-2013 as folders of pictures: `SPLIT/CLASS/Training_N.jpg` and the like, at any common root.

Also the two-folder form, whose `test/` mixes PublicTest and PrivateTest: the file name decides the split.
"""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from fercli.config.import_dataset import ImportDatasetConfig
from fercli.datasets.image_headers import is_image_name
from fercli.datasets.labels import canonical, canonical_split
from fercli.datasets.reading import Reading, folders, image_files, picture
from fercli.datasets.sources import Source
from fercli.records import LeftOut

_NAME = re.compile(r"(Training|PublicTest|PrivateTest)_\d+", re.IGNORECASE)


def recognises(names: Sequence[str]) -> bool:
    """Whether the pictures are named as FER-2013's."""
    pictures = [PurePosixPath(name).stem for name in names if is_image_name(name)]
    return bool(pictures) and sum(_NAME.fullmatch(name) is not None for name in pictures) * 2 > len(pictures)


def read(source: Source, config: ImportDatasetConfig) -> Reading:
    """Every picture; id = file stem, label = its folder, split = name before the number, else the folder above."""
    for file in image_files(source):
        if isinstance(file, LeftOut):
            yield file
            continue
        parents, name = folders(file.path), PurePosixPath(file.path).stem
        if not parents:
            yield LeftOut(file.path, "in no class folder")
            continue
        match = _NAME.fullmatch(name)
        split = canonical_split(match[1]) if match else canonical_split(parents[-2]) if len(parents) > 1 else ""
        yield picture(file, config, id=name, label=canonical(parents[-1]), split=split)
