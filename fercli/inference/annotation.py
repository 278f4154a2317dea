"""Labels drawn on pictures: a box around each face and what the model says of it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.datasets.images import as_color, fit_to, opencv
from fercli.inference.labelling import FaceRow

# Okabe & Ito's colours, which people with colour-blindness can tell apart, as RGB; classes take them in turn.
_COLORS = ((213, 94, 0), (0, 158, 115), (204, 121, 167), (240, 228, 66), (86, 180, 233), (0, 114, 178), (230, 159, 0))
_UNSURE = (160, 160, 160)
_INK, _PAPER = (20, 20, 20), (255, 255, 255)
# Pictures smaller than this are enlarged first, so that the text on them can be read.
_SMALLEST = 320


def annotated(pixels: NDArray[np.uint8], rows: Sequence[FaceRow], classes: Sequence[str]) -> NDArray[np.uint8]:
    """A copy (H, W, 3) of (h, w[, 3]) pixels, enlarged by a whole factor where it is small, with the rows on it."""
    factor = max(1, _SMALLEST // max(pixels.shape[:2]))
    size = pixels.shape[0] * factor, pixels.shape[1] * factor
    canvas = np.array(fit_to(as_color(pixels, "rgb"), size, "stretch"))
    unit = max(1.0, min(size) / 400)
    cv2 = opencv()
    labels = []
    for row in rows:
        if row.box is None:
            labels.append(((0, 0, 0, 0), row.status, _UNSURE, unit))
            continue
        color = _COLORS[classes.index(row.predicted) % len(_COLORS)] if row.predicted in classes else _UNSURE
        left, top, width, height = box = tuple(side * factor for side in row.box)
        corners = (left, top), (left + width - 1, top + height - 1)
        thick = max(2, round(1.3 * unit))
        # A dark rim keeps the box visible on light skin and light ground.
        cv2.rectangle(canvas, *corners, _INK, thick + 2)
        cv2.rectangle(canvas, *corners, color, thick)
        labels.append((box, _words(row), color, max(0.9, min(unit, width / 80))))
    for label in labels:  # after all boxes: in a crowd the box of one face would run through the label of another
        _label(canvas, *label)
    return canvas


def _words(row: FaceRow) -> str:
    name = row.status if row.predicted is None else row.predicted
    return name if row.probabilities is None else f"{name} {float(row.probabilities.max()):.2f}"


def _label(canvas: NDArray[np.uint8], box: tuple[int, ...], text: str, color: Any, unit: float) -> None:
    """Text on a filled ground above the box, where there is no room below it, else inside; never beyond the borders."""
    cv2 = opencv()
    # OpenCV's own font knows ASCII only.
    text = text.encode("ascii", "replace").decode()
    scale, weight = 0.42 * unit, max(1, round(0.7 * unit))
    (width, height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, scale, weight)
    margin = max(2, round(3 * unit))
    wide, high = width + 2 * margin, height + below + margin
    left, top, _, tall = box
    x = max(0, min(left, canvas.shape[1] - wide))
    y = top - high if top >= high else top + tall if top + tall + high <= canvas.shape[0] else top
    cv2.rectangle(canvas, (x, y), (x + wide, y + high), color, cv2.FILLED)
    luma = 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]
    at = (x + margin, y + margin // 2 + height)
    ink = _INK if luma > 110 else _PAPER
    cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_DUPLEX, scale, ink, weight, cv2.LINE_AA)
