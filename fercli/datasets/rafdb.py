"""RAF-DB's basic expressions (Li et al. 2017): `train_00001_aligned.jpg` with labels 1 to 7.

Published tree: `Image/aligned/` or `Image/original/`, labels in `EmoLabel/list_patition_label.txt` (sic). Where both
folders are there, the aligned pictures are read. The form with folders `train/1/train_00001_aligned.jpg` is read too.
"""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from fercli.config.import_dataset import ImportDatasetConfig
from fercli.datasets.image_headers import is_image_name
from fercli.datasets.labels import canonical_split
from fercli.datasets.reading import Reading, folders, image_files, picture
from fercli.datasets.sources import Source
from fercli.errors import InputError
from fercli.records import LeftOut

# The numbers of the published list, from 1.
EMOTIONS = ("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral")
LIST = "list_patition_label.txt"
_NAME = re.compile(r"(?P<name>(?P<split>train|test)_\d{4,5})(?P<aligned>_aligned)?")


def recognises(names: Sequence[str]) -> bool:
    """Whether the published list is there, or most pictures are named in RAF-DB's way."""
    pictures = [PurePosixPath(name).stem for name in names if is_image_name(name)]
    named = sum(_NAME.fullmatch(name) is not None for name in pictures)
    return any(PurePosixPath(name).name == LIST for name in names) or (bool(pictures) and named * 2 > len(pictures))


def read(source: Source, config: ImportDatasetConfig) -> Reading:
    """Every picture; id = file stem without `_aligned`, split from the name, label from the list, else the folder."""
    labels, aligned = _first_pass(source)
    originals = 0
    for file in image_files(source):
        if isinstance(file, LeftOut):
            if not file.source.endswith((".txt", ".csv")):
                yield file
            continue
        match = _NAME.fullmatch(PurePosixPath(file.path).stem)
        if match is None:
            yield LeftOut(file.path, "not named as a picture of RAF-DB")
            continue
        if aligned and not match["aligned"]:
            originals += 1
            continue
        number = labels.get(match["name"], (folders(file.path) or ("",))[-1])
        if number not in map(str, range(1, len(EMOTIONS) + 1)):
            yield LeftOut(file.path, f"not in {LIST} and in no folder named 1 to 7")
            continue
        label, split = EMOTIONS[int(number) - 1], canonical_split(match["split"])
        yield picture(file, config, id=match["name"], label=label, split=split)
    if originals:
        yield LeftOut("original", f"{originals:,} pictures whose aligned form is read instead")


def _first_pass(source: Source) -> tuple[dict[str, str], bool]:
    """The labels of the list by name without extension, and whether any picture is aligned."""
    labels: dict[str, str] = {}
    aligned = False
    for file in source.files():
        path = PurePosixPath(file.path)
        aligned = aligned or (is_image_name(file.path) and path.stem.endswith("_aligned"))
        if path.name != LIST:
            continue
        for line, text in enumerate(file.read().decode("utf-8", "replace").splitlines(), start=1):
            words = text.split()
            if len(words) != 2:
                if words:
                    raise InputError(
                        f"{text!r} is not NAME LABEL", where=f"{file.path}, line {line}", next_step="fetch it again"
                    )
                continue
            labels[PurePosixPath(words[0]).stem] = words[1]
    return labels, aligned
