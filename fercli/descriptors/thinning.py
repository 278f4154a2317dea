"""One pass of morphological thinning (Guo and Hall 1989), as MATLAB's bwmorph 'thin'."""

import numpy as np
from numpy.typing import NDArray

# Neighbours x1..x8 of the original, counter-clockwise from east, as steps (down, right).
_RING = ((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1))


def _removable(second: bool) -> NDArray[np.bool_]:
    """(256,) whether a pixel goes, by its neighbours (bit i = x(i+1)), in the first or second sub-iteration."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1 > 0
    x = [bits[:, i % 8] for i in range(9)]
    crossings = sum((~x[i] & (x[i + 1] | x[(i + 2) % 8])).astype(int) for i in (0, 2, 4, 6))
    n1 = sum((x[i] | x[i + 1]).astype(int) for i in (0, 2, 4, 6))
    n2 = sum((x[i + 1] | x[(i + 2) % 8]).astype(int) for i in (0, 2, 4, 6))
    fewest = np.minimum(n1, n2)
    if second:
        third = ~((x[5] | x[6] | ~x[3]) & x[4])
    else:
        third = ~((x[1] | x[2] | ~x[7]) & x[0])
    return np.asarray((crossings == 1) & (fewest >= 2) & (fewest <= 3) & third)


_TABLES = (_removable(False), _removable(True))


def thin_once(maps: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Maps (H, n, W) side by side after one pass (two sub-iterations); outside a map nothing is set."""
    height, count, width = maps.shape
    padded = np.zeros((height + 2, count, width + 2), dtype=np.bool_)
    inner = padded[1:-1, :, 1:-1]
    inner[:] = maps
    for table in _TABLES:
        code = np.zeros(maps.shape, dtype=np.uint8)
        for bit, (down, right) in enumerate(_RING):
            code |= padded[1 + down : height + 1 + down, :, 1 + right : width + 1 + right].view(np.uint8) << bit
        inner &= ~table[code]
    return inner.copy()
