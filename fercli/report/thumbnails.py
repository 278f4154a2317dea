"""Pictures of a data set as small PNGs inside a page."""

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 112  # pixels, at most


def thumbnail(picture: NDArray[np.uint8], side: int = SIDE) -> bytes:
    """PNG of a picture (H, W) or (H, W, 3) RGB uint8, made smaller by area where a side exceeds `side`."""
    scale = side / max(picture.shape[:2])
    if scale < 1:
        height, width = (max(1, round(scale * length)) for length in picture.shape[:2])
        picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)
    ordered = picture if picture.ndim == 2 else picture[:, :, ::-1]
    _, encoded = cv2.imencode(".png", np.ascontiguousarray(ordered))
    return encoded.tobytes()
