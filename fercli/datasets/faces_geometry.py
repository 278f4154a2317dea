"""Where the parts of a face lie: identity, action units and pose turned into the curves that the renderer paints.

Coordinates are the face's own: origin between the eyes and the mouth, x to the picture's right, y down, the half
height of the head is 1. How far an action unit moves a part is our own estimate from FACS pictures.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import cos, sin, sqrt

from fercli.datasets.faces_identity import Identity


@dataclass(frozen=True)
class Pose:
    """Head rotation in radians; yaw and pitch turn the head out of the plane, roll in it."""

    yaw: float
    pitch: float
    roll: float


@dataclass(frozen=True)
class Brow:
    """A brow through inner, middle and outer point."""

    inner: tuple[float, float]
    middle: tuple[float, float]
    outer: tuple[float, float]


@dataclass(frozen=True)
class Eye:
    """An eye: centre, half width, heights of the upper and lower lid above and below the centre."""

    x: float
    y: float
    half_width: float
    upper: float
    lower: float


@dataclass(frozen=True)
class Mouth:
    """A mouth between two corners; `bow` is how far its middle lies below their line, openings are half heights."""

    left: tuple[float, float]
    right: tuple[float, float]
    bow: float
    open_upper: float
    open_lower: float
    upper_lip: float
    lower_lip: float
    teeth: float


@dataclass(frozen=True)
class Face:
    """Everything the renderer needs about shape; wrinkles are darkness from 0 to 1."""

    brows: tuple[Brow, Brow]
    eyes: tuple[Eye, Eye]
    mouth: Mouth
    nose_tip: tuple[float, float]
    nose_width: float
    nostril_lift: float
    chin: float
    turn: float
    furrow: float
    forehead_lines: float
    nose_wrinkles: float
    nasolabial: float
    cheeks: float


def shape(who: Identity, units: Mapping[int, float], pose: Pose, skew: float) -> Face:
    """The face of `who` under action units (0 to 1 by number); `skew` in -1..1 makes one side act more."""
    au = {number: units.get(number, 0.0) for number in (1, 2, 4, 5, 6, 7, 9, 10, 12, 15, 16, 17, 20, 23, 25, 26)}

    def at(x: float, y: float) -> tuple[float, float]:
        """A point on the head after yaw and pitch, the head taken as an ellipsoid seen from far."""
        depth = 0.75 * sqrt(max(0.05, 1 - (x / 0.9) ** 2 - 0.5 * y * y))
        return x * cos(pose.yaw) + depth * sin(pose.yaw), y * cos(pose.pitch) + depth * sin(pose.pitch)

    def brow(side: int) -> Brow:
        gain = 1 + 0.35 * skew * side
        base = who.eye_height - who.brow_height - 0.02 * who.crookedness * side
        lowered = 0.10 * au[4] + 0.06 * au[9]
        inner = (side * (who.eye_distance - 0.16 - 0.06 * au[4]), base + 0.01 + gain * (lowered - 0.15 * au[1]))
        middle = (side * (who.eye_distance + 0.02), base - 0.035 + gain * (0.7 * lowered - 0.07 * au[1] - 0.10 * au[2]))
        outer = (
            side * (who.eye_distance + 0.20),
            base + 0.02 + who.brow_slope + gain * (0.02 * au[4] + 0.02 * au[1] - 0.13 * au[2]),
        )
        return Brow(at(*inner), at(*middle), at(*outer))

    def eye(side: int) -> Eye:
        x, y = at(side * who.eye_distance, who.eye_height)
        near, far = (
            at(side * (who.eye_distance - who.eye_width), 0)[0],
            at(side * (who.eye_distance + who.eye_width), 0)[0],
        )
        narrowed = 0.045 * au[7] + 0.02 * au[6] + 0.025 * au[9]
        upper = max(0.012, who.eye_opening + 0.065 * au[5] - narrowed)
        lower = max(0.006, 0.7 * who.eye_opening + 0.01 * au[5] - 0.03 * au[6] - 0.02 * au[7] - 0.02 * au[9])
        return Eye(x, y, abs(far - near) / 2, upper, lower)

    def corner(side: int) -> tuple[float, float]:
        gain = 1 + 0.4 * skew * side
        reach = who.mouth_width + gain * (0.09 * au[12] + 0.11 * au[20]) - 0.07 * au[23] - 0.05 * au[26] - 0.02 * au[17]
        lift = gain * (0.12 * au[12] - 0.12 * au[15] - 0.03 * au[20]) + 0.015 * who.crookedness * side
        return at(side * reach, who.mouth_height - lift + 0.06 * au[26])

    thin = 1 - 0.65 * au[23] - 0.25 * au[12] - 0.3 * au[20]
    mouth = Mouth(
        left=corner(-1),
        right=corner(1),
        bow=0.07 * au[12] - 0.07 * au[15] - 0.06 * au[17],
        open_upper=0.025 * au[25] + 0.07 * au[26] + 0.06 * au[10] + 0.02 * au[20],
        open_lower=0.035 * au[25] + 0.20 * au[26] + 0.06 * au[16] + 0.03 * au[20] + 0.03 * au[12] * au[25],
        upper_lip=max(0.012, who.lip * 0.8 * thin),
        lower_lip=max(0.014, who.lip * (thin + 0.3 * au[17])),
        teeth=min(1.0, au[12] * au[25] * 2 + 0.8 * au[20] + 0.7 * au[10]),
    )
    nose = at(0, who.eye_height + who.nose_length)
    return Face(
        brows=(brow(-1), brow(1)),
        eyes=(eye(-1), eye(1)),
        mouth=mouth,
        nose_tip=(nose[0] * 1.25, nose[1]),
        nose_width=who.nose_width * (1 + 0.2 * au[9]),
        nostril_lift=0.05 * au[9] + 0.02 * au[10],
        chin=1.0 + 0.12 * au[26],
        turn=0.25 * sin(pose.yaw),
        furrow=au[4],
        forehead_lines=(au[1] + au[2]) / 2,
        nose_wrinkles=au[9],
        nasolabial=min(1.0, 0.8 * au[12] + 0.8 * au[9] + 0.6 * au[10]),
        cheeks=au[6],
    )
