"""A stack of one-hidden-layer networks of one input and output width, each with its own alive hidden units."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fercli.seeds import generator

Output = Literal["sigmoid", "softmax"]
Loss = Literal["mse", "bce", "ce"]


@dataclass(frozen=True)
class NetworkKey:
    """Which network of an experiment this is; with the seed it decides initial weights and batch order."""

    repeat: int
    fold: int


@dataclass(frozen=True)
class NetworkStack:
    """S networks: sigmoid hidden units, then sigmoid or softmax output units.

    w1: (S, D, H), b1: (S, H), w2: (S, H, C), b2: (S, C), one float dtype. alive: (S, H) bool; a unit that is not
    alive has zero weights and takes no part. Column h keeps its number for as long as the network is pruned.
    A network of fewer than D inputs (a fold whose share of the variance took fewer components) has zeros in the last
    rows of w1, and is trained and scored on its own inputs alone.
    """

    w1: NDArray[np.floating]
    b1: NDArray[np.floating]
    w2: NDArray[np.floating]
    b2: NDArray[np.floating]
    alive: NDArray[np.bool_]
    output: Output = "sigmoid"

    def __len__(self) -> int:
        return len(self.w1)

    @property
    def inputs(self) -> int:
        return int(self.w1.shape[1])

    @property
    def classes(self) -> int:
        return int(self.w2.shape[2])

    @property
    def widths(self) -> NDArray[np.int64]:
        """(S,) number of hidden units alive in each network."""
        return self.alive.sum(axis=1).astype(np.int64)

    def take(self, networks: NDArray[np.int64]) -> "NetworkStack":
        """The networks at these places, in that order, as copies."""
        return NetworkStack(
            w1=self.w1[networks],
            b1=self.b1[networks],
            w2=self.w2[networks],
            b2=self.b2[networks],
            alive=self.alive[networks],
            output=self.output,
        )

    def put(self, networks: NDArray[np.int64], other: "NetworkStack") -> None:
        """Write the networks of `other` over those at these places, in place; the caller owns the arrays."""
        for own, new in zip(self._arrays(), other._arrays(), strict=True):
            own[networks] = new

    def joined(self, other: "NetworkStack") -> "NetworkStack":
        """These networks and then those of `other`, as copies; hidden units and classes must be equally many."""
        inputs = max(self.inputs, other.inputs)
        pairs = zip(self._with_inputs(inputs), other._with_inputs(inputs), strict=True)
        w1, b1, w2, b2, alive = (np.concatenate(pair) for pair in pairs)
        return NetworkStack(w1, b1, w2, b2, alive, self.output)

    def _with_inputs(self, inputs: int) -> tuple[NDArray[Any], ...]:
        missing = inputs - self.inputs
        return np.pad(self.w1, ((0, 0), (0, missing), (0, 0))), *self._arrays()[1:]

    def _arrays(self) -> tuple[NDArray[Any], ...]:
        return self.w1, self.b1, self.w2, self.b2, self.alive

    def compacted(self, network: int, inputs: int | None = None) -> "NetworkStack":
        """One network as a stack of its own without its removed units, as it is saved. inputs: its own, if fewer."""
        kept = self.alive[network]
        return NetworkStack(
            w1=self.w1[network : network + 1, :inputs, kept],
            b1=self.b1[network : network + 1, kept],
            w2=self.w2[network : network + 1, kept, :],
            b2=self.b2[network : network + 1],
            alive=np.ones((1, int(kept.sum())), dtype=bool),
            output=self.output,
        )


def initial_stack(
    keys: Sequence[NetworkKey],
    *,
    seed: int,
    inputs: int | Sequence[int],
    hidden: int,
    classes: int,
    output: Output = "sigmoid",
    dtype: DTypeLike = np.float32,
) -> NetworkStack:
    """Untrained networks, uniform in ±1/sqrt(fan-in) like `torch.nn.Linear`. inputs: of all, or of each of them.

    The weights of a unit depend on (seed, repeat, fold, unit) alone, so a network starts the same alone or in any
    stack, and the first 32 units of a network of 64 draw the same numbers as a network of 32.
    """
    count = len(keys)
    own_inputs = [inputs] * count if isinstance(inputs, int) else list(inputs)
    w1 = np.zeros((count, max(own_inputs), hidden), dtype=dtype)
    b1 = np.empty((count, hidden), dtype=dtype)
    w2 = np.empty((count, hidden, classes), dtype=dtype)
    b2 = np.empty((count, classes), dtype=dtype)
    out = 1 / np.sqrt(hidden)
    for place, (key, own) in enumerate(zip(keys, own_inputs, strict=True)):
        into = 1 / np.sqrt(own)
        # Unit after unit from one stream, so that unit u has the u-th run of its numbers in a network of any width.
        drawn = generator(seed, "bp.init", key.repeat, key.fold).uniform(-1, 1, (hidden, own + 1 + classes))
        w1[place, :own] = drawn[:, :own].T * into
        b1[place] = drawn[:, own] * into
        w2[place] = drawn[:, own + 1 :] * out
        b2[place] = generator(seed, "bp.init", key.repeat, key.fold, "output").uniform(-1, 1, classes) * out
    return NetworkStack(w1, b1, w2, b2, np.ones((count, hidden), dtype=bool), output)


def sigmoid(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """1 / (1 + exp(-z)) in place; far from zero it saturates to exactly 0 or 1 without a warning."""
    with np.errstate(over="ignore"):
        return logistic(values)


def logistic(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """`sigmoid` for loops that ignore overflow themselves."""
    np.negative(values, out=values)
    np.exp(values, out=values)
    values += 1
    return np.divide(1, values, out=values)


def softmax(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """exp(z) over its sum along the last axis, in place."""
    values -= values.max(axis=-1, keepdims=True)
    np.exp(values, out=values)
    values /= values.sum(axis=-1, keepdims=True)
    return values


def hidden_outputs(stack: NetworkStack, network: int, x: NDArray[np.floating]) -> NDArray[np.floating]:
    """(n, H) outputs of one network's hidden units over the rows x (n, its inputs); removed units stand at 0."""
    weights = stack.w1[network, : x.shape[1]]
    hidden = sigmoid(x.astype(stack.w1.dtype, copy=False) @ weights + stack.b1[network])
    hidden[:, ~stack.alive[network]] = 0
    return hidden


def outputs_from_hidden(stack: NetworkStack, network: int, hidden: NDArray[np.floating]) -> NDArray[np.floating]:
    """(n, C) outputs of one network from the outputs (n, H) of its hidden units."""
    values = hidden @ stack.w2[network] + stack.b2[network]
    return softmax(values) if stack.output == "softmax" else sigmoid(values)


def forward(stack: NetworkStack, network: int, x: NDArray[np.floating]) -> NDArray[np.floating]:
    """(n, C) outputs of one network over the rows x (n, D), in the stack's dtype."""
    return outputs_from_hidden(stack, network, hidden_outputs(stack, network, x))


def probabilities(outputs: NDArray[np.floating]) -> NDArray[np.float64]:
    """Class probabilities (…, C) of output units: the outputs divided by their sum, uniform where that is 0."""
    values = outputs.astype(np.float64)
    total = values.sum(axis=-1, keepdims=True)
    uniform = np.full_like(values, 1 / values.shape[-1])
    return np.divide(values, total, out=uniform, where=total != 0)
