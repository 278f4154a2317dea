"""The pictures that `predict --annotate` writes, each under a name of its own, never over what is read."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from fercli.artifacts.disk import Disk
from fercli.datasets.images import opencv
from fercli.errors import UsageError
from fercli.inference.annotation import annotated
from fercli.inference.labelling import LabelledFrame
from fercli.inference.streams import Found

_KEPT = (".png", ".jpg", ".jpeg")


class AnnotatedFiles:
    """Writes into `folder`; UsageError where that is among the sources, whose pictures would be written over."""

    def __init__(self, folder: Path, sources: Sequence[Found], disk: Disk, classes: tuple[str, ...]) -> None:
        own = folder.resolve()
        for source in sources:
            path = source.path.resolve()
            home = path if path.is_dir() else path.parent
            if own == home or (path.is_dir() and own.is_relative_to(path)):
                raise UsageError(
                    "--annotate would write among the pictures that are read",
                    where=str(folder),
                    next_step="name a folder of its own, e.g. --annotate labelled",
                )
        if folder.exists() and not folder.is_dir():
            raise UsageError("--annotate is a file, not a folder", where=str(folder), next_step="name a folder")
        self._folder = folder
        self._disk = disk
        self._classes = classes

    def write(self, labelled: LabelledFrame) -> None:
        """The picture with its labels: a frame as VIDEO/NUMBER.jpg, a picture under its own name, as PNG where that
        is neither PNG nor JPEG. Nothing for what could not be read."""
        frame = labelled.frame
        if frame.pixels is None:
            return
        place = PurePosixPath(frame.place)
        if frame.moving:
            place = place / f"{frame.number:06d}.jpg"
        elif place.suffix.lower() not in _KEPT:
            place = place.with_name(place.name + ".png")
        drawn = annotated(frame.pixels, labelled.rows, self._classes)
        cv2 = opencv()
        options = [] if place.suffix.lower() == ".png" else [cv2.IMWRITE_JPEG_QUALITY, 92]
        encoded = cv2.imencode(place.suffix.lower(), np.ascontiguousarray(drawn[..., ::-1]), options)[1]
        self._disk.replace_file(self._folder / place, encoded.tobytes())
