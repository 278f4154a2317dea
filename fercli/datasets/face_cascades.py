"""Faces and eyes by Viola & Jones' cascades (2001) that OpenCV ships, as SFEW's baseline found them.

Of the shipped cascades `frontalface_alt2` is taken: on the pictures that scikit-image ships it finds 98 of 100 faces
of Labelled Faces in the Wild and nothing on coins, where `frontalface_default` finds 97 and six portraits in relief.
"""

from functools import lru_cache
from math import atan2, degrees, hypot
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.datasets.face_detection import Box, Face, Point, clipped, ordered, smallest_side
from fercli.datasets.images import as_color, opencv
from fercli.errors import EnvironmentFailure

_FACES = "haarcascade_frontalface_alt2.xml"
_EYES = "haarcascade_eye.xml"
# Pictures are shrunk until their smallest face has this side: the cascade's own window has 20 pixels.
_SEARCHED = 30
# Eyes are looked for in faces of this width, and taken where they lie about where eyes lie.
_EYE_SEARCH = 120
_EXPECTED = ((0.31, 0.38), (0.69, 0.38))
_FARTHEST = 0.14
_STEEPEST = 25.0


class ViolaJones:
    """smallest: side of the smallest face in pixels, None as `smallest_side` has it. eyes: look for them too."""

    def __init__(self, *, smallest: int | None = None, eyes: bool = True) -> None:
        self._smallest = smallest
        self._eyes = eyes
        _cascade(_FACES)

    def faces(self, pixels: NDArray[np.uint8]) -> list[Face]:
        """See `FaceDetector.faces`; boxes are square but where the picture ends."""
        gray = as_color(pixels, "gray")
        side = smallest_side(gray.shape, self._smallest)
        scale = min(1.0, _SEARCHED / side)
        small = _scaled(gray, scale)
        least = max(20, round(side * scale))
        if min(small.shape) < least:
            return []
        found = _cascade(_FACES).detectMultiScale(small, scaleFactor=1.1, minNeighbors=4, minSize=(least, least))
        across, down = gray.shape[1] / small.shape[1], gray.shape[0] / small.shape[0]
        boxes = [
            clipped(x * across, y * down, (x + width) * across, (y + height) * down, gray.shape)
            for x, y, width, height in np.asarray(found, dtype=np.float64).reshape(-1, 4).tolist()
        ]
        return ordered([Face(box, eyes_in(gray, box) if self._eyes else None) for box in boxes])


def eyes_in(gray: NDArray[np.uint8], box: Box) -> tuple[Point, Point] | None:
    """Centres of the two eyes of the face in `box` of (H, W) gray pixels, in its pixels; None where not both are found.

    Taken is the pair nearest to where upright eyes lie, none that lies farther off or steeper than eyes do.
    """
    left, top, width, height = box
    face = gray[top : top + height * 3 // 5, left : left + width]
    if min(face.shape) < 10:
        return None
    scale = _EYE_SEARCH / width
    found = _cascade(_EYES).detectMultiScale(
        _scaled(face, scale), scaleFactor=1.1, minNeighbors=4, minSize=(18, 18), maxSize=(54, 54)
    )
    centres = [
        ((x + side / 2) / scale, (y + side / 2) / scale)
        for x, y, side, _ in np.asarray(found, dtype=np.float64).reshape(-1, 4).tolist()
    ]
    places = [(x * width, y * height) for x, y in _EXPECTED]
    nearest = [
        min(((hypot(x - px, y - py), (x, y)) for x, y in centres), default=(float("inf"), (0.0, 0.0)))
        for px, py in places
    ]
    if max(distance for distance, _ in nearest) > _FARTHEST * width:
        return None
    (first, second) = (centre for _, centre in nearest)
    if abs(degrees(atan2(second[1] - first[1], second[0] - first[0]))) > _STEEPEST:
        return None
    return (first[0] + left, first[1] + top), (second[0] + left, second[1] + top)


def _scaled(gray: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    if scale == 1.0:
        return gray
    cv2 = opencv()
    size = max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale))
    resized: NDArray[np.uint8] = cv2.resize(gray, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return resized


@lru_cache(maxsize=2)
def _cascade(name: str) -> Any:
    cv2 = opencv()
    path = Path(cv2.data.haarcascades) / name
    detector = cv2.CascadeClassifier(str(path)) if path.is_file() else None
    if detector is None or detector.empty():
        raise EnvironmentFailure(
            "OpenCV's face cascade is missing", where=str(path), next_step="install opencv-python (>=4.13,<5)"
        )
    return detector
