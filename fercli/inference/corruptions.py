"""Pictures made worse by known amounts: noise, blur, JPEG, occlusion, resolution, brightness, rotation.

A corrupted picture is a function of (seed, kind, level, the row's id, the picture) alone: any subset of rows, in any
order and any number at a time, gives the same pictures. The kinds follow Hendrycks and Dietterich (2019), with
strengths of our own (`config/robustness.py`), which scale with the picture where theirs count pixels.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fercli.config.robustness import GRADES, Kind
from fercli.datasets.images import opencv
from fercli.seeds import generator

Picture = NDArray[np.uint8]
GRAY = 128


def corrupted(
    pictures: NDArray[np.uint8], ids: Sequence[str], kind: Kind, level: int, *, seed: int
) -> NDArray[np.uint8]:
    """(n, H, W[, 3]) uint8 pictures as `kind` at `level` leaves them; level 0 leaves them as they are.

    ids: (n,) names of the rows, from which their randomness is drawn.
    """
    if level == 0:
        return pictures
    strength = GRADES[kind].strengths[level - 1]
    corrupt = CORRUPTIONS[kind]
    out = np.empty_like(pictures)
    for place, (picture, name) in enumerate(zip(pictures, ids, strict=True)):
        out[place] = corrupt(np.ascontiguousarray(picture), strength, generator(seed, "robustness", kind, level, name))
    return out


def noise(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    """Gaussian noise of standard deviation `strength`, independent in every pixel and channel, rounded and cut off."""
    return _to_pixels(picture + random.normal(0.0, strength, picture.shape))


def blur(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    """A Gaussian whose standard deviation is `strength` percent of the shorter side; nothing is drawn."""
    cv2 = opencv()
    sigma = strength / 100 * min(picture.shape[:2])
    blurred = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    return _to_pixels(blurred)


def jpeg(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    """Written as JPEG of quality `strength` and read again; nothing is drawn."""
    cv2 = opencv()
    stored = picture if picture.ndim == 2 else picture[..., ::-1]  # OpenCV keeps blue first
    _, data = cv2.imencode(".jpg", stored, (cv2.IMWRITE_JPEG_QUALITY, int(strength)))
    read = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    return np.asarray(read if picture.ndim == 2 else read[..., ::-1], dtype=np.uint8)


def occlusion(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    """A gray box with the picture's proportions over `strength` percent of its area, wholly inside, its place drawn."""
    height, width = picture.shape[:2]
    share = float(np.sqrt(strength / 100))
    tall, wide = max(1, round(height * share)), max(1, round(width * share))
    top, left = (int(random.integers(0, side - own + 1)) for side, own in ((height, tall), (width, wide)))
    covered = picture.copy()
    covered[top : top + tall, left : left + wide] = GRAY
    return covered


def resolution(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    """Down to `strength` percent of each side by area means, and up again bilinearly; nothing is drawn."""
    cv2 = opencv()
    height, width = picture.shape[:2]
    small = tuple(max(1, round(side * strength / 100)) for side in (width, height))
    down = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(down, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def brightness(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    """`strength` added to or, as often, taken from every pixel value, and cut off at 0 and 255."""
    return _to_pixels(picture + _sign(random) * strength)


def rotation(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    """Turned by `strength` degrees to a drawn side about the middle, bilinearly; the rim is repeated outwards.

    Black corners would be a second corruption, which a model may answer to instead.
    """
    cv2 = opencv()
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), _sign(random) * strength, 1.0)
    turned = cv2.warpAffine(picture, turn, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, dtype=np.uint8)


def _sign(random: np.random.Generator) -> float:
    return 1.0 if random.random() < 0.5 else -1.0


def _to_pixels(values: NDArray[np.floating]) -> Picture:
    return np.rint(np.clip(values, 0, 255)).astype(np.uint8)


CORRUPTIONS: Mapping[Kind, Callable[[Picture, float, np.random.Generator], Picture]] = {
    "noise": noise,
    "blur": blur,
    "jpeg": jpeg,
    "occlusion": occlusion,
    "resolution": resolution,
    "brightness": brightness,
    "rotation": rotation,
}
