"""The hidden unit that a network misses least: for going on where no unit is redundant any more."""

import numpy as np
from numpy.typing import NDArray

from fercli.bp.criteria import Finding
from fercli.bp.losses import row_losses
from fercli.bp.network import Loss, NetworkStack, sigmoid, softmax

VALUES_AT_ONCE = 1 << 19


def losses_without(
    stack: NetworkStack,
    network: int,
    hidden: NDArray[np.floating],
    targets: NDArray[np.int64],
    loss: Loss,
    *,
    absorb: bool = False,
) -> NDArray[np.float64]:
    """(A,) mean loss of one network after each of its A alive units is taken out alone, in the order of the units.

    hidden: (n, H) outputs over the training patterns, targets: (n,) their classes. absorb: the unit's mean output
    stays behind in the output biases, as `remove` leaves it.
    """
    units = np.flatnonzero(stack.alive[network])
    weights = stack.w2[network][units]
    values = hidden @ stack.w2[network] + stack.b2[network]
    constant = hidden[:, units].mean(axis=0, dtype=np.float64).astype(hidden.dtype) if absorb else 0.0
    sums = np.zeros(len(units))
    step = max(1, VALUES_AT_ONCE // (len(units) * stack.classes))
    for start in range(0, len(hidden), step):
        part = slice(start, start + step)
        gone = (hidden[part, units] - constant).T[:, :, None] * weights[:, None, :]
        np.subtract(values[part], gone, out=gone)
        outputs = softmax(gone) if stack.output == "softmax" else sigmoid(gone)
        known = np.broadcast_to(targets[part], outputs.shape[:2])
        sums += row_losses(outputs, known, loss).sum(axis=1, dtype=np.float64)
    return sums / len(hidden)


def least_missed(
    stack: NetworkStack,
    network: int,
    hidden: NDArray[np.floating],
    targets: NDArray[np.int64],
    loss: Loss,
    *,
    absorb: bool = False,
) -> Finding | None:
    """The unit whose removal leaves the lowest training loss, the first of equals; None when only one is left."""
    units = np.flatnonzero(stack.alive[network])
    if len(units) < 2:
        return None
    without = losses_without(stack, network, hidden, targets, loss, absorb=absorb)
    best = int(np.argmin(without))
    return Finding(int(units[best]), "least-missed", float(without[best]))
