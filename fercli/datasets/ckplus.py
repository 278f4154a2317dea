"""CK+ (Lucey et al. 2010): sequences from neutral to the peak, `S005/001/S005_001_00000011.png`.

Published tree: pictures in `cohn-kanade-images/`, one number per labelled sequence in
`Emotion/S005/001/S005_001_00000011_emotion.txt`. Policy: the frame that the emotion file names (the peak, the last
one) has that label, the first frame of a labelled sequence is neutral; the frames between, and sequences without an
emotion file, are left out, one line a sequence. The form with class folders (`anger/S005_001_00000011.png`) is read
with the folder as label. Group = subject in both.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

from fercli.config.import_dataset import ImportDatasetConfig
from fercli.datasets.image_headers import is_image_name
from fercli.datasets.labels import canonical
from fercli.datasets.reading import Reading, folders, picture
from fercli.datasets.sources import Source
from fercli.errors import InputError
from fercli.records import LeftOut

EMOTIONS = ("neutral", "angry", "contempt", "disgust", "fear", "happy", "sad", "surprise")
_FRAME = re.compile(r"(?P<sequence>(?P<subject>S\d{3})_\d{3})_(?P<frame>\d{8})")
_EMOTION = "_emotion.txt"


def recognises(names: Sequence[str]) -> bool:
    """Whether most pictures are named as frames of CK+."""
    pictures = [PurePosixPath(name).stem for name in names if is_image_name(name)]
    return bool(pictures) and sum(_FRAME.fullmatch(name) is not None for name in pictures) * 2 > len(pictures)


def read(source: Source, config: ImportDatasetConfig) -> Reading:
    """The labelled frames; id = file stem, group = subject; a first pass reads the emotion files."""
    frames: dict[str, list[str]] = defaultdict(list)
    peaks: dict[str, str] = {}
    for file in source.files():
        name = PurePosixPath(file.path).name
        if name.endswith(_EMOTION):
            peaks[name.removesuffix(_EMOTION)] = _emotion(file.read(), file.path)
        elif is_image_name(name) and (match := _FRAME.fullmatch(PurePosixPath(name).stem)):
            frames[match["sequence"]].append(PurePosixPath(name).stem)
    labels = dict(peaks)
    for sequence in {peak.rpartition("_")[0] for peak in peaks} & frames.keys():
        labels.setdefault(min(frames[sequence]), "neutral")
    if peaks:
        yield from _unlabelled(frames, labels)
        yield from (LeftOut(peak, "the labelled frame is not there") for peak in peaks if not _has(frames, peak))
    for file in source.files():
        name = PurePosixPath(file.path).stem
        if not is_image_name(file.path):
            if not file.path.endswith(_EMOTION):
                yield LeftOut(file.path, "not the name of a picture")
            continue
        match = _FRAME.fullmatch(name)
        if match is None:
            yield LeftOut(file.path, "not named as a frame of CK+")
            continue
        label = labels.get(name, "") if peaks else canonical((folders(file.path) or ("",))[-1])
        if label:
            yield picture(file, config, id=name, label=label, group=match["subject"])
        elif not peaks:
            yield LeftOut(file.path, "in no class folder")


def _has(frames: dict[str, list[str]], peak: str) -> bool:
    return peak in frames.get(peak.rpartition("_")[0], [])


def _unlabelled(frames: dict[str, list[str]], labels: dict[str, str]) -> Reading:
    for sequence, names in sorted(frames.items()):
        unused = [name for name in names if name not in labels]
        if len(unused) == len(names):
            yield LeftOut(sequence, f"no emotion file: {len(names)} frames")
        elif unused:
            yield LeftOut(sequence, f"{len(unused)} frames between the first and the peak")


def _emotion(data: bytes, path: str) -> str:
    """The label in an emotion file, which holds one number such as `3.0000000e+00`."""
    try:
        number = float(data.decode("ascii"))
    except (UnicodeDecodeError, ValueError):
        number = -1.0
    if number not in range(len(EMOTIONS)):
        raise InputError(f"emotion {data[:20]!r} is not 0 to 7", where=path, next_step="fetch the file again")
    return EMOTIONS[int(number)]
