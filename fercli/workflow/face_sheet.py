"""A contact sheet of the faces that an import cut out, and of the pictures in which it found none."""

import numpy as np
from numpy.typing import NDArray

from fercli.datasets.face_crops import Faceless
from fercli.records import Samples
from fercli.report.figures.contact_sheet import ACROSS, Strip, contact_sheet
from fercli.report.figures.style import png_bytes


def face_sheet(images: NDArray[np.uint8], samples: Samples, faceless: Faceless, title: str) -> bytes:
    """PNG: for each class, faces from all over its rows with the size of their boxes; then those without a face.

    images: (N, H, W[, 3]), the rows of `samples`, whose column `face` holds the boxes.
    """
    boxes = samples.extra.get("face", np.full(len(samples), "", dtype=np.str_))
    strips = []
    for label in (*samples.classes, *([""] if (samples.labels == "").any() else [])):
        rows = np.flatnonzero((samples.labels == label) & (boxes != ""))
        if not len(rows):
            continue
        shown = rows[np.unique(np.linspace(0, len(rows) - 1, min(ACROSS, len(rows))).astype(np.int64))]
        captions = [(_size(samples, row), str(samples.ids[row])[-28:]) for row in shown.tolist()]
        title_of = _counted(label or "no label", len(rows), "faces", len(shown))
        # Copies: a drawing lives on until it is collected, and the map behind the rows with it.
        strips.append(Strip(title_of, [np.array(images[row]) for row in shown], captions))
    if faceless.count:
        pictures = [picture for picture, _, _ in faceless.shown]
        captions = [(label or "no label", source[-28:]) for _, label, source in faceless.shown]
        title_of = _counted("no face found", faceless.count, "pictures", len(pictures))
        strips.append(Strip(title_of, pictures, captions, alarming=True))
    return png_bytes(contact_sheet(title, strips))


def _counted(what: str, count: int, of: str, shown: int) -> str:
    return f"{what}: {count:,} {of}" + (f", {shown} of them here" if shown < count else "")


def _size(samples: Samples, row: int) -> str:
    width, height = str(samples.extra["face"][row]).split(",")[2:]
    angle = float(samples.extra["face_angle"][row] or 0)
    return f"{width} × {height} px" + (f", {abs(angle):.0f}°" if angle else "")
