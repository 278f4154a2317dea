"""The largest frontal face of a picture, found by Viola & Jones' cascade (2001), as SFEW's baseline did."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.datasets.images import opencv, to_gray
from fercli.errors import EnvironmentFailure

Box = tuple[int, int, int, int]
_CASCADE = "haarcascade_frontalface_default.xml"


@lru_cache(maxsize=1)
def _cascade() -> Any:
    cv2 = opencv()
    path = Path(cv2.data.haarcascades) / _CASCADE
    detector = cv2.CascadeClassifier(str(path))
    if detector.empty():
        raise EnvironmentFailure(
            "OpenCV's face cascade is missing", where=str(path), next_step="install opencv-python (>=4.10,<5)"
        )
    return detector


def largest_face(pixels: NDArray[np.uint8]) -> Box | None:
    """(left, top, width, height) of the largest face of (H, W[, 3]) pixels, the topmost of equals; None if none."""
    gray = to_gray(pixels) if pixels.ndim == 3 else pixels
    smallest = max(20, min(gray.shape) // 12)
    found = _cascade().detectMultiScale(gray, scaleFactor=1.1, minNeighbors=4, minSize=(smallest, smallest))
    boxes = [(int(left), int(top), int(width), int(height)) for left, top, width, height in found]
    return min(boxes, key=lambda box: (-box[2] * box[3], box[1], box[0]), default=None)


def cropped(pixels: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """The pixels inside a box, which is clipped to the picture."""
    left, top, width, height = box
    rows, columns = pixels.shape[:2]
    return pixels[max(0, top) : min(rows, top + height), max(0, left) : min(columns, left + width)]
