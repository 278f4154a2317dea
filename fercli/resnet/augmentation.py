"""Augmentation of whole batches, on the device where they lie.

What is drawn is drawn on the CPU for a whole epoch at once, from (seed, repeat, fold, epoch): a picture's draw
depends on its place in the epoch, not on batch size, device or history.
"""

import math
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from fercli import seeds
from fercli.config.resnet import ResNetConfig

ERASED_AREA = (0.02, 0.2)
ERASED_ASPECT = (0.3, 3.3)


@dataclass(frozen=True)
class Draws:
    """One epoch's augmentation, float32 (n,) each, by place in the epoch; None = not used.

    flip: 0 or 1. down, right: whole pixels of translation. angle: radians, counter-clockwise. zoom: factor on the size.
    gain: factor on brightness. boxes: (n, 4) top, left, bottom and right end of the blanked rectangle in pixels, half
    open; empty where top = bottom.
    """

    flip: Tensor | None = None
    down: Tensor | None = None
    right: Tensor | None = None
    angle: Tensor | None = None
    zoom: Tensor | None = None
    gain: Tensor | None = None
    boxes: Tensor | None = None

    def part(self, start: int, stop: int) -> "Draws":
        """The draws of the places start:stop."""
        return Draws(**{f.name: None if (v := getattr(self, f.name)) is None else v[start:stop] for f in fields(self)})

    def to(self, device: torch.device) -> "Draws":
        """The same draws on `device`."""
        return Draws(**{f.name: None if (v := getattr(self, f.name)) is None else v.to(device) for f in fields(self)})


def draw(config: ResNetConfig, count: int, size: tuple[int, int], seed: int, *path: str | int) -> Draws:
    """Draws for `count` pictures of `size`, from (seed, path) alone.

    Shifts are uniform whole pixels in [-shift, shift]; where a part of `crop` pixels is taken, what brings a uniformly
    drawn part to the centre is added to them. Angles are uniform in [-rotate, rotate] degrees, zooms in
    [1 - scale, 1 + scale], gains in [1 - brightness, 1 + brightness]; rectangles as in random erasing (Zhong et al.
    2020): area 2 to 20 % of the picture (of the part that is taken), aspect log-uniform in 0.3 to 3.3, clipped to its
    sides.
    """
    random = seeds.generator(seed, "resnet.augment", *path)
    drawn: dict[str, Tensor] = {}

    def keep(name: str, values: np.ndarray) -> None:
        drawn[name] = torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))

    if config.flip:
        keep("flip", random.integers(0, 2, count))
    if config.shift:
        keep("down", random.integers(-config.shift, config.shift + 1, count))
        keep("right", random.integers(-config.shift, config.shift + 1, count))
    if config.rotate:
        keep("angle", np.deg2rad(random.uniform(-config.rotate, config.rotate, count)))
    if config.brightness:
        keep("gain", random.uniform(1 - config.brightness, 1 + config.brightness, count))
    if config.erase:
        keep("boxes", _boxes(random, config.erase, count, (config.crop, config.crop) if config.crop else size))
    if config.scale:
        keep("zoom", random.uniform(1 - config.scale, 1 + config.scale, count))
    if config.crop:
        for name, side in zip(("down", "right"), size, strict=True):
            start = random.integers(0, side - config.crop + 1, count)
            shifted = drawn[name].numpy() if name in drawn else 0
            keep(name, shifted + (side - config.crop) // 2 - start)
    return Draws(**drawn)


def _boxes(random: np.random.Generator, probability: float, count: int, size: tuple[int, int]) -> np.ndarray:
    """(count, 4) top, left, bottom, right of each rectangle; zeros where none."""
    height, width = size
    erased = random.random(count) < probability
    area = random.uniform(*ERASED_AREA, count) * height * width
    aspect = np.exp(random.uniform(math.log(ERASED_ASPECT[0]), math.log(ERASED_ASPECT[1]), count))
    tall = np.clip(np.rint(np.sqrt(area * aspect)), 1, height)
    wide = np.clip(np.rint(np.sqrt(area / aspect)), 1, width)
    top = np.floor(random.random(count) * (height - tall + 1))
    left = np.floor(random.random(count) * (width - wide + 1))
    return np.stack([top, left, top + tall, left + wide], axis=1) * erased[:, None]


def brighten(pixels: Tensor, draws: Draws) -> Tensor:
    """(n, C, H, W) float32 in 0..255, times each picture's gain, cut at 255."""
    if draws.gain is None:
        return pixels
    return (pixels * draws.gain[:, None, None, None]).clamp_(max=255.0)


def move(pictures: Tensor, draws: Draws, crop: int = 0) -> Tensor:
    """(n, C, H, W) float32, normalised, flipped, turned, zoomed, shifted and blanked; what comes from outside is 0 =
    the mean.

    crop: only the square of so many pixels in the centre is made; 0 = all. Without turning and zooming, pixels are
    copied; with them, one bilinear resampling does all of it.
    """
    size = (crop, crop) if crop else (pictures.shape[-2], pictures.shape[-1])
    if draws.angle is not None or draws.zoom is not None:
        pictures = _resample(pictures, draws, size)
    elif draws.flip is not None or draws.down is not None or crop:
        pictures = _copy(pictures, draws, size)
    if draws.boxes is not None:
        pictures = _blank(pictures, draws.boxes)
    return pictures


def _resample(pictures: Tensor, draws: Draws, size: tuple[int, int]) -> Tensor:
    count, channels, height, width = pictures.shape
    zero = torch.zeros(count, device=pictures.device)
    angle = zero if draws.angle is None else draws.angle
    cosine, sine = torch.cos(angle), torch.sin(angle)
    if draws.zoom is not None:
        cosine, sine = cosine / draws.zoom, sine / draws.zoom
    mirror = zero + 1 if draws.flip is None else 1 - 2 * draws.flip
    down = zero if draws.down is None else draws.down * (2 / height)
    right = zero if draws.right is None else draws.right * (2 / width)
    # An odd margin leaves the centre of the part half a pixel before the picture's.
    down = down + ((height - size[0]) % 2) / height
    right = right + ((width - size[1]) % 2) / width
    # grid_sample asks where each output pixel comes from, in coordinates of -1..1 along each side: the sides'
    # ratio keeps a turn a turn on pictures that are not square.
    ratio = height / width
    a, b = cosine, -sine * ratio
    c, d = sine / ratio, cosine
    tall, wide = size[0] / height, size[1] / width
    across = torch.stack([mirror * a * wide, mirror * b * tall, -mirror * (a * right + b * down)], dim=1)
    along = torch.stack([c * wide, d * tall, -(c * right + d * down)], dim=1)
    grid = functional.affine_grid(torch.stack([across, along], dim=1), [count, channels, *size], align_corners=False)
    return functional.grid_sample(pictures, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _copy(pictures: Tensor, draws: Draws, size: tuple[int, int]) -> Tensor:
    count, _, height, width = pictures.shape
    top, left = (height - size[0]) // 2, (width - size[1]) // 2
    rows = torch.arange(top, top + size[0], device=pictures.device).expand(count, size[0])
    columns = torch.arange(left, left + size[1], device=pictures.device).expand(count, size[1])
    margin = 0
    if draws.down is not None and draws.right is not None:
        # Far outside is as empty as just outside: one column of zeros on each side serves every shift.
        margin = 1
        rows = (rows - draws.down[:, None].long()).clamp(-1, height) + 1
        columns = (columns - draws.right[:, None].long()).clamp(-1, width) + 1
        pictures = functional.pad(pictures, (1, 1, 1, 1))
    if draws.flip is not None:
        last = width - 1 + 2 * margin
        columns = torch.where(draws.flip[:, None] > 0, last - columns, columns)
    picture = torch.arange(count, device=pictures.device)[:, None, None]
    # Indexing dimensions 0, 2 and 3 puts the channels last in memory, and `permute` names them back.
    return pictures.permute(0, 2, 3, 1)[picture, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def _blank(pictures: Tensor, boxes: Tensor) -> Tensor:
    height, width = pictures.shape[-2:]
    rows = torch.arange(height, device=pictures.device)
    columns = torch.arange(width, device=pictures.device)
    tall = (rows >= boxes[:, 0:1]) & (rows < boxes[:, 2:3])
    wide = (columns >= boxes[:, 1:2]) & (columns < boxes[:, 3:4])
    return pictures.masked_fill((tall[:, :, None] & wide[:, None, :])[:, None], 0.0)
