"""A few networks trained side by side, small enough that one step's arrays stay in cache."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.bp.gradients import TILE_ROWS, PackedNetworks, packed_width
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
    def kind(self) -> tuple[Hashable, ...]:
        """What must be equal for networks to stand in one chunk."""
        width = packed_width(int(self.stack.alive[self.network].sum()))
        shape = (self.stack.inputs, width, self.stack.classes, self.stack.output, self.stack.w1.dtype.name)
        return *shape, self.rule, self.first_epoch


class _Measured:
    """Held-out or inner rows of a chunk, padded to one length, with the outputs last computed on them."""

    def __init__(
        self, pairs: Sequence[tuple[NDArray[np.floating], NDArray[np.int64]]], classes: int, dtype: type, tile: int
    ) -> None:
        self.counts = np.array([len(y) for _, y in pairs], dtype=np.int64)
        longest = -(-int(self.counts.max()) // tile) * tile
        self.x = np.zeros((len(pairs), longest, pairs[0][0].shape[1] + 1), dtype=dtype)
        self.x[:, :, -1] = 1
        self.y = np.zeros((len(pairs), longest), dtype=np.int64)
        for place, (x, y) in enumerate(pairs):
            self.x[place, : len(y), :-1] = x
            self.y[place, : len(y)] = y
        self.outputs: NDArray[np.floating] = np.zeros((len(pairs), longest, classes), dtype=dtype)

    def keep(self, networks: NDArray[np.int64]) -> None:
        self.counts, self.x, self.y = self.counts[networks], self.x[networks], self.y[networks]
        self.outputs = self.outputs[networks]

    def score(self, packed: PackedNetworks) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean loss and accuracy (S,), NaN where a network has no such rows."""
        for start in range(0, self.x.shape[1], packed.tile):
            stop = start + packed.tile
            packed.forward(self.x[:, start:stop], self.outputs[:, start:stop])
        return mean_scores(self.outputs, self.y, self.counts, packed.loss)


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
        self.packed = PackedNetworks([(own.stack, own.network) for own in members], rule.loss, tile)
        self.optimizer = Optimizer.of(rule.optimizer, rule.rate, rule.momentum, self.packed.parameters)
        self.test = _Measured([(one.test_x, one.test_y) for one in rows], stack.classes, dtype, tile)
        self.inner = _Measured([(one.inner_x, one.inner_y) for one in rows], stack.classes, dtype, tile)
        padded = self.longest + tile
        self.outputs = np.zeros((len(rows), padded, stack.classes), dtype=dtype)
        self.targets = np.zeros((len(rows), padded), dtype=np.int64)
        row_bytes = len(rows) * (stack.inputs + 1) * np.dtype(dtype).itemsize
        self.window = max(tile, min(self.longest, WINDOW_BYTES // row_bytes))
        self.x = np.ones((len(rows), self.window, stack.inputs + 1), dtype=dtype)
        self.one_hot = np.zeros((len(rows), self.window, stack.classes), dtype=dtype)

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

    def _order(self, place: int, epoch: int) -> NDArray[np.int64] | None:
        if self.rule.batch is None:
            return None  # the mean over all rows does not depend on their order
        key = self.rows[place].key
        drawn = generator(self.rule.seed, "bp.order", key.repeat, key.fold, epoch)
        return drawn.permutation(len(self.rows[place].y))

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
            self.x[place, :count, :-1] = one.x[picked]
            y = one.y[picked]
            self.targets[place, start : start + count] = y
            self.one_hot[place, steps[:count], y] = 1

    def epoch(self, number: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """One pass over every network's rows; loss and accuracy (S,) on them as met, each before its own update."""
        orders = [self._order(place, number) for place in range(len(self.rows))]
        low = high = 0
        size = self.rule.batch or self.longest
        tile = self.packed.tile
        for start in range(0, self.longest, size):
            active = int((self.counts > start).sum())
            batch = np.minimum(self.counts[:active] - start, size)
            for begin in range(start, min(start + size, self.longest), tile):
                stop = begin + tile if self.rule.batch is None else min(begin + tile, start + size)
                if stop > high:
                    low, high = begin, begin + self.window
                    self._gather(orders, low)
                busy = int((self.counts > begin).sum())
                x, one_hot = (array[:busy, begin - low : stop - low] for array in (self.x, self.one_hot))
                outputs = self.outputs[:busy, begin:stop]
                self.packed.forward(x, outputs)
                present = np.minimum(self.counts[:busy] - begin, stop - begin)
                self.packed.backward(x, one_hot, outputs, present, batch[:busy], first=begin == start)
            if self.rule.decay:
                self.packed.decay(self.rule.decay, active)
            self.optimizer.step(self.packed.parameters, self.packed.gradient, active)
        return mean_scores(self.outputs, self.targets, self.counts, self.rule.loss)

    def work(self, done: int) -> tuple[NDArray[np.float64], ...]:
        """Train one epoch after `done`, then measure: train and test loss and accuracy, inner loss, each (S,)."""
        train = self.epoch(self.members[0].first_epoch + done)
        return *train, *self.test.score(self.packed), self.inner.score(self.packed)[0]
