"""Frames of video files and cameras through OpenCV, one at a time."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.datasets.images import opencv
from fercli.errors import EnvironmentFailure

SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".flv", ".ogv", ".3gp", ".mts", ".m2ts"}
)
# A container's number of frames is often an estimate; below this share of it a file counts as cut off.
_WHOLE = 0.95
NumberedFrames = Iterator[tuple[int, NDArray[np.uint8]]]


class BrokenVideo(ValueError):
    """A video without a frame that can be read."""


class TooLarge(ValueError):
    """A video whose frames have more pixels than are allowed."""


def is_video_name(path: str) -> bool:
    """Whether a file name ends like a video."""
    return os.path.splitext(path)[1].lower() in SUFFIXES


def video_frames(
    path: Path,
    *,
    every: int = 1,
    limit: int | None = None,
    max_pixels: int,
    warn: Callable[[str], None] = lambda text: None,
) -> NumberedFrames:
    """(number, (H, W, 3) RGB) of each `every`-th frame, from frame 0 on, at most `limit` of them.

    Raises BrokenVideo where no frame can be read and TooLarge before the first is decoded; `warn` is told when the
    file ends well before the number of frames that it states.
    """
    with _Capture(str(path)) as capture:
        if not capture.opened:
            raise BrokenVideo("OpenCV cannot open it as a video")
        width, height, stated = capture.size()
        if width * height > max_pixels:
            raise TooLarge(f"frames of {width}x{height} pixels are more than --max-pixels {max_pixels:,}")
        last = -1
        for number, pixels in capture.frames(every, limit):
            last = number
            yield number, pixels
        if last < 0:
            raise BrokenVideo("no frame of the video can be read")
        if capture.ended and capture.grabbed < _WHOLE * stated:
            warn(f"{path}: the video ends after {capture.grabbed:,} of {stated:,} frames")


def camera_frames(number: int, *, every: int = 1, limit: int | None = None) -> NumberedFrames:
    """The same of camera `number`, without end where there is no limit; EnvironmentFailure where there is none."""
    with _Capture(number) as capture:
        frame = -1
        for frame, pixels in capture.frames(every, limit) if capture.opened else ():
            yield frame, pixels
        if frame < 0:
            raise EnvironmentFailure(
                f"camera {number} gives no picture" if capture.opened else f"there is no camera {number}",
                where=f"--webcam {number}",
                next_step="check that it is plugged in, that no other program holds it, and that you may read it",
            )


class _Capture:
    """OpenCV's reader as a context: what it opened is closed, however the loop ends."""

    def __init__(self, source: str | int) -> None:
        self._cv2 = opencv()
        self._capture: Any = self._cv2.VideoCapture(source)
        self.opened = bool(self._capture.isOpened())
        self.ended = False
        self.grabbed = 0

    def __enter__(self) -> "_Capture":
        return self

    def __exit__(self, *exc: object) -> None:
        self._capture.release()

    def size(self) -> tuple[int, int, int]:
        """Width and height of a frame and the stated number of frames, 0 where it is not stated."""
        kinds = (self._cv2.CAP_PROP_FRAME_WIDTH, self._cv2.CAP_PROP_FRAME_HEIGHT, self._cv2.CAP_PROP_FRAME_COUNT)
        width, height, count = (int(max(0.0, self._capture.get(kind))) for kind in kinds)
        return width, height, count

    def frames(self, every: int, limit: int | None) -> NumberedFrames:
        """Frames in order; those in between are grabbed, not decoded."""
        given = 0
        while limit is None or given < limit:
            if not self._capture.grab():
                self.ended = True
                return
            number = self.grabbed
            self.grabbed += 1
            if number % every:
                continue
            read, pixels = self._capture.retrieve()
            if not read:
                self.ended = True
                return
            given += 1
            yield number, _rgb(pixels)


def _rgb(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[..., 2::-1])
