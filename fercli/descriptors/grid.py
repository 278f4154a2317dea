"""A grid of blocks over a plane of codes; each block becomes one histogram."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fercli.errors import InputError


def block_numbers(what: str, rows: int, columns: int, grid: Sequence[int]) -> NDArray[np.int64]:
    """(rows, columns) number of the block of each code, row by row; borders at floor(i * rows / blocks).

    Raises InputError, naming `what`, if a block would hold no code.
    """
    down, across = grid
    if not (1 <= down <= rows and 1 <= across <= columns):
        raise InputError(
            f"{what} grid of {down}x{across} blocks does not fit {rows}x{columns} codes",
            next_step=f"use a grid of at least 1x1 and at most {rows}x{columns}",
        )
    y = np.repeat(np.arange(down), np.diff(np.arange(down + 1) * rows // down))
    x = np.repeat(np.arange(across), np.diff(np.arange(across + 1) * columns // across))
    return y[:, None] * across + x
