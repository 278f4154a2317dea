"""The only place where image files become pixels."""

import os
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fercli.datasets.decoder_talk import caught
from fercli.datasets.image_headers import BrokenImage, read_header
from fercli.errors import EnvironmentFailure, InputError

Color = Literal["auto", "gray", "rgb"]
Fit = Literal["pad", "crop", "stretch"]
MAX_PIXELS = 64_000_000
_SLAB = 2**20


@lru_cache(maxsize=1)
def opencv() -> Any:
    """The cv2 module, quiet; EnvironmentFailure names the package that is missing (exit code 5)."""
    # Why: a file can state one size and hold a picture of another; the decoder itself must know the limit.
    os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_PIXELS))
    try:
        import cv2
    except ImportError as error:
        text = str(error)
        library = next(
            (name for name in ("libGL.so.1", "libgthread-2.0.so.0", "libglib-2.0.so.0") if name in text), None
        )
        package = {"libGL.so.1": "libgl1"}.get(library or "", "libglib2.0-0")
        raise EnvironmentFailure(
            f"OpenCV cannot be loaded: {text}",
            where=library or "package opencv-python",
            next_step=f"install the system package {package} (apt-get install {package}), or use opencv-python-headless"
            if library
            else "install the package opencv-python (>=4.13,<5)",
        ) from error
    # Why: a broken file is reported once, by our own error, not by lines that OpenCV and its FFmpeg write past it.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    if hasattr(cv2, "setLogLevel"):
        cv2.setLogLevel(0)  # silent; an opencv-python-headless that stands in is held to no version, and had it here
    else:
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2


def decode(data: bytes, *, source: str, color: Color = "auto", max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Pixels of one image file: (H, W) gray or (H, W, 3) RGB, uint8.

    `auto` follows the file: gray where it stores one channel, else RGB (alpha dropped, 16 bit shifted to 8, EXIF
    orientation applied). The size is read from the header first; more than `max_pixels` is refused undecoded.
    Raises InputError naming `source` for broken, truncated or oversized files.
    """
    remedy = "replace the file or leave it out"
    try:
        header = read_header(data)
    except BrokenImage as error:
        raise InputError(str(error), where=source, next_step=remedy) from None
    if header.width < 1 or header.height < 1:
        raise InputError(
            f"{header.format} file of {header.width}x{header.height} pixels", where=source, next_step=remedy
        )
    if header.width * header.height > max_pixels:
        raise InputError(
            f"{header.width}x{header.height} pixels are more than the limit of {max_pixels:,} pixels",
            where=source,
            next_step="shrink the picture",
        )
    cv2 = opencv()
    flags = cv2.IMREAD_ANYCOLOR if color != "rgb" else cv2.IMREAD_COLOR
    try:
        with caught() as talk:
            stored = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        reason = " ".join(str(error).split())
        raise InputError(f"broken {header.format} file: {reason}", where=source, next_step=remedy) from None
    if stored is None:
        raise InputError(f"the {header.format} file cannot be decoded", where=source, next_step=remedy)
    if talk.lost:
        raise InputError(f"the {header.format} file is damaged: {talk.lost}", where=source, next_step=remedy)
    if stored.ndim == 3:
        stored = np.ascontiguousarray(stored[..., 2::-1])
    return as_color(stored, color)


def to_gray(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Luma of (..., 3) RGB after ITU-R BT.601: floor(0.299 R + 0.587 G + 0.114 B + 0.5), uint8, in exact integers."""
    flat = pixels.reshape(-1, 3)
    gray = np.empty(len(flat), dtype=np.uint8)
    weights = np.array([299, 587, 114], dtype=np.uint32)
    # In slabs: the integers of 64 megapixels at once would take a gigabyte.
    for start in range(0, len(flat), _SLAB):
        weighted = flat[start : start + _SLAB].astype(np.uint32) @ weights
        gray[start : start + _SLAB] = (weighted + 500) // 1000
    return gray.reshape(pixels.shape[:-1])


def as_color(pixels: NDArray[np.uint8], color: Color) -> NDArray[np.uint8]:
    """A plane (H, W[, 3]) as gray (H, W) or as RGB (H, W, 3, gray repeated); `auto` leaves it as it is."""
    if color == "gray" and pixels.ndim == 3:
        return to_gray(pixels)
    if color == "rgb" and pixels.ndim == 2:
        return np.repeat(pixels[..., None], 3, axis=2)
    return pixels


def fit_to(pixels: NDArray[np.uint8], size: tuple[int, int], fit: Fit = "pad") -> NDArray[np.uint8]:
    """A picture (H, W[, 3]) brought to `size` = (height, width).

    `stretch` scales both sides; `pad` scales until the picture fits inside and fills the rest with black; `crop`
    scales until it covers and cuts the middle. Area interpolation where it shrinks, bilinear where it grows.
    """
    height, width = size
    rows, columns = pixels.shape[:2]
    if (rows, columns) == size:
        return pixels
    if fit == "stretch":
        return _resize(pixels, height, width)
    scale = (min if fit == "pad" else max)(height / rows, width / columns)
    inner = _resize(pixels, max(1, round(rows * scale)), max(1, round(columns * scale)))
    if fit == "crop":
        top, left = (inner.shape[0] - height) // 2, (inner.shape[1] - width) // 2
        return np.ascontiguousarray(inner[top : top + height, left : left + width])
    canvas = np.zeros((height, width, *pixels.shape[2:]), dtype=np.uint8)
    top, left = (height - inner.shape[0]) // 2, (width - inner.shape[1]) // 2
    canvas[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return canvas


def _resize(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    cv2 = opencv()
    shrinks = height * width < pixels.shape[0] * pixels.shape[1]
    resized: NDArray[np.uint8] = cv2.resize(
        pixels, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    )
    return resized
