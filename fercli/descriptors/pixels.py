"""What every descriptor accepts as pictures, how colour becomes gray, and pictures laid side by side."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.errors import InputError

TILE_PIXELS = 1 << 15
"""Pixels worked on at a time: few enough that the scratch planes stay in cache, enough to drown call costs."""


def gray(images: NDArray[Any]) -> NDArray[Any]:
    """(N, H, W) pixels of a stack (N, H, W) or (N, H, W, 3), as uint8 or, if it was not uint8, float64.

    Colour: 0.299 R + 0.587 G + 0.114 B, for uint8 rounded half up (in integers, so exactly).
    Raises InputError for another shape and for values that are not finite numbers in 0..255.
    """
    stack = np.asarray(images)
    if stack.ndim not in (3, 4) or (stack.ndim == 4 and stack.shape[3] != 3):
        raise InputError(
            f"pictures must be a stack (N, H, W) or (N, H, W, 3), not an array of shape {stack.shape}",
            next_step="give one picture to the single form, a stack to the batch form",
        )
    if 0 in stack.shape[1:3]:
        raise InputError(f"pictures of {stack.shape[1]}x{stack.shape[2]} pixels hold nothing to describe")
    if stack.dtype == np.uint8:
        if stack.ndim == 3:
            return stack
        red, green, blue = (stack[..., channel].astype(np.uint32) for channel in range(3))
        return ((299 * red + 587 * green + 114 * blue + 500) // 1000).astype(np.uint8)
    if stack.dtype.kind not in "iuf":
        raise InputError(f"pixels must be numbers in 0..255, not {stack.dtype}")
    values = stack.astype(np.float64)
    if not np.all((values >= 0) & (values <= 255)):  # NaN fails both
        raise InputError(
            "pixels must be finite numbers in 0..255",
            where=f"smallest {values.min()}, largest {values.max()}",
            next_step="scale the pictures to 0..255",
        )
    return values if stack.ndim == 3 else values @ np.array([0.299, 0.587, 0.114])


def single(image: NDArray[Any]) -> NDArray[Any]:
    """One picture (H, W) or (H, W, 3) as a stack of one; raises InputError for another shape."""
    picture = np.asarray(image)
    if picture.ndim not in (2, 3) or (picture.ndim == 3 and picture.shape[2] != 3):
        raise InputError(
            f"a picture must be (H, W) or (H, W, 3), not an array of shape {picture.shape}",
            next_step="use the batch form for a stack of pictures",
        )
    return picture[None]


def side_by_side(stack: NDArray[Any]) -> NDArray[Any]:
    """The stack (n, H, W) as a view (H, n, W): one wide picture.

    In it a step in y is a step over whole rows and a step in x a step of one, so that every shifted plane of
    all the pictures is one contiguous run; only the columns at the seams have to be ignored.
    """
    return stack.transpose(1, 0, 2)


def tiles(count: int, pixels: int) -> Iterator[slice]:
    """Slices over `count` pictures of `pixels` each, about `TILE_PIXELS` at a time, at least one picture."""
    step = max(1, TILE_PIXELS // max(1, pixels))
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))
