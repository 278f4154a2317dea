"""Faces of a picture: what a detector finds, and which of several is taken."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fercli.config.faces import FacesConfig

Box = tuple[int, int, int, int]
Point = tuple[float, float]


@dataclass(frozen=True)
class Face:
    """One face. box: (left, top, width, height) in pixels, inside the picture.

    eyes: (x, y) of the eye that lies left in the picture and of the right one; None where they were not found.
    """

    box: Box
    eyes: tuple[Point, Point] | None = None


class FaceDetector(Protocol):
    """What finds faces."""

    def faces(self, pixels: NDArray[np.uint8]) -> list[Face]:
        """Every face of (H, W[, 3]) pixels, the largest first, of equals the topmost, then the leftmost."""


def detector_of(config: FacesConfig) -> FaceDetector:
    """The detector of a config. Raises InputError for a network that cannot be read, EnvironmentFailure where OpenCV
    lacks its cascades."""
    if config.detector == "yunet":
        from fercli.datasets.face_yunet import YuNet

        return YuNet(str(config.detector_model), smallest=config.min_face)
    from fercli.datasets.face_cascades import ViolaJones

    return ViolaJones(smallest=config.min_face, eyes=config.align)


def chosen(faces: Sequence[Face], which: str, shape: tuple[int, ...]) -> list[Face]:
    """`all` faces, the `largest`, or the one nearest to the centre of a picture of `shape` (`central`)."""
    if which == "all" or len(faces) < 2:
        return list(faces)
    if which == "largest":
        return [ordered(faces)[0]]
    middle = (shape[1] / 2, shape[0] / 2)

    def distance(face: Face) -> float:
        left, top, width, height = face.box
        return (left + width / 2 - middle[0]) ** 2 + (top + height / 2 - middle[1]) ** 2

    return [min(ordered(faces), key=distance)]


def ordered(faces: Sequence[Face]) -> list[Face]:
    """The largest first, of equals the topmost, then the leftmost."""
    return sorted(faces, key=lambda face: (-face.box[2] * face.box[3], face.box[1], face.box[0]))


def clipped(left: float, top: float, right: float, bottom: float, shape: tuple[int, ...]) -> Box:
    """The box of these edges in whole pixels, cut at the borders of a picture of `shape`."""
    x0, y0 = max(0, round(left)), max(0, round(top))
    x1, y1 = min(shape[1], round(right)), min(shape[0], round(bottom))
    return x0, y0, max(0, x1 - x0), max(0, y1 - y0)


def smallest_side(shape: tuple[int, ...], wanted: int | None) -> int:
    """Pixels of the smallest face that is looked for in a picture of `shape`, where none is wanted a twentieth of its
    shorter side: a face that is smaller is rarely what the picture is of, and the search stays fast."""
    return wanted if wanted is not None else max(24, min(shape[0], shape[1]) // 20)
