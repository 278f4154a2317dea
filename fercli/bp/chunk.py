"""A few networks trained side by side, small enough that one step's arrays stay in cache."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.bp.gradients import TILE_ROWS, PackedNetworks, packed_inputs, packed_outputs, packed_width
from fercli.bp.losses import row_losses
from fercli.bp.network import Loss, NetworkKey, NetworkStack
from fercli.bp.optimizers import Optimizer, OptimizerName
from fercli.seeds import generator

WINDOW_BYTES = 1 << 20


@dataclass(frozen=True)
class Rows:
    """What one network learns from and is measured on, prepared by this fold's own preprocessing.

    x: (n, D) float and y: (n,) int64 class indices to learn from; test_x, test_y: held-out rows, only measured;
    inner_x, inner_y: rows that early stopping reads. The last two pairs may have no rows.
    """

    key: NetworkKey
    x: NDArray[np.floating]
    y: NDArray[np.int64]
    test_x: NDArray[np.floating]
    test_y: NDArray[np.int64]
    inner_x: NDArray[np.floating]
    inner_y: NDArray[np.int64]

    @classmethod
    def of(cls, key: NetworkKey, x: NDArray[np.floating], y: NDArray[np.int64]) -> "Rows":
        """Rows to learn from, with nothing held out and nothing monitored."""
        return cls(key, x, y, x[:0], y[:0], x[:0], y[:0])


@dataclass(frozen=True)
class Rule:
    """How weights are fitted; the fields of `TrainBPConfig` that the loop itself reads. batch: rows or None (all)."""

    loss: Loss
    optimizer: OptimizerName
    rate: float
    momentum: float
    decay: float
    batch: int | None
    seed: int


@dataclass(frozen=True)
class Member:
    """One network to be trained. number: its place among all that are trained together.

    stack, network: where its weights stand, and where those it keeps are written to. first_epoch: the number of its
    first epoch, which decides the order of its batches.
    """

    number: int
    stack: NetworkStack
    network: int
    rows: Rows
    rule: Rule
    first_epoch: int = 0

    @property
    def inputs(self) -> int:
        """Inputs of this network, which may be fewer than the widest of its stack has."""
        return int(self.rows.x.shape[1])

    @property
    def kind(self) -> tuple[Hashable, ...]:
        """What must be equal for networks to stand in one chunk."""
        width = packed_width(int(self.stack.alive[self.network].sum()))
        shape = (self.inputs, width, self.stack.classes, self.stack.output, self.stack.w1.dtype.name)
        return *shape, self.rule, self.first_epoch


class _Measured:
    """Held-out or inner rows of a chunk, padded to one length, with the outputs last computed on them."""

    def __init__(
        self, pairs: Sequence[tuple[NDArray[np.floating], NDArray[np.int64]]], classes: int, dtype: type, tile: int
    ) -> None:
        self.counts = np.array([len(y) for _, y in pairs], dtype=np.int64)
        self.classes = classes
        longest = -(-int(self.counts.max()) // tile) * tile
        self.x: NDArray[np.floating]
        self.x, self.y = padded_rows(pairs, longest, dtype)
        self.outputs: NDArray[np.floating] = np.zeros((len(pairs), longest, packed_outputs(classes)), dtype=dtype)

    def keep(self, networks: NDArray[np.int64]) -> None:
        self.counts, self.x, self.y = self.counts[networks], self.x[networks], self.y[networks]
        self.outputs = self.outputs[networks]

    def score(self, packed: PackedNetworks) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean loss and accuracy (S,), NaN where a network has no such rows."""
        for start in range(0, self.x.shape[1], packed.tile):
            stop = start + packed.tile
            packed.forward(self.x[:, start:stop], self.outputs[:, start:stop])
        return mean_scores(self.outputs[:, :, : self.classes], self.y, self.counts, packed.loss)


def padded_rows(
    pairs: Sequence[tuple[NDArray[np.floating], NDArray[np.int64]]], length: int, dtype: type
) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
    """x (S, length, I), its last column ones, and y (S, length); both 0 where a network has fewer rows.

    I: `packed_inputs`. length: at least that of the longest pair.
    """
    inputs = pairs[0][0].shape[1]
    x: NDArray[np.floating] = np.zeros((len(pairs), length, packed_inputs(inputs)), dtype=dtype)
    x[:, :, -1] = 1
    y = np.zeros((len(pairs), length), dtype=np.int64)
    for place, (own_x, own_y) in enumerate(pairs):
        x[place, : len(own_y), :inputs] = own_x
        y[place, : len(own_y)] = own_y
    return x, y


def mean_scores(
    outputs: NDArray[np.floating], y: NDArray[np.int64], counts: NDArray[np.int64], loss: Loss
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean loss and accuracy (S,) over the first counts[s] rows of outputs (S, n, C); NaN where there are none."""
    present = np.arange(y.shape[1]) < counts[:, None]
    losses = np.where(present, row_losses(outputs, y, loss), 0).sum(axis=1, dtype=np.float64)
    hits = (present & (outputs.argmax(axis=-1) == y)).sum(axis=1)
    undefined = np.full(len(counts), np.nan)
    some = counts > 0
    return (
        np.divide(losses, counts, out=undefined.copy(), where=some),
        np.divide(hits, counts, out=undefined.copy(), where=some),
    )


@dataclass(frozen=True)
class _Step:
    """One update of the first `active` networks.

    tiles: rows begin:stop of the epoch's order, how many networks have any of them, how many rows of the tile each of
    those has, and how many of the whole batch.
    """

    active: int
    tiles: list[tuple[int, int, int, NDArray[np.int64], NDArray[np.int64]]]


class Chunk:
    """Networks of one kind, by falling number of rows, so that those still active are always the first.

    Tiles are always full: rows that a network does not have are filling without slope. The shapes of a network's
    matrix products then depend on the rule alone, and its weights are the same bytes in any company.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = list(members)
        self.rows, self.rule = [member.rows for member in members], members[0].rule
        rows, rule, stack = self.rows, self.rule, members[0].stack
        dtype = stack.w1.dtype.type
        self.counts = np.array([len(one.y) for one in rows], dtype=np.int64)
        self.longest = int(self.counts[0])
        tile = min(rule.batch or TILE_ROWS, TILE_ROWS)
        self.packed = PackedNetworks([(own.stack, own.network) for own in members], rule.loss, tile, members[0].inputs)
        self.optimizer = Optimizer.of(rule.optimizer, rule.rate, rule.momentum, self.packed.parameters)
        self.test = _Measured([(one.test_x, one.test_y) for one in rows], stack.classes, dtype, tile)
        self.inner = _Measured([(one.inner_x, one.inner_y) for one in rows], stack.classes, dtype, tile)
        padded = self.longest + tile
        columns = self.packed.output_columns
        self.outputs = np.zeros((len(rows), padded, columns), dtype=dtype)
        self.targets = np.zeros((len(rows), padded), dtype=np.int64)
        row_bytes = len(rows) * self.packed.input_columns * np.dtype(dtype).itemsize
        self.window = max(tile, min(self.longest, WINDOW_BYTES // row_bytes))
        self.x = np.zeros((len(rows), self.window, self.packed.input_columns), dtype=dtype)
        self.x[:, :, -1] = 1
        self.one_hot = np.zeros((len(rows), self.window, columns), dtype=dtype)
        self._plan = self._steps()

    @property
    def numbers(self) -> list[int]:
        """The numbers of its networks, in its order."""
        return [member.number for member in self.members]

    def weights(self, place: int) -> NDArray[np.floating]:
        """A copy of what a network has learned so far, for `write`."""
        return self.packed.parameters[place].copy()

    def write(self, place: int, weights: NDArray[np.floating] | None = None) -> None:
        """Write these or its last weights to where the network stands."""
        if weights is not None:
            self.packed.parameters[place] = weights
        self.packed.unpack_into(self.members[place].stack, self.members[place].network, place)

    def keep(self, places: NDArray[np.int64]) -> None:
        """Forget every network but those at these places (ascending, so the order by size stays)."""
        self.members = [self.members[place] for place in places]
        self.rows = [member.rows for member in self.members]
        self.counts, self.outputs, self.targets = self.counts[places], self.outputs[places], self.targets[places]
        self.longest = int(self.counts.max(initial=0))
        self.x, self.one_hot = self.x[places], self.one_hot[places]
        self.packed.keep(places)
        self.optimizer.keep(places)
        self.test.keep(places)
        self.inner.keep(places)
        self._plan = self._steps()

    def _steps(self) -> list["_Step"]:
        """The optimizer steps of an epoch, which are the same in every one."""
        size, tile = self.rule.batch or self.longest, self.packed.tile
        steps = []
        for start in range(0, self.longest, size):
            active = int((self.counts > start).sum())
            batch = np.minimum(self.counts[:active] - start, size)
            tiles = []
            for begin in range(start, min(start + size, self.longest), tile):
                stop = begin + tile if self.rule.batch is None else min(begin + tile, start + size)
                busy = int((self.counts > begin).sum())
                tiles.append((begin, stop, busy, np.minimum(self.counts[:busy] - begin, stop - begin), batch[:busy]))
            steps.append(_Step(active, tiles))
        return steps

    def _orders(self, epoch: int) -> list[NDArray[np.int64] | None]:
        """The order of each network's rows; None where it does not matter, because all are one batch."""
        if self.rule.batch is None:
            return [None] * len(self.rows)
        drawn: dict[tuple[int, int, int], NDArray[np.int64]] = {}  # a control has the order of its pruned network
        orders: list[NDArray[np.int64] | None] = []
        for one in self.rows:
            key = (one.key.repeat, one.key.fold, len(one.y))
            if key not in drawn:
                drawn[key] = generator(self.rule.seed, "bp.order", *key[:2], epoch).permutation(key[2])
            orders.append(drawn[key])
        return orders

    def _gather(self, orders: Sequence[NDArray[np.int64] | None], start: int) -> None:
        """Copy the rows at places start: of each network's order into the window."""
        stop = min(start + self.window, self.longest)
        self.one_hot.fill(0)
        steps = np.arange(self.window)
        for place, (one, order) in enumerate(zip(self.rows, orders, strict=True)):
            count = min(stop, int(self.counts[place])) - start
            if count <= 0:
                break
            picked: NDArray[np.int64] | slice = slice(start, start + count)
            if order is not None:
                picked = order[picked]
            self.x[place, :count, : one.x.shape[1]] = one.x[picked]
            y = one.y[picked]
            self.targets[place, start : start + count] = y
            self.one_hot[place, steps[:count], y] = 1

    def epoch(self, number: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """One pass over every network's rows; loss and accuracy (S,) on them as met, each before its own update."""
        orders = self._orders(number)
        packed = self.packed
        low = high = 0
        for step in self._plan:
            for index, (begin, stop, busy, present, batch) in enumerate(step.tiles):
                if stop > high:
                    low, high = begin, begin + self.window
                    self._gather(orders, low)
                x, one_hot = self.x[:busy, begin - low : stop - low], self.one_hot[:busy, begin - low : stop - low]
                outputs = self.outputs[:busy, begin:stop]
                packed.forward(x, outputs)
                packed.backward(x, one_hot, outputs, present, batch, first=index == 0)
            if self.rule.decay:
                packed.decay(self.rule.decay, step.active)
            self.optimizer.step(packed.parameters, packed.gradient, step.active)
        return mean_scores(self.outputs[:, :, : packed.classes], self.targets, self.counts, self.rule.loss)

    def work(self, done: int) -> tuple[NDArray[np.float64], ...]:
        """Train one epoch after `done`, then measure: train and test loss and accuracy, inner loss, each (S,)."""
        with np.errstate(over="ignore"):
            train = self.epoch(self.members[0].first_epoch + done)
            return *train, *self.test.score(self.packed), self.inner.score(self.packed)[0]
