"""Networks of one kind as one stack of tensors on a device of torch; the arithmetic of `chunk.py`, step by step."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fercli.bp.chunk import Member, mean_scores, padded_rows
from fercli.bp.gradients import PackedNetworks
from fercli.bp.losses import SMALLEST
from fercli.bp.optimizers import BETA1, BETA2, EPSILON
from fercli.seeds import generator

# Rows that one forward pass scores, over all networks: outputs and hidden outputs of a pass must fit the device.
ROWS_AT_ONCE = 1 << 18


class _Measured:
    """Held-out or inner rows, padded to one length, on the device; targets on the host, where they are scored."""

    def __init__(
        self, pairs: Sequence[tuple[NDArray[np.floating], NDArray[np.int64]]], dtype: type, device: str
    ) -> None:
        self.counts = np.array([len(y) for _, y in pairs], dtype=np.int64)
        x, self.y = padded_rows(pairs, int(self.counts.max()), dtype)
        self.x = torch.from_numpy(x).to(device)

    def keep(self, places: NDArray[np.int64], index: Tensor) -> None:
        self.counts, self.y, self.x = self.counts[places], self.y[places], self.x[index]


class TorchChunk:
    """Networks of one kind on one device, by falling number of rows; see `Chunk`, whose order of batches it keeps.

    A step is five batched products over all networks and the optimizer's update, without autograd. Results are those
    of `Chunk` to rounding: the same sums, added up in the device's own order.
    """

    def __init__(self, members: Sequence[Member], device: str) -> None:
        self.members, self.device = list(members), device
        self.rule = members[0].rule
        stack = members[0].stack
        dtype = stack.w1.dtype.type
        self.output, self.classes = stack.output, stack.classes
        # The layout is the packed one of the CPU: biases are rows of ones, and off units fill up the width.
        places = [(own.stack, own.network) for own in members]
        self.packed = PackedNetworks(places, self.rule.loss, 1, members[0].inputs)
        self.split, self.columns = self.packed.split, self.packed.output_columns
        self.parameters = torch.from_numpy(self.packed.parameters).to(device, copy=True)
        self.first, self.second = torch.zeros_like(self.parameters), torch.zeros_like(self.parameters)
        self.steps = torch.zeros(len(members), dtype=torch.float64, device=device)
        pairs = [(own.rows.x, own.rows.y) for own in members]
        self.counts = np.array([len(y) for _, y in pairs], dtype=np.int64)
        x, y = padded_rows(pairs, int(self.counts[0]), dtype)
        self.x, self.y = torch.from_numpy(x).to(device), torch.from_numpy(y).to(device)
        self.test = _Measured([(own.rows.test_x, own.rows.test_y) for own in members], dtype, device)
        self.inner = _Measured([(own.rows.inner_x, own.rows.inner_y) for own in members], dtype, device)
        self._plan = self._steps()

    @property
    def numbers(self) -> list[int]:
        """The numbers of its networks, in its order."""
        return [member.number for member in self.members]

    def weights(self, place: int) -> Tensor:
        """A copy of what a network has learned so far, for `write`."""
        return self.parameters[place].clone()

    def write(self, place: int, weights: Tensor | None = None) -> None:
        """Write these or its last weights to where the network stands."""
        kept = self.parameters[place] if weights is None else weights
        self.packed.parameters[place] = kept.cpu().numpy()
        self.packed.unpack_into(self.members[place].stack, self.members[place].network, place)

    def keep(self, places: NDArray[np.int64]) -> None:
        """Forget every network but those at these places (ascending, so the order by size stays)."""
        self.members = [self.members[place] for place in places]
        self.packed.keep(places)
        index = torch.from_numpy(places).to(self.device)
        longest = int(self.counts[places].max(initial=0))
        self.counts = self.counts[places]
        self.parameters, self.first, self.second = self.parameters[index], self.first[index], self.second[index]
        self.steps = self.steps[index]
        self.x, self.y = self.x[index, :longest], self.y[index, :longest]
        self.test.keep(places, index)
        self.inner.keep(places, index)
        self._plan = self._steps()

    def _steps(self) -> list[tuple[int, int, Tensor]]:
        """The optimizer steps of an epoch, the same in every one: first row, row after the last, and the rows (a,) of
        each network that has any of them, on the device, so that no step of an epoch waits for the host.
        """
        longest = int(self.counts[0])
        size = self.rule.batch or longest
        return [
            (
                start,
                min(start + size, longest),
                torch.from_numpy(np.minimum(self.counts[self.counts > start] - start, size)).to(self.device),
            )
            for start in range(0, longest, size)
        ]

    def _views(self, flat: Tensor) -> tuple[Tensor, Tensor]:
        count, width = len(flat), self.packed.width
        return flat[:, : self.split].view(count, -1, width), flat[:, self.split :].view(count, width, self.columns)

    def _forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Hidden and output units (a, n, W), (a, n, O) of the first a networks over rows x (a, n, I)."""
        w1, w2 = self._views(self.parameters[: len(x)])
        hidden = torch.bmm(x, w1).sigmoid_()
        values = torch.bmm(hidden, w2)
        return hidden, torch.softmax(values, dim=-1) if self.output == "softmax" else values.sigmoid_()

    def _slopes(self, outputs: Tensor, one_hot: Tensor) -> Tensor:
        """Slope of each row's loss at the output units' net inputs; the formulas of `output_slopes`."""
        if self.rule.loss == "bce":
            return (outputs - one_hot) / self.classes
        if self.rule.loss == "mse":
            slope = (outputs - one_hot) * (2 / self.classes)
            if self.output == "sigmoid":
                return slope * outputs * (1 - outputs)
            slope = slope * outputs
            return slope - outputs * slope.sum(dim=-1, keepdim=True)
        if self.output == "softmax":
            return outputs - one_hot
        total = outputs.sum(dim=-1, keepdim=True).clamp_min(SMALLEST)
        return (outputs / total - one_hot) * (1 - outputs)

    def _orders(self, epoch: int) -> Tensor | None:
        """(S, n) rows of each network in the order of this epoch, None where the order does not matter."""
        if self.rule.batch is None:
            return None
        orders = np.zeros((len(self.members), int(self.counts[0])), dtype=np.int64)
        for place, member in enumerate(self.members):
            key = member.rows.key
            drawn = generator(self.rule.seed, "bp.order", key.repeat, key.fold, epoch)
            orders[place, : self.counts[place]] = drawn.permutation(int(self.counts[place]))
        return torch.from_numpy(orders).to(self.device)

    def epoch(self, number: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """One pass over every network's rows; loss and accuracy (S,) on them as met, each before its own update."""
        orders = self._orders(number)
        which = torch.arange(len(self.members), device=self.device)[:, None]
        x, y = (self.x, self.y) if orders is None else (self.x[which, orders], self.y[which, orders])
        outputs = torch.zeros((*y.shape, self.columns), dtype=x.dtype, device=self.device)
        for start, stop, batch in self._plan:
            active = len(batch)
            outputs[:active, start:stop] = self._step(x[:active, start:stop], y[:active, start:stop], batch)
        return mean_scores(outputs[:, :, : self.classes].cpu().numpy(), y.cpu().numpy(), self.counts, self.rule.loss)

    def _step(self, x: Tensor, y: Tensor, batch: Tensor) -> Tensor:
        """One update of the first networks on their next `batch` rows each; their outputs before it."""
        active = len(x)
        hidden, outputs = self._forward(x)
        one_hot = torch.nn.functional.one_hot(y, self.columns).to(x.dtype)
        slope = self._slopes(outputs, one_hot)
        present = torch.arange(x.shape[1], device=self.device) < batch[:, None]
        slope = torch.where(present[:, :, None], slope / batch[:, None, None].to(x.dtype), 0)
        w2 = self._views(self.parameters[:active])[1]
        hidden_slope = torch.bmm(slope, w2.transpose(1, 2)) * hidden * (1 - hidden)
        gradient = torch.empty_like(self.parameters[:active])
        for into, part in zip(
            self._views(gradient),
            (torch.bmm(x.transpose(1, 2), hidden_slope), torch.bmm(hidden.transpose(1, 2), slope)),
            strict=True,
        ):
            into.copy_(part)
        if self.rule.decay:
            for into, values in zip(self._views(gradient), self._views(self.parameters[:active]), strict=True):
                into[:, :-1] += self.rule.decay * values[:, :-1]
        self._update(gradient, active)
        return outputs

    def _update(self, gradient: Tensor, active: int) -> None:
        """Adam, SGD or momentum on the first networks; the formulas of `optimizers.py`."""
        values, first, second = self.parameters[:active], self.first[:active], self.second[:active]
        self.steps[:active] += 1
        if self.rule.optimizer == "sgd":
            values -= self.rule.rate * gradient
        elif self.rule.optimizer == "momentum":
            first.mul_(self.rule.momentum).add_(gradient)
            values -= self.rule.rate * first
        else:
            first.mul_(BETA1).add_(gradient)
            second.mul_(BETA2).addcmul_(gradient, gradient)
            each = self.steps[:active, None]
            roots = ((1 - BETA2) / (1 - BETA2**each)).sqrt()
            rates = self.rule.rate * (1 - BETA1) / (1 - BETA1**each) / roots
            shifted = second.sqrt().add_((EPSILON / roots).to(values.dtype))
            values.sub_(first / shifted * rates.to(values.dtype))

    def _score(self, measured: _Measured) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean loss and accuracy (S,), NaN where a network has no such rows."""
        count, rows = measured.y.shape
        if not rows:
            undefined = np.full(count, np.nan)
            return undefined, undefined
        step = max(1, ROWS_AT_ONCE // count)
        parts = [self._forward(measured.x[:, start : start + step])[1] for start in range(0, rows, step)]
        outputs = torch.cat([part[:, :, : self.classes] for part in parts], dim=1).cpu().numpy()
        return mean_scores(outputs, measured.y, measured.counts, self.rule.loss)

    def work(self, done: int) -> tuple[NDArray[np.float64], ...]:
        """Train one epoch after `done`, then measure: train and test loss and accuracy, inner loss, each (S,)."""
        train = self.epoch(self.members[0].first_epoch + done)
        return *train, *self._score(self.test), self._score(self.inner)[0]
