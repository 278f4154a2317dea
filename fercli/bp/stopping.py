"""Early stopping on the inner part of the training rows; held-out rows are never read here."""

import numpy as np
from numpy.typing import NDArray

from fercli.bp.chunk import Chunk
from fercli.bp.network import NetworkStack


class EarlyStopping:
    """The lowest inner loss of each network so far, and the weights that had it.

    best_epochs: (S,) epochs trained when the inner loss was lowest, counted from 1; the first of equals.
    """

    def __init__(self, count: int, patience: int) -> None:
        self.patience = patience
        self.lowest = np.full(count, np.inf)
        self.best_epochs = np.zeros(count, dtype=np.int64)
        self._weights: dict[int, NDArray[np.floating]] = {}

    def note(self, chunk: Chunk, losses: NDArray[np.float64], done: int) -> None:
        """Keep the weights of the chunk's networks whose inner loss (of `losses`, (S,) over the stack) fell."""
        for place, network in enumerate(chunk.networks.tolist()):
            if losses[network] < self.lowest[network] or done == 1:
                self.lowest[network] = losses[network]
                self.best_epochs[network] = done
                self._weights[network] = chunk.packed.parameters[place].copy()

    def stopped(self, done: int) -> NDArray[np.bool_]:
        """(S,) which networks have gone `patience` epochs without a lower inner loss."""
        return done - self.best_epochs >= self.patience

    def write(self, chunk: Chunk, stack: NetworkStack, which: NDArray[np.bool_]) -> None:
        """Write the best weights of those networks of the chunk that `which` (S,) marks into `stack`."""
        for place, network in enumerate(chunk.networks.tolist()):
            if which[network]:
                chunk.packed.parameters[place] = self._weights[network]
                chunk.packed.unpack_into(stack, network, place)
