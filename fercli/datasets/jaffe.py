"""JAFFE (Lyons et al. 1998): `KA.AN1.39.tiff`, subject, expression code and number in the file name."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from fercli.config.import_dataset import ImportDatasetConfig
from fercli.datasets.image_headers import is_image_name
from fercli.datasets.reading import Reading, image_files, picture
from fercli.datasets.sources import Source
from fercli.records import LeftOut

CODES = {
    "AN": "angry",
    "DI": "disgust",
    "FE": "fear",
    "HA": "happy",
    "NE": "neutral",
    "SA": "sad",
    "SU": "surprise",
}
_NAME = re.compile(r"(?P<subject>[A-Z]{2})\.(?P<code>[A-Z]{2})\d?\.\d+")


def recognises(names: Sequence[str]) -> bool:
    """Whether most pictures are named in JAFFE's way."""
    pictures = [PurePosixPath(name).stem for name in names if is_image_name(name)]
    return bool(pictures) and sum(_NAME.fullmatch(name) is not None for name in pictures) * 2 > len(pictures)


def read(source: Source, config: ImportDatasetConfig) -> Reading:
    """Every picture; id = file stem, label from the code, group = subject."""
    for file in image_files(source):
        if isinstance(file, LeftOut):
            yield file
            continue
        name = PurePosixPath(file.path).stem
        match = _NAME.fullmatch(name)
        if match is None or match["code"] not in CODES:
            yield LeftOut(file.path, "not named SUBJECT.EXPRESSION.NUMBER as in JAFFE")
            continue
        yield picture(file, config, id=name, label=CODES[match["code"]], group=match["subject"])
