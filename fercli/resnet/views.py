"""The parts of a picture that it is scored by; its probabilities are the mean over them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor

from fercli.config.resnet import ViewSet

# Where no crop was trained, ten crops keep as much of a picture as 44 of 48 pixels do.
KEPT = 44 / 48
# Each set with the simpler ones before it: a run is scored by all of them, and keeps the last.
SETS: Mapping[ViewSet, Sequence[ViewSet]] = MappingProxyType(
    {"none": ("none",), "flip": ("none", "flip"), "ten-crop": ("none", "flip", "ten-crop")}
)


@dataclass(frozen=True)
class View:
    """One part of a picture: its place and sides in pixels, and whether it is mirrored."""

    top: int
    left: int
    height: int
    width: int
    mirrored: bool = False

    def of(self, pictures: Tensor) -> Tensor:
        """(n, C, H, W) -> (n, C, height, width), channels last in memory."""
        part = pictures[..., self.top : self.top + self.height, self.left : self.left + self.width]
        if self.mirrored:
            part = part.flip(-1)
        return part.contiguous(memory_format=torch.channels_last)


def views_of(kind: ViewSet, size: tuple[int, int], crop: int = 0) -> tuple[View, ...]:
    """The views of pictures of `size` (height, width).

    none: the centre of `crop` pixels, or the whole picture for a crop of 0. flip: that and its mirror image. ten-crop:
    centre and four corners and their mirror images (Krizhevsky et al. 2012), of `crop` pixels or 44/48 of each side.
    """
    height, width = size
    if kind == "ten-crop" and not crop:
        tall, wide = round(height * KEPT), round(width * KEPT)
    else:
        tall, wide = (crop, crop) if crop else size
    bottom, end = height - tall, width - wide
    places = [(bottom // 2, end // 2)]
    if kind == "ten-crop":
        places += [(0, 0), (0, end), (bottom, 0), (bottom, end)]
    mirrors = (False,) if kind == "none" else (False, True)
    return tuple(View(top, left, tall, wide, mirrored) for top, left in places for mirrored in mirrors)
