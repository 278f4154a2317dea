"""From a stream of pictures to labelled faces: found, cut, brought to the model's input, scored in batches."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.config.faces import FacesConfig
from fercli.config.predict import PredictConfig
from fercli.datasets.face_crops import face_crop
from fercli.datasets.face_detection import Box, Face, FaceDetector, chosen
from fercli.datasets.images import Color, Fit, as_color, fit_to
from fercli.inference.streams import Frame
from fercli.records import Scorer

LABELLED, ABSTAINED, NO_FACE, UNREADABLE, TOO_LARGE = "ok", "abstained", "no-face", "unreadable", "too-large"
STATUSES = (LABELLED, ABSTAINED, NO_FACE, UNREADABLE, TOO_LARGE)
# Whole pictures that wait for the labels to be drawn on them; more than these bytes are scored at once.
_WAITING_BYTES = 256 * 2**20


@dataclass(frozen=True)
class ModelInput:
    """What a model takes, of pictures. size: (height, width). color, fit: as `import-dataset` stored its pictures.

    columns: makes raw features (n, D) of pictures (n, H, W[, 3]); None for a model on pixels.
    """

    size: tuple[int, int]
    color: Color
    fit: Fit = "pad"
    columns: Callable[[NDArray[np.uint8]], NDArray[np.float32]] | None = None

    def plane(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """One picture (H, W[, 3]) in the model's size and colour."""
        return fit_to(as_color(pixels, self.color), self.size, self.fit)

    def batch(self, planes: list[NDArray[np.uint8]]) -> NDArray[Any]:
        """What the scorer takes, of planes."""
        stacked = np.stack(planes)
        return stacked if self.columns is None else self.columns(stacked)


@dataclass(frozen=True)
class FaceRow:
    """One row of the result. face: from 1, the largest first; 0 where there is none. box: in pixels of the picture.

    predicted: a class, None where there is no face, nothing was read or the model abstains. probabilities: (C,)
    float32.
    """

    source: str
    frame: int
    face: int
    box: Box | None
    status: str
    predicted: str | None = None
    probabilities: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class LabelledFrame:
    """A picture with its rows; its pixels are kept only where they were asked for."""

    frame: Frame
    rows: tuple[FaceRow, ...]


@dataclass
class _Waiting:
    """Frames whose faces are not scored yet, in order, each with its number of faces."""

    frames: list[tuple[Frame, list[Face]]] = field(default_factory=list)
    planes: list[NDArray[np.uint8]] = field(default_factory=list)
    held: int = 0


def labelled_frames(
    frames: Iterable[Frame],
    detector: FaceDetector | None,
    scorer: Scorer,
    shape: ModelInput,
    config: PredictConfig,
    *,
    keep_pixels: bool = False,
    at_once: bool = False,
) -> Iterator[LabelledFrame]:
    """Every frame with one row per face, in order; memory does not grow with their number.

    detector: None takes the whole picture as the face. keep_pixels: the frames come back with their pixels.
    at_once: score every frame by itself, for a camera. A face scores the same alone or in a batch to 1e-5.
    """
    waiting = _Waiting()
    for frame in frames:
        faces: list[Face] = []
        if frame.pixels is not None:
            faces = _faces_of(frame.pixels, detector, config)
            waiting.planes += [shape.plane(_cut(frame.pixels, face, detector, config)) for face in faces]
        kept = frame if keep_pixels else replace(frame, pixels=None)
        waiting.frames.append((kept, faces))
        waiting.held += kept.pixels.nbytes if kept.pixels is not None else 0
        many = max(len(waiting.planes), len(waiting.frames)) >= config.batch_size
        if at_once or many or waiting.held > _WAITING_BYTES:
            yield from _scored(waiting, scorer, shape, config)
            waiting = _Waiting()
    yield from _scored(waiting, scorer, shape, config)


def _faces_of(pixels: NDArray[np.uint8], detector: FaceDetector | None, config: PredictConfig) -> list[Face]:
    if detector is None:
        return [Face((0, 0, pixels.shape[1], pixels.shape[0]))]
    return chosen(detector.faces(pixels), config.which, pixels.shape)


def _cut(
    pixels: NDArray[np.uint8], face: Face, detector: FaceDetector | None, config: FacesConfig
) -> NDArray[np.uint8]:
    if detector is None:
        return pixels
    return face_crop(pixels, face, margin=config.margin, align=config.align).pixels


def _scored(waiting: _Waiting, scorer: Scorer, shape: ModelInput, config: PredictConfig) -> Iterator[LabelledFrame]:
    scores: list[NDArray[np.float32]] = []
    for start in range(0, len(waiting.planes), config.batch_size):
        scores += list(scorer.scores(shape.batch(waiting.planes[start : start + config.batch_size])))
    place = iter(scores)
    for frame, faces in waiting.frames:
        if faces:
            rows = [
                _row(frame, number, face.box, next(place), scorer.classes, config.min_confidence)
                for number, face in enumerate(faces, start=1)
            ]
        else:
            status = TOO_LARGE if frame.too_large else UNREADABLE if frame.problem else NO_FACE
            rows = [FaceRow(frame.source, frame.number, 0, None, status)]
        yield LabelledFrame(frame, tuple(rows))


def _row(
    frame: Frame, number: int, box: Box, scores: NDArray[np.float32], classes: tuple[str, ...], least: float
) -> FaceRow:
    sure = float(scores.max()) >= least
    status, predicted = (LABELLED, classes[int(np.argmax(scores))]) if sure else (ABSTAINED, None)
    return FaceRow(frame.source, frame.number, number, box, status, predicted, scores)
