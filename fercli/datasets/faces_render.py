"""Painting a face: soft-edged shapes laid over one another, each a coverage mask from a signed distance."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.datasets.faces_geometry import Brow, Eye, Face
from fercli.datasets.faces_identity import Identity, Tone

Plane = NDArray[np.float32]
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


@dataclass
class Canvas:
    """Pixels (h, w, C) float32 with the face coordinates x, y (h, w) of their centres; `pixel` is a pixel's side."""

    pixels: Plane
    x: Plane
    y: Plane
    pixel: float

    def cover(self, distance: Plane, softness: float = 1.0) -> Plane:
        """Coverage 0..1 of what lies at negative distance, the edge `softness` pixels wide."""
        return np.clip(0.5 - distance * np.float32(1 / (self.pixel * softness)), 0, 1, dtype=np.float32)

    def paint(self, coverage: Plane, tone: Tone) -> None:
        """Lays a tone over the pixels where it covers them."""
        color = np.array(tone, dtype=np.float32)
        if self.pixels.shape[2] == 1:
            color = (color @ _LUMA)[None]
        self.pixels += coverage[..., None] * (color - self.pixels)

    def window(self, left: float, top: float, right: float, bottom: float) -> "Canvas":
        """The part of the canvas that may hold these face coordinates, so that small parts cost little."""
        inside = (self.x >= left) & (self.x <= right) & (self.y >= top) & (self.y <= bottom)
        rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
        if not len(rows):
            return Canvas(self.pixels[:0], self.x[:0], self.y[:0], self.pixel)
        part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        return Canvas(self.pixels[part], self.x[part], self.y[part], self.pixel)


def brightness(tone: Tone) -> float:
    """Luma of a tone after ITU-R BT.601, 0 to 255."""
    return float(np.array(tone, dtype=np.float32) @ _LUMA)


def paint_face(canvas: Canvas, who: Identity, face: Face) -> None:
    """Body, hair, head, ears, then the parts of the face, back to front."""
    skull = _skull(canvas, who, face)
    if who.hair_length > 0.5:
        behind = _ellipse(canvas, -face.turn * 0.4, 0.05, who.head_width + 0.14, who.hair_length * 0.9)
        canvas.paint(canvas.cover(behind), _shade(who.hair, 0.8))
    _body(canvas, who)
    hair = _ellipse(canvas, face.turn * -0.2, -0.16, who.head_width + 0.10, 0.98)
    canvas.paint(canvas.cover(np.maximum(hair, canvas.y - np.float32(0.1 + 0.2 * who.hair_length))), who.hair)
    for side in (-1, 1):
        ear = _ellipse(canvas, side * (who.head_width - 0.01) - face.turn * 0.7, 0.02, 0.09, 0.17)
        canvas.paint(canvas.cover(ear), _shade(who.skin, 0.86))
    _head(canvas, who, face, skull)
    for eye in face.eyes:
        _eye(canvas, who, eye)
    _wrinkles(canvas, who, face)
    _nose(canvas, who, face)
    _mouth(canvas, who, face)
    for brow in face.brows:
        _brow(canvas, who, brow)
    fringe = canvas.y - np.float32(who.hairline) - np.float32(0.16) * (canvas.x / np.float32(who.head_width)) ** 2
    canvas.paint(canvas.cover(np.maximum(skull - np.float32(2 * canvas.pixel), fringe), 1.5), who.hair)
    if who.glasses:
        _glasses(canvas, face)


def _shade(tone: Tone, factor: float) -> Tone:
    return tone[0] * factor, tone[1] * factor, tone[2] * factor


def _ellipse(canvas: Canvas, x: float, y: float, half_width: float, half_height: float) -> Plane:
    radius = np.hypot(
        (canvas.x - np.float32(x)) / np.float32(half_width), (canvas.y - np.float32(y)) / np.float32(half_height)
    )
    return (radius - 1) * np.float32(min(half_width, half_height))


def _stroke(canvas: Canvas, x: Plane, curve: Plane, thickness: Plane | float, span: Plane) -> Plane:
    """Coverage of a line y = curve(x) of half `thickness`, where `span` (1 inside, 0 outside) lets it."""
    return canvas.cover(np.abs(canvas.y - curve) - thickness) * span


def _body(canvas: Canvas, who: Identity) -> None:
    neck = np.maximum(np.abs(canvas.x) - np.float32(0.36), np.float32(0.6) - canvas.y)
    canvas.paint(canvas.cover(neck), _shade(who.skin, 0.72))
    canvas.paint(canvas.cover(_ellipse(canvas, 0, 2.6, 1.55, 1.4)), who.clothes)


def _skull(canvas: Canvas, who: Identity, face: Face) -> Plane:
    """Signed distance of the head: an ellipse whose lower half narrows to the jaw and lengthens with its drop."""
    y = np.where(canvas.y > 0, canvas.y / np.float32(face.chin), canvas.y)
    width = np.float32(who.head_width) * (1 - np.float32(who.jaw) * np.clip(y, 0, 1) ** 2)
    return (np.hypot(canvas.x / width, y) - 1) * np.float32(who.head_width)


def _head(canvas: Canvas, who: Identity, face: Face, skull: Plane) -> None:
    coverage = canvas.cover(skull)
    canvas.paint(coverage, who.skin)
    rim = np.clip(1 + skull / np.float32(0.45), 0, 1) ** 2 * np.float32(0.30)
    canvas.paint(coverage * rim, _shade(who.skin, 0.5))
    for eye in face.eyes:
        socket = _ellipse(canvas, eye.x, eye.y - 0.03, 0.24, 0.15)
        canvas.paint(canvas.cover(socket, 5.0) * coverage * np.float32(0.16), _shade(who.skin, 0.4))
    if who.beard:
        beard = np.maximum(-_ellipse(canvas, face.turn, 0.1, who.head_width * 0.80, 0.62), np.float32(0.15) - canvas.y)
        canvas.paint(canvas.cover(beard, 3.0) * coverage * np.float32(who.beard), who.hair)


def _eye(canvas: Canvas, who: Identity, eye: Eye) -> None:
    part = canvas.window(eye.x - 0.3, eye.y - 0.3, eye.x + 0.3, eye.y + 0.3)
    t = (part.x - np.float32(eye.x)) / np.float32(eye.half_width)
    lens = 1 - t * t
    upper, lower = np.float32(eye.y) - np.float32(eye.upper) * lens, np.float32(eye.y) + np.float32(eye.lower) * lens
    inside = np.maximum(upper - part.y, part.y - lower)
    open_eye = part.cover(inside) * (np.abs(t) < 1)
    part.paint(open_eye, (236, 234, 230))
    radius = 0.078
    iris_y = eye.y + 0.1 * (eye.lower - eye.upper)
    part.paint(open_eye * part.cover(_ellipse(part, eye.x, iris_y, radius, radius)), who.iris)
    part.paint(open_eye * part.cover(_ellipse(part, eye.x, iris_y, 0.036, 0.036)), (8, 8, 8))
    span = np.clip((1.12 - np.abs(t)) * 6, 0, 1).astype(np.float32)
    part.paint(_stroke(part, t, upper, 0.014, span) * np.float32(0.9), (26, 18, 16))
    part.paint(_stroke(part, t, lower, 0.004, span) * np.float32(0.5), _shade(who.skin, 0.35))
    crease = np.float32(eye.y - eye.upper - 0.045) + np.float32(0.05) * t * t
    part.paint(_stroke(part, t, crease, 0.004, span) * np.float32(0.45), _shade(who.skin, 0.4))


def _brow(canvas: Canvas, who: Identity, brow: Brow) -> None:
    (x0, y0), (x1, y1), (x2, y2) = brow.inner, brow.middle, brow.outer
    left, right = min(x0, x2), max(x0, x2)
    part = canvas.window(left - 0.1, min(y0, y1, y2) - 0.12, right + 0.1, max(y0, y1, y2) + 0.12)
    x = part.x
    # The parabola through the three points, in Lagrange's form.
    curve = (
        np.float32(y0 / ((x0 - x1) * (x0 - x2))) * (x - np.float32(x1)) * (x - np.float32(x2))
        + np.float32(y1 / ((x1 - x0) * (x1 - x2))) * (x - np.float32(x0)) * (x - np.float32(x2))
        + np.float32(y2 / ((x2 - x0) * (x2 - x1))) * (x - np.float32(x0)) * (x - np.float32(x1))
    )
    outward = np.clip((x - np.float32(x0)) / np.float32(x2 - x0), 0, 1)
    thickness = np.float32(who.brow_thickness) * (1 - np.float32(0.6) * outward)
    span = part.cover(np.maximum(np.float32(left) - x, x - np.float32(right)), 1.5)
    part.paint(_stroke(part, x, curve, thickness, span) * np.float32(0.9), _shade(who.hair, 0.75))


def _nose(canvas: Canvas, who: Identity, face: Face) -> None:
    x, y = face.nose_tip
    part = canvas.window(x - 0.35, y - 0.5, x + 0.35, y + 0.2)
    dark, light = _shade(who.skin, 0.5), _shade(who.skin, 1.12)
    bridge = np.float32(x) * np.clip(1 + (part.y - np.float32(y)) / np.float32(0.5), 0, 1)
    ridge = np.abs(part.x - bridge) - np.float32(0.03)
    length = part.cover(np.maximum(np.float32(y - 0.38) - part.y, part.y - np.float32(y)), 3.0)
    part.paint(part.cover(ridge, 2.0) * length * np.float32(0.35), light)
    flank = np.abs(np.abs(part.x - bridge) - np.float32(0.075)) - np.float32(0.02)
    part.paint(part.cover(flank, 2.0) * length * np.float32(0.22), dark)
    for side in (-1, 1):
        wing = x + side * face.nose_width * 0.75
        part.paint(
            part.cover(_ellipse(part, wing, y + 0.01 - face.nostril_lift, 0.045, 0.05), 2.0) * np.float32(0.30), dark
        )
        nostril = _ellipse(part, x + side * face.nose_width * 0.5, y + 0.045 - face.nostril_lift, 0.035, 0.018)
        part.paint(part.cover(nostril) * np.float32(0.75), _shade(who.skin, 0.25))


def _mouth(canvas: Canvas, who: Identity, face: Face) -> None:
    mouth = face.mouth
    (left, left_y), (right, right_y) = mouth.left, mouth.right
    middle, half = (left + right) / 2, (right - left) / 2
    part = canvas.window(left - 0.1, min(left_y, right_y) - 0.3, right + 0.1, max(left_y, right_y) + 0.45)
    t = (part.x - np.float32(middle)) / np.float32(half)
    lens = np.clip(1 - t * t, 0, 1)
    line = np.float32((left_y + right_y) / 2) + np.float32((right_y - left_y) / 2) * t + np.float32(mouth.bow) * lens
    inner_top, inner_bottom = (
        line - np.float32(mouth.open_upper) * lens,
        line + np.float32(mouth.open_lower) * np.sqrt(lens),
    )
    bow = np.sqrt(lens) * (1 - np.float32(0.25) * np.exp(-((t / np.float32(0.18)) ** 2)))
    outer_top, outer_bottom = (
        inner_top - np.float32(mouth.upper_lip) * bow,
        inner_bottom + np.float32(mouth.lower_lip) * np.sqrt(lens),
    )
    within = (np.abs(t) < 1).astype(np.float32)
    lips = part.cover(np.maximum(outer_top - part.y, part.y - outer_bottom)) * within
    part.paint(lips, who.lips)
    part.paint(lips * (part.y < line) * np.float32(0.35), _shade(who.lips, 0.6))
    cavity = part.cover(np.maximum(inner_top - part.y, part.y - inner_bottom)) * within
    if mouth.open_upper + mouth.open_lower > 0.01:
        part.paint(cavity, (44, 16, 18))
        gap = inner_bottom - inner_top
        teeth = part.cover(part.y - inner_top - np.minimum(gap * np.float32(0.6), np.float32(0.07)))
        part.paint(cavity * teeth * np.float32(mouth.teeth), (238, 234, 222))
    seam = part.cover(np.abs(part.y - (inner_top if mouth.open_lower > 0.01 else line)) - np.float32(0.007))
    part.paint(
        seam * part.cover(np.abs(part.x - np.float32(middle)) - np.float32(half * 1.06)) * np.float32(0.75),
        _shade(who.lips, 0.35),
    )
    shadow = _ellipse(
        part,
        middle,
        float(max(left_y, right_y)) + mouth.bow + mouth.open_lower + mouth.lower_lip + 0.06,
        half * 0.6,
        0.025,
    )
    part.paint(part.cover(shadow, 2.5) * np.float32(0.22), _shade(who.skin, 0.4))


def _wrinkles(canvas: Canvas, who: Identity, face: Face) -> None:
    dark = _shade(who.skin, 0.38)
    x, y = face.nose_tip
    brow_y = (face.brows[0].inner[1] + face.brows[1].inner[1]) / 2
    if face.furrow > 0.02:
        for side in (-1, 1):
            furrow = np.maximum(
                np.abs(canvas.x - np.float32(0.5 * x + side * 0.045)) - np.float32(0.008),
                np.abs(canvas.y - np.float32(brow_y)) - np.float32(0.09),
            )
            canvas.paint(canvas.cover(furrow) * np.float32(0.6 * face.furrow), dark)
    if face.forehead_lines > 0.02:
        for step in (0.13, 0.21):
            curve = np.float32(brow_y - step) + np.float32(0.15) * (canvas.x - np.float32(0.5 * x)) ** 2
            span = canvas.cover(np.abs(canvas.x - np.float32(0.5 * x)) - np.float32(0.34), 3.0)
            canvas.paint(_stroke(canvas, canvas.x, curve, 0.007, span) * np.float32(0.45 * face.forehead_lines), dark)
    if face.nose_wrinkles > 0.02:
        for step in (0.20, 0.27):
            curve = np.float32(y - step) + np.float32(0.6) * np.abs(canvas.x - np.float32(0.8 * x))
            span = canvas.cover(np.abs(canvas.x - np.float32(0.8 * x)) - np.float32(0.09), 2.0)
            canvas.paint(_stroke(canvas, canvas.x, curve, 0.008, span) * np.float32(0.7 * face.nose_wrinkles), dark)
    (left, left_y), (right, right_y) = face.mouth.left, face.mouth.right
    for side, corner, corner_y in ((-1, left, left_y), (1, right, right_y)):
        if face.nasolabial > 0.02:
            start = x + side * (face.nose_width + 0.03)
            down = np.clip((canvas.y - np.float32(y - 0.03)) / np.float32(max(0.05, corner_y - y + 0.03)), 0, 1)
            fold = np.float32(start) + np.float32(corner + side * 0.07 - start) * np.sqrt(down)
            span = canvas.cover(np.maximum(np.float32(y - 0.03) - canvas.y, canvas.y - np.float32(corner_y)), 1.5)
            canvas.paint(
                canvas.cover(np.abs(canvas.x - fold) - np.float32(0.010)) * span * np.float32(0.6 * face.nasolabial),
                dark,
            )
    if face.cheeks > 0.02:
        for eye in face.eyes:
            cheek = _ellipse(canvas, eye.x * 1.1, eye.y + 0.24, 0.17, 0.10)
            canvas.paint(canvas.cover(cheek, 3.0) * np.float32(0.35 * face.cheeks), _shade(who.skin, 1.15))
            bag = np.float32(eye.y + 0.10) + np.float32(0.8) * (canvas.x - np.float32(eye.x)) ** 2 * -1
            span = canvas.cover(np.abs(canvas.x - np.float32(eye.x)) - np.float32(0.14), 2.0)
            canvas.paint(_stroke(canvas, canvas.x, bag, 0.007, span) * np.float32(0.5 * face.cheeks), dark)


def _glasses(canvas: Canvas, face: Face) -> None:
    for eye in face.eyes:
        rim = np.abs(_ellipse(canvas, eye.x, eye.y + 0.02, 0.23, 0.18)) - np.float32(0.014)
        canvas.paint(canvas.cover(rim), (30, 28, 30))
    inner_left, inner_right = face.eyes[0].x + 0.23, face.eyes[1].x - 0.23
    bridge = np.maximum(
        np.abs(canvas.y - np.float32(face.eyes[0].y)) - np.float32(0.012),
        np.maximum(np.float32(inner_left) - canvas.x, canvas.x - np.float32(inner_right)),
    )
    canvas.paint(canvas.cover(bridge), (30, 28, 30))
