"""Batch norm's running statistics: put back when a step fails, brought together when processes share one."""

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from fercli.resnet.distributed import World


class RunningStatistics:
    """Mean and variance of every batch norm of a network, as they were at the last `remember`."""

    def __init__(self, network: nn.Module) -> None:
        norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
        pairs = [tensor for norm in norms for tensor in (norm.running_mean, norm.running_var)]
        self._live = [tensor for tensor in pairs if tensor is not None]
        self._counts = [norm.num_batches_tracked for norm in norms if norm.num_batches_tracked is not None]
        self._keeps = [1 - (norm.momentum or 0.0) for norm in norms for _ in range(2)]
        self._kept = [tensor.clone() for tensor in (*self._live, *self._counts)]

    def remember(self) -> None:
        """Keep the statistics as they are now."""
        self._copy(self._live + self._counts, self._kept)

    def put_back(self) -> None:
        """Give the network the statistics that are kept."""
        self._copy(self._kept, self._live + self._counts)

    def _copy(self, values: list[Tensor], into: list[Tensor]) -> None:
        # One kernel for many tensors, if all are of one type.
        floats = len(self._live)
        for part in (slice(floats), slice(floats, None)):
            if into[part]:
                torch._foreach_copy_(into[part], values[part])

    def bring_together(self, world: World, updates: list[int]) -> None:
        """Make the statistics of every process those of one process that saw all micro-batches of the step in order.

        updates: micro-batches that each rank has seen since `remember`. An update keeps the share 1 - momentum of what
        was there and adds its own, so what a rank added can be told apart and applied after the ranks before it.
        """
        if not self._live:
            return
        kept = torch.cat([tensor.flatten() for tensor in self._kept[: len(self._live)]])
        shares = torch.cat(
            [torch.full_like(tensor.flatten(), keep) for tensor, keep in zip(self._live, self._keeps, strict=True)]
        )
        merged = kept
        for seen, count in zip(world.gathered(torch.cat([t.flatten() for t in self._live])), updates, strict=True):
            if count:
                share = shares**count
                merged = share * merged + (seen - share * kept)
        self._write(merged, sum(updates))

    def _write(self, values: Tensor, count: int) -> None:
        parts = values.split([tensor.numel() for tensor in self._live])
        for tensor, part in zip(self._live, parts, strict=True):
            tensor.copy_(part)
        for tracked, before in zip(self._counts, self._kept[len(self._live) :], strict=True):
            tracked.copy_(before + count)
