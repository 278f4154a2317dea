"""Adam, SGD and SGD with momentum on a flat matrix of parameters, one row a network, in place."""

from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

OptimizerName = Literal["adam", "sgd", "momentum"]

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


@dataclass
class Optimizer:
    """State of one optimizer: parameters (S, P), step counts (S,), first and second moments like the parameters."""

    name: OptimizerName
    rate: float
    momentum: float
    steps: NDArray[np.int64]
    first: NDArray[np.floating]
    second: NDArray[np.floating]
    scratch: NDArray[np.floating]

    @classmethod
    def of(cls, name: OptimizerName, rate: float, momentum: float, parameters: NDArray[np.floating]) -> "Optimizer":
        """A fresh state; moments that the optimizer does not use stay empty."""
        empty = np.zeros((len(parameters), 0), dtype=parameters.dtype)
        return cls(
            name=name,
            rate=rate,
            momentum=momentum,
            steps=np.zeros(len(parameters), dtype=np.int64),
            first=empty if name == "sgd" else np.zeros_like(parameters),
            second=np.zeros_like(parameters) if name == "adam" else empty,
            scratch=np.empty_like(parameters),
        )

    def keep(self, networks: NDArray[np.int64]) -> None:
        """Forget every network but these."""
        self.steps, self.first = self.steps[networks], self.first[networks]
        self.second, self.scratch = self.second[networks], self.scratch[networks]

    def step(self, parameters: NDArray[np.floating], gradient: NDArray[np.floating], active: int) -> None:
        """One update of the first `active` networks; their gradient is used up."""
        self.steps[:active] += 1
        values, slope = parameters[:active], gradient[:active]
        if self.name == "sgd":
            slope *= self.rate
            values -= slope
        elif self.name == "momentum":
            velocity = self.first[:active]
            velocity *= self.momentum
            velocity += slope
            np.multiply(velocity, self.rate, out=slope)
            values -= slope
        else:
            self._adam(values, slope, active)

    def _adam(self, values: NDArray[np.floating], slope: NDArray[np.floating], active: int) -> None:
        """Kingma & Ba 2015, algorithm 1, with m/(1-β1) and v/(1-β2) kept instead of m and v.

        The constants move into the rate and epsilon, which saves two of twelve passes over the parameters.
        """
        first, second, scratch = self.first[:active], self.second[:active], self.scratch[:active]
        first *= BETA1
        first += slope
        second *= BETA2
        np.multiply(slope, slope, out=slope)
        second += slope
        np.sqrt(second, out=scratch)
        counts = self.steps[:active]
        shift: float | NDArray[np.floating]
        rate: float | NDArray[np.floating]
        if counts[0] == counts[-1]:  # networks stand by falling size, so equal ends mean equal all through
            shift, rate = _corrected(self.rate, int(counts[0]))
        else:
            pairs = np.array([_corrected(self.rate, count) for count in counts.tolist()]).astype(values.dtype)
            shift, rate = pairs[:, :1], pairs[:, 1:]
        scratch += shift
        np.divide(first, scratch, out=scratch)
        scratch *= rate
        values -= scratch


@lru_cache(256)
def _corrected(rate: float, count: int) -> tuple[float, float]:
    """Epsilon and rate of Adam's step number `count`, for the moments as `_adam` keeps them."""
    roots = sqrt((1 - BETA2) / (1 - BETA2**count))
    return EPSILON / roots, rate * (1 - BETA1) / (1 - BETA1**count) / roots
