"""Networks packed for training: one flat row of parameters each, gradients by hand, nothing allocated in the loop."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fercli.bp.losses import output_slopes
from fercli.bp.network import Loss, NetworkStack, logistic, softmax

ALWAYS_ON, ALWAYS_OFF = 1e4, -1e4
WIDTH_STEP = 8
# Small matrix products are up to twice as fast where these are multiples of four: no kernel works on edges.
INPUT_STEP, OUTPUT_STEP = 4, 4
TILE_ROWS = 64
Place = tuple[NetworkStack, int]  # a stack, and which of its networks


def packed_width(alive: int) -> int:
    """Hidden columns a network of so many units is trained with: its own width alone decides, never the stack's."""
    return -(-alive // WIDTH_STEP) * WIDTH_STEP + 1


def packed_inputs(inputs: int) -> int:
    """Columns of x: the inputs, columns of zeros that fill up, and a column of ones."""
    return -(-(inputs + 1) // INPUT_STEP) * INPUT_STEP


def packed_outputs(classes: int) -> int:
    """Columns of outputs: the classes, and columns that fill up and are always 0."""
    return -(-classes // OUTPUT_STEP) * OUTPUT_STEP


class PackedNetworks:
    """Some networks of one or several stacks with equal inputs, outputs and dtype, laid out so that a step is
    five batched matrix products and one flat update.

    A column of ones ends the inputs and carries the hidden biases. The last hidden unit is always on (net input
    1e4, so its output is exactly 1 and its slope exactly 0) and its outgoing weights are the output biases. Columns
    that fill up the hidden and output units are units that are always off (net input -1e4), those of the inputs are
    zeros: their outputs, slopes and gradients are exactly 0.

    parameters, gradient: (S, P), a row is w1 (I, W) and w2 (W, O), flattened one after the other, with I
    `packed_inputs`, W `packed_width`, O `packed_outputs`.
    """

    def __init__(self, places: Sequence[Place], loss: Loss, tile: int, inputs: int | None = None) -> None:
        """inputs: those of each of these networks, where their stacks have room for more."""
        stack = places[0][0]
        self.loss, self.output, self.tile = loss, stack.output, tile
        self.units = [np.flatnonzero(own.alive[network]) for own, network in places]
        self.inputs, self.classes = stack.inputs if inputs is None else inputs, stack.classes
        self.input_columns, self.output_columns = packed_inputs(self.inputs), packed_outputs(stack.classes)
        self.width = packed_width(max(len(units) for units in self.units))
        dtype = stack.w1.dtype
        self.split = self.input_columns * self.width
        self.parameters = np.zeros((len(places), self.split + self.width * self.output_columns), dtype=dtype)
        w1, w2 = self.views(self.parameters)
        w1[:, -1, :] = ALWAYS_OFF
        w1[:, -1, -1] = ALWAYS_ON
        w2[:, -1, self.classes :] = ALWAYS_OFF
        for place, ((own, network), units) in enumerate(zip(places, self.units, strict=True)):
            count = len(units)
            w1[place, : self.inputs, :count] = own.w1[network][: self.inputs, units]
            w1[place, -1, :count] = own.b1[network, units]
            w2[place, :count, : self.classes] = own.w2[network, units]
            w2[place, -1, : self.classes] = own.b2[network]
        self._allocate()

    def _allocate(self) -> None:
        count, dtype = len(self.parameters), self.parameters.dtype
        self.gradient = np.zeros_like(self.parameters)
        self.partial = np.zeros_like(self.parameters)
        self.w1, self.w2 = self.views(self.parameters)
        self._into = {True: self.views(self.gradient), False: self.views(self.partial)}
        self.hidden = np.empty((count, self.tile, self.width), dtype=dtype)
        self.hidden_slope = np.empty_like(self.hidden)
        self.slope = np.empty((count, self.tile, self.output_columns), dtype=dtype)
        self.slope_scratch = np.empty_like(self.slope)

    def views(self, flat: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """w1 (S, I, W) and w2 (S, W, O) as views of a flat matrix of parameters or gradients."""
        count = len(flat)
        return (
            flat[:, : self.split].reshape(count, self.input_columns, self.width),
            flat[:, self.split :].reshape(count, self.width, self.output_columns),
        )

    def keep(self, networks: NDArray[np.int64]) -> None:
        """Forget every network but these."""
        self.parameters = self.parameters[networks]
        self.units = [self.units[network] for network in networks]
        self._allocate()

    def forward(self, x: NDArray[np.floating], outputs: NDArray[np.floating]) -> None:
        """Write the outputs (a, n, O) of the first a networks over rows x (a, n, I), n at most `tile`.

        Far from zero net inputs overflow on their way to 0: the caller ignores it (`np.errstate(over="ignore")`).
        """
        active, rows = x.shape[:2]
        hidden = self.hidden[:active, :rows]
        np.matmul(x, self.w1[:active], out=hidden)
        logistic(hidden)
        np.matmul(hidden, self.w2[:active], out=outputs)
        if self.output == "softmax":
            softmax(outputs)
        else:
            logistic(outputs)

    def backward(
        self,
        x: NDArray[np.floating],
        one_hot: NDArray[np.floating],
        outputs: NDArray[np.floating],
        rows: NDArray[np.int64],
        batch: NDArray[np.int64],
        *,
        first: bool,
    ) -> None:
        """Set (`first`) or add to `gradient` the slope of the mean loss over these rows, right after `forward`.

        rows: (a,) how many rows of the tile each network has, the others are filling. batch: (a,) rows in the
        whole batch, by which the mean is taken.
        """
        active, tile = x.shape[:2]
        hidden, hidden_slope = self.hidden[:active, :tile], self.hidden_slope[:active, :tile]
        slope, scratch = self.slope[:active, :tile], self.slope_scratch[:active, :tile]
        factor = output_slopes(outputs, one_hot, self.classes, self.loss, self.output, slope, scratch)
        if batch[0] == batch[-1]:
            slope *= factor / float(batch[0])
        else:
            slope *= (factor / batch.astype(np.float64))[:, None, None].astype(slope.dtype)
        if rows[-1] < tile:
            for network in np.flatnonzero(rows < tile):
                slope[network, rows[network] :] = 0
        w1, w2 = self._into[first]
        np.matmul(hidden.swapaxes(1, 2), slope, out=w2[:active])
        np.matmul(slope, self.w2[:active].swapaxes(1, 2), out=hidden_slope)
        hidden_slope *= hidden
        np.subtract(1, hidden, out=hidden)
        hidden_slope *= hidden
        np.matmul(x.swapaxes(1, 2), hidden_slope, out=w1[:active])
        if not first:
            self.gradient[:active] += self.partial[:active]

    def decay(self, strength: float, active: int) -> None:
        """Add the slope of strength/2 · Σ w² to the gradient; biases are left out."""
        for values, slope in zip(self.views(self.parameters), self.views(self.gradient), strict=True):
            slope[:active, :-1] += strength * values[:active, :-1]

    def unpack_into(self, stack: NetworkStack, network: int, place: int) -> None:
        """Write the weights at `place` over those of one network of `stack`, whose arrays the caller owns."""
        units = self.units[place]
        count = len(units)
        stack.w1[network][: self.inputs, units] = self.w1[place, : self.inputs, :count]
        stack.b1[network, units] = self.w1[place, -1, :count]
        stack.w2[network, units] = self.w2[place, :count, : self.classes]
        stack.b2[network] = self.w2[place, -1, : self.classes]
