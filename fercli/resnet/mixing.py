"""Mixup and cutmix: a batch is mixed with itself in reverse order, pictures and labels by the same share."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fercli import seeds
from fercli.config.resnet import ResNetConfig


@dataclass(frozen=True)
class Mixture:
    """How one batch is mixed. share: what each picture and label keeps of its own, 0 to 1.

    box: top, left, bottom, right of the rectangle in pixels, half open, that comes from the other picture (cutmix);
    None where all pixels are blended (mixup).
    """

    share: float
    box: tuple[int, int, int, int] | None = None

    def of(self, pictures: Tensor) -> Tensor:
        """(n, C, H, W) float -> the same, each picture mixed with that at its place from the end."""
        others = pictures.flip(0)
        if self.box is None:
            return torch.lerp(others, pictures, self.share)
        top, left, bottom, right = self.box
        mixed = pictures.clone(memory_format=torch.preserve_format)
        mixed[..., top:bottom, left:right] = others[..., top:bottom, left:right]
        return mixed


def draw_mixture(config: ResNetConfig, size: tuple[int, int], seed: int, *path: str | int) -> Mixture | None:
    """The mixture of one batch of pictures of `size` (height, width), from (seed, path) alone; None where none is on.

    mixup: the share is drawn from Beta(a, a) (Zhang et al. 2018). cutmix: the same for the area, around a centre that
    is uniform over the picture and cut at its sides, so the share is what is left (Yun et al. 2019). With both, each
    batch takes one of them, with equal chances. The papers pair pictures at random: rows of a batch are in random
    order, so its reverse is that too, without a draw.
    """
    if not (config.mixup or config.cutmix):
        return None
    random = seeds.generator(seed, "resnet.mix", *path)
    cut = config.cutmix > 0 and (not config.mixup or random.random() < 0.5)
    strength = config.cutmix if cut else config.mixup
    share = float(random.beta(strength, strength))
    if not cut:
        return Mixture(share)
    height, width = size
    tall, wide = np.rint(np.sqrt(1 - share) * np.array(size)).astype(int).tolist()
    top, left = int(random.integers(height)) - tall // 2, int(random.integers(width)) - wide // 2
    box = (max(top, 0), max(left, 0), min(top + tall, height), min(left + wide, width))
    return Mixture(1 - (box[2] - box[0]) * (box[3] - box[1]) / (height * width), box)
