"""A face cut out of its picture: a square around its box, turned until the eyes are level."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from math import atan2, ceil, degrees, hypot

import numpy as np
from numpy.typing import NDArray

from fercli.config.import_dataset import ImportDatasetConfig
from fercli.datasets.face_detection import Face, chosen, detector_of
from fercli.datasets.images import fit_to, opencv
from fercli.errors import InputError
from fercli.records import LeftOut, Picture

NO_FACE = "no-face"
# A turn by less changes less than the interpolation that it costs.
_LEVEL = 1.0
_SHOWN, _THUMBNAIL = 8, (96, 96)


@dataclass
class Faceless:
    """Pictures without a face: how many, and the first of them as (thumbnail, label, source)."""

    count: int = 0
    shown: list[tuple[NDArray[np.uint8], str, str]] = field(default_factory=list)

    def add(self, item: Picture) -> None:
        """One more."""
        self.count += 1
        if len(self.shown) < _SHOWN:
            self.shown.append((fit_to(item.pixels, _THUMBNAIL), item.label, item.source))


@dataclass(frozen=True)
class FaceCrop:
    """pixels: (S, S[, 3]) uint8, in the picture's resolution. angle: degrees by which the face was turned back."""

    pixels: NDArray[np.uint8]
    angle: float


def face_crop(pixels: NDArray[np.uint8], face: Face, *, margin: float, align: bool) -> FaceCrop:
    """The square of side max(width, height) x (1 + 2 margin) around the middle of the face's box.

    With `align` and known eyes it is turned about that middle, so that they lie on a horizontal. Where the square
    reaches over the border, the border's pixels are repeated: the face keeps its place and its proportions.
    """
    left, top, width, height = face.box
    side = max(1, round(max(width, height) * (1 + 2 * margin)))
    angle = tilt(face) if align else 0.0
    x, y = left + width / 2, top + height / 2
    if angle == 0.0:
        return FaceCrop(_window(pixels, round(x - side / 2), round(y - side / 2), side), angle)
    cv2 = opencv()
    # Only the circle around the square is turned, in whole pixels: OpenCV refuses to warp more than 32,767 of them.
    around = ceil(side / 2 * hypot(1, 1)) + 1
    corner = round(x) - around, round(y) - around
    region = _window(pixels, *corner, 2 * around)
    turn = cv2.getRotationMatrix2D((x - corner[0] - 0.5, y - corner[1] - 0.5), angle, 1.0)
    turn[:, 2] += (side - 1) / 2 - np.array([x - corner[0] - 0.5, y - corner[1] - 0.5])
    turned = cv2.warpAffine(region, turn, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return FaceCrop(turned, angle)


def tilt(face: Face) -> float:
    """Degrees by which the line through the eyes falls to the right; 0 below one degree, or without eyes."""
    if face.eyes is None:
        return 0.0
    (x0, y0), (x1, y1) = face.eyes
    angle = degrees(atan2(y1 - y0, x1 - x0))
    return angle if abs(angle) >= _LEVEL else 0.0


def _window(pixels: NDArray[np.uint8], left: int, top: int, side: int) -> NDArray[np.uint8]:
    """The square (side, side[, 3]) at a corner that may lie outside, the border's pixels repeated."""
    rows, columns = pixels.shape[:2]
    down = np.clip(np.arange(top, top + side), 0, rows - 1)
    across = np.clip(np.arange(left, left + side), 0, columns - 1)
    return np.ascontiguousarray(pixels[down[:, None], across[None, :]])


def cropped_pictures(
    pictures: Iterable[Picture | LeftOut], config: ImportDatasetConfig, faceless: Faceless
) -> Iterator[Picture | LeftOut]:
    """The pictures cut to the face that `config.which` means, whose box becomes the column `face`.

    `face` is left,top,width,height in pixels of the source picture, `face_angle` the degrees it was turned. A
    picture without a face is noted in `faceless` and left out with the reason no-face, or kept whole, without box, or
    an InputError, as `config.no_face` has it.
    """
    detector = detector_of(config)
    for item in pictures:
        if isinstance(item, LeftOut):
            yield item
            continue
        faces = chosen(detector.faces(item.pixels), config.which, item.pixels.shape)
        if not faces:
            faceless.add(item)
            if config.no_face == "fail":
                raise InputError(
                    "no face found",
                    where=item.source,
                    next_step="leave such pictures out with --no-face skip, or keep them whole with --no-face keep",
                )
            kept = {**item.extra, "face": "", "face_angle": ""}
            yield replace(item, extra=kept) if config.no_face == "keep" else LeftOut(item.source, NO_FACE)
            continue
        crop = face_crop(item.pixels, faces[0], margin=config.margin, align=config.align)
        extra = {**item.extra, "face": ",".join(map(str, faces[0].box)), "face_angle": f"{crop.angle:.1f}"}
        yield replace(item, pixels=crop.pixels, extra=extra)
