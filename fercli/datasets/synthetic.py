"""Faces that the package draws itself: seven expressions by action units, subjects as groups, labels exact.

They stand in for data that cannot be shipped, and they are no faces of people. What makes them hard is overlap of
appearance, not wrong labels: weak and mixed expressions, each subject's own resting face, pose, light, blur, noise.
"""

from collections.abc import Iterator
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray

from fercli.config.synthesize import SynthesizeConfig
from fercli.datasets.faces_actions import act, combined, resting_face
from fercli.datasets.faces_geometry import Pose, shape
from fercli.datasets.faces_identity import Identity, identity
from fercli.datasets.faces_render import Canvas, brightness, paint_face
from fercli.records import EXPRESSIONS, Picture
from fercli.seeds import generator

# Half height of head with hair, and half width with ears, in face units.
_HALF_HEIGHT, _HALF_WIDTH = 1.12, 0.92
# In a close-up this share of what overflows goes to the top: foreheads and hair are cut, chins are not.
_CLOSE_UP = 0.42
# Why: pose, light and blur are kept mild, so that what makes a set hard is how expressions look.
_NUISANCE = 0.5


def draw(config: SynthesizeConfig) -> Iterator[Picture]:
    """Every face of the data set, subject by subject; each is a function of (seed, subject, number) alone.

    Yields pictures of `config.size`, (H, W) uint8 or (H, W, 3) for rgb, with group `subject-NNN` and the columns
    `subject`, `action_units` (number:strength) and `face` (left,top,width,height in pixels).
    """
    digits = max(3, len(str(config.subjects - 1)))
    for subject in range(config.subjects):
        name = f"subject-{subject:0{digits}d}"
        who = identity(config.seed, subject)
        resting = resting_face(generator(config.seed, "synthesize.resting", subject), config.difficulty)
        for number in range(config.images_per_subject):
            yield _picture(config, name, subject, number, who, resting)


def _picture(
    config: SynthesizeConfig, name: str, subject: int, number: int, who: Identity, resting: dict[int, float]
) -> Picture:
    rng = generator(config.seed, "synthesize.picture", subject, number)
    label = EXPRESSIONS[number % len(EXPRESSIONS)]
    units = combined(resting, act(rng, label, config.difficulty))
    pixels, box = _render(config, who, units, rng)
    height, width = config.size
    id = f"{name}-{label}-{number // len(EXPRESSIONS):02d}"
    strengths = " ".join(f"{unit}:{strength:.2f}" for unit, strength in units.items() if strength >= 0.005)
    return Picture(
        id=id,
        label=label,
        split="",
        group=name,
        source=id,
        pixels=pixels,
        width=width,
        height=height,
        extra={"subject": name, "action_units": strengths, "face": ",".join(map(str, box))},
    )


def _render(
    config: SynthesizeConfig, who: Identity, units: dict[int, float], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], tuple[int, int, int, int]]:
    height, width = config.size
    hard = _NUISANCE * config.difficulty
    pose = Pose(*(np.radians([10, 6, 5]) * hard * rng.uniform(-1, 1, 3)).tolist())
    face = shape(who, units, pose, skew=hard * rng.uniform(-1, 1))
    scale = config.face_height * min(height, width / 0.85) / (2 * _HALF_HEIGHT) * (1 + 0.08 * hard * rng.uniform(-1, 1))
    room_x, room_y = width / 2 - _HALF_WIDTH * scale, height / 2 - _HALF_HEIGHT * scale
    center_x = width / 2 + max(0.05 * hard * scale, room_x) * rng.uniform(-1, 1)
    middle = height / 2 - max(0.0, -room_y) * _CLOSE_UP
    center_y = middle + max(0.05 * hard * scale, room_y) * rng.uniform(-1, 1)

    channels = 3 if config.color == "rgb" else 1
    exposure = (140 / max(brightness(who.skin), 40)) ** 0.6
    pixels = _background(rng, height, width, channels) / np.float32(exposure)
    down = ((np.arange(height, dtype=np.float32)[:, None] + 0.5 - center_y) / scale).astype(np.float32)
    across = ((np.arange(width, dtype=np.float32)[None, :] + 0.5 - center_x) / scale).astype(np.float32)
    # Why: in a large frame only the part around the head is painted.
    rows = slice(max(0, int(center_y - 1.6 * scale)), height)
    columns = slice(max(0, int(center_x - 2.0 * scale)), min(width, int(center_x + 2.0 * scale) + 1))
    x = np.float32(cos(pose.roll)) * across[:, columns] + np.float32(sin(pose.roll)) * down[rows]
    y = np.float32(cos(pose.roll)) * down[rows] - np.float32(sin(pose.roll)) * across[:, columns]
    paint_face(Canvas(pixels[rows, columns], x, y, 1 / scale), who, face)
    pixels *= np.float32(exposure) * _light(rng, across, down, hard)[..., None]

    pixels = _blur(pixels, scale * 0.03 * hard * rng.random())
    pixels += rng.normal(0, 1 + 2 * hard, pixels.shape).astype(np.float32)
    gain, offset = 1 + 0.2 * hard * rng.uniform(-1, 1), 15 * hard * rng.uniform(-1, 1)
    stored = np.clip((pixels - 128) * gain + 128 + offset + 0.5, 0, 255).astype(np.uint8)
    box = (
        round(center_x - _HALF_WIDTH * scale),
        round(center_y - _HALF_HEIGHT * scale),
        round(2 * _HALF_WIDTH * scale),
        round(2 * _HALF_HEIGHT * scale),
    )
    return stored if channels == 3 else stored[..., 0], box


def _background(rng: np.random.Generator, height: int, width: int, channels: int) -> NDArray[np.float32]:
    """A plain wall with a slow change of tone."""
    base = rng.uniform(60, 200) + rng.uniform(-25, 25, channels)
    slope = rng.uniform(-40, 40, 2)
    down, across = np.linspace(-0.5, 0.5, height)[:, None, None], np.linspace(-0.5, 0.5, width)[None, :, None]
    return (base + slope[0] * down + slope[1] * across).astype(np.float32)


def _light(
    rng: np.random.Generator, across: NDArray[np.float32], down: NDArray[np.float32], hard: float
) -> NDArray[np.float32]:
    """A lamp from above or one side: (H, W) factors, brighter there, darker opposite, by up to 30 %."""
    angle, strength = rng.uniform(-pi, 0), 0.3 * hard * rng.random()
    slope = np.clip(np.float32(cos(angle)) * across + np.float32(sin(angle)) * down, -1, 1)
    return 1 + np.float32(strength) * slope


def _blur(pixels: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Gaussian blur of (H, W, C), separable, edges repeated; below a quarter pixel the pixels as they are."""
    if sigma < 0.25:
        return pixels
    reach = max(1, int(3 * sigma + 0.5))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2).astype(np.float32)
    kernel /= kernel.sum()
    for axis in (0, 1):
        spread = [(reach, reach) if axis == other else (0, 0) for other in range(3)]
        padded = np.pad(pixels, spread, mode="edge")
        size = pixels.shape[axis]
        pixels = np.asarray(
            sum(weight * padded.take(range(step, step + size), axis) for step, weight in enumerate(kernel)),
            dtype=np.float32,
        )
    return pixels
