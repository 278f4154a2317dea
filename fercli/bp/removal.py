"""Taking one hidden unit out of a network, with or without handing its part to the units that stay."""

import numpy as np
from numpy.typing import NDArray

from fercli.bp.criteria import Finding
from fercli.bp.network import NetworkStack


def remove(stack: NetworkStack, network: int, finding: Finding, hidden: NDArray[np.floating], *, absorb: bool) -> None:
    """Remove the unit of `finding` from one network of `stack`, in place; the caller owns its arrays.

    absorb: before it goes, the unit's output is written as a·(output of its partner) + c, by least squares over
    the training patterns (hidden: (n, H)); a times its outgoing weights goes to the partner, c times them to the
    output biases. An exact twin (a = 1, c = 0) or opposite (a = -1, c = 1) leaves the outputs as they were. Without
    a partner a = 0 and c is the unit's mean. (Gedeon & Harris add the weights as they are; that is the case a = ±1.)
    """
    unit = finding.unit
    if absorb:
        own = hidden[:, unit].astype(np.float64)
        weights = stack.w2[network, unit].astype(np.float64)
        constant = own.mean()
        if finding.partner is not None:
            other = hidden[:, finding.partner].astype(np.float64)
            centred = other - other.mean()
            spread = centred @ centred
            factor = (centred @ own) / spread if spread > 0 else 0.0
            constant -= factor * other.mean()
            stack.w2[network, finding.partner] += factor * weights
        stack.b2[network] += constant * weights
    stack.alive[network, unit] = False
    stack.w1[network, :, unit] = 0
    stack.b1[network, unit] = 0
    stack.w2[network, unit] = 0
