"""Early stopping on the inner part of the training rows; held-out rows are never read here."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.bp.engines import AnyChunk


class EarlyStopping:
    """The lowest inner loss of each network so far, and the weights that had it.

    patience: (N,) int64 epochs without a lower loss until a network stops; 0 where it never does and keeps its last
    weights. best_epochs: (N,) epochs trained when the inner loss was lowest, counted from 1; the first of equals.
    """

    def __init__(self, patience: NDArray[np.int64]) -> None:
        self.patience = patience
        self.lowest = np.full(len(patience), np.inf)
        self.best_epochs = np.zeros(len(patience), dtype=np.int64)
        self._weights: dict[int, Any] = {}

    def note(self, chunk: AnyChunk, losses: NDArray[np.float64], done: int) -> None:
        """Keep the weights of the chunk's networks whose inner loss (of `losses`, (N,) over all) fell."""
        for place, number in enumerate(chunk.numbers):
            if self.patience[number] and (losses[number] < self.lowest[number] or done == 1):
                self.lowest[number] = losses[number]
                self.best_epochs[number] = done
                self._weights[number] = chunk.weights(place)

    def stopped(self, done: int) -> NDArray[np.bool_]:
        """(N,) which networks have gone their patience without a lower inner loss."""
        return (self.patience > 0) & (done - self.best_epochs >= self.patience)

    def best(self, number: int) -> Any:
        """The weights of the lowest inner loss, None where the last ones are kept; they are given away."""
        return self._weights.pop(number, None)
