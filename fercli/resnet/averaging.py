"""A moving average of a network's weights, which is scored in the network's place."""

import copy

import torch
from torch import nn


def average_share(horizon: float, update: int) -> float:
    """The share of the newest weights in the average after `update` (from 1) updates.

    An exponential average whose decay is 1 - 1 / horizon, divided by the sum of its weights as Adam's moments are
    (Kingma and Ba 2015): the first update is taken whole, the initial weights never enter, and long after `horizon`
    updates the share is 1 / horizon. A horizon of one update or less is the newest weights alone.
    """
    decay = max(0.0, 1 - 1 / horizon)
    return (1 - decay) / (1 - decay**update)


class WeightAverage:
    """The average of a network's weights and batch-norm statistics over its steps, as a network of its own.

    network: float32, in evaluation mode, on the device of the one it follows. horizon: in steps.
    """

    def __init__(self, network: nn.Module, horizon: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.horizon = horizon
        pairs = list(zip(self.network.state_dict().values(), network.state_dict().values(), strict=True))
        self._averaged = [own for own, _ in pairs if own.is_floating_point()]
        self._followed = [live for own, live in pairs if own.is_floating_point()]
        self._counts = [own for own, _ in pairs if not own.is_floating_point()]
        self._counted = [live for own, live in pairs if not own.is_floating_point()]

    def update(self, update: int) -> None:
        """Take in the network as it stands after its step number `update` (from 1) of the whole training."""
        with torch.no_grad():
            torch._foreach_lerp_(self._averaged, self._followed, average_share(self.horizon, update))
            if self._counts:
                torch._foreach_copy_(self._counts, self._counted)
