"""Several processes that train one network together, started by torchrun.

N processes with --accumulate A make the steps of one process with --accumulate N*A: each step's micro-batches are
dealt to the ranks in order, gradients are averaged by DistributedDataParallel, and the running statistics of batch
norm are those of one process that saw the micro-batches in that order. Rank 0 alone decides, measures, writes and
speaks; the others follow it step by step.
"""

import inspect
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from fercli.config.resnet import ResNetConfig
from fercli.errors import UsageError

# Rank 0 scores and stores between trainings while the others wait; one that dies is noticed at once all the same.
_PATIENCE = timedelta(days=1)
# The newer name of the same option, where torch has it.
_NAMES = inspect.signature(DistributedDataParallel).parameters
_BUFFERS = "forward_sync_buffers" if "forward_sync_buffers" in _NAMES else "broadcast_buffers"


def launched() -> tuple[int, int]:
    """Rank and number of processes that torchrun gave this one; (0, 1) without it."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return 0, 1
    return int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])


def local_device(name: str) -> str:
    """The device of this process: with torchrun `cuda` and `auto` mean the GPU of the process' own number.

    Raises UsageError where one GPU is named for all processes, or Metal, which cannot be shared.
    """
    _, size = launched()
    if size == 1 or name == "cpu":
        return name
    if name not in ("auto", "cuda"):
        raise UsageError(
            f"{size} processes cannot share the device {name}",
            where=f"--device {name}",
            next_step="take --device cuda, which gives each process its own GPU, or --device cpu",
        )
    return f"cuda:{os.environ['LOCAL_RANK']}" if name == "cuda" or torch.cuda.is_available() else "cpu"


class World:
    """The processes of one training; alone, nothing is sent."""

    def __init__(self, rank: int = 0, size: int = 1, *, synchronised: bool = False) -> None:
        """synchronised: batch norm over the micro-batches of all ranks together (CUDA), not over each."""
        self.rank = rank
        self.size = size
        self.synchronised = synchronised

    @property
    def leads(self) -> bool:
        """Whether this is the process that decides, writes and speaks."""
        return self.rank == 0

    def alone(self, config: ResNetConfig) -> ResNetConfig:
        """The config with which one process would make the same steps; it is what is stored."""
        if self.synchronised:
            return config.model_copy(update={"batch_size": config.batch_size * self.size})
        return config.model_copy(update={"accumulate": config.accumulate * self.size})

    def share_of(self, pieces: list[slice], accumulate: int) -> tuple[int, list[slice]]:
        """The micro-batches of a step that are this rank's, and the place of the first among all.

        accumulate: micro-batches in a whole step. The last step of an epoch may leave a rank without any. With
        synchronised batch norm each micro-batch is divided among the ranks instead.
        """
        if self.size == 1:
            return 0, pieces
        if self.synchronised:
            return self.rank * accumulate, [self._cut(piece) for piece in pieces]
        each = accumulate // self.size
        return self.rank * each, pieces[self.rank * each : (self.rank + 1) * each]

    def shares(self, pieces: list[slice], accumulate: int) -> list[int]:
        """How many micro-batches of a step each rank has."""
        return [len(World(rank, self.size).share_of(pieces, accumulate)[1]) for rank in range(self.size)]

    def _cut(self, piece: slice) -> slice:
        rows = piece.stop - piece.start
        return slice(piece.start + rows * self.rank // self.size, piece.start + rows * (self.rank + 1) // self.size)

    def wrapped(self, network: nn.Module, device: torch.device) -> nn.Module:
        """The network to train through: itself, or one whose gradients are averaged over the ranks."""
        if self.size == 1:
            return network
        indices = [device] if device.type == "cuda" else None
        # Statistics are brought together after each step, not copied from rank 0 before it.
        apart: dict[str, Any] = {_BUFFERS: False}
        return DistributedDataParallel(network, device_ids=indices, **apart)

    def kept_apart(self, network: nn.Module, apart: bool) -> AbstractContextManager[None]:
        """Gradients of a wrapped network add up on each rank alone in the block, while more micro-batches come."""
        if apart and isinstance(network, DistributedDataParallel):
            waiting: AbstractContextManager[None] = network.no_sync()
            return waiting
        return nullcontext()

    def summed(self, values: Tensor) -> Tensor:
        """The sum over all ranks, on each."""
        if self.size > 1:
            dist.all_reduce(values)
        return values

    def gathered(self, values: Tensor) -> list[Tensor]:
        """The tensors of all ranks in their order, on each."""
        if self.size == 1:
            return [values]
        found = [torch.empty_like(values) for _ in range(self.size)]
        dist.all_gather(found, values.contiguous())
        return found

    def numbers(self, values: tuple[float, ...]) -> tuple[float, ...]:
        """Rank 0's numbers, on each rank; what the others give only says how many."""
        if self.size == 1:
            return values
        told = torch.tensor(values, dtype=torch.float64)
        dist.broadcast(told, 0)
        return tuple(told.tolist())

    def tell(self, text: str = "") -> str:
        """Rank 0's text, on each rank."""
        if self.size == 1:
            return text
        (length,) = self.numbers((float(len(text.encode())),))
        told = torch.frombuffer(bytearray(text.encode()), dtype=torch.uint8) if self.leads and text else None
        told = told if told is not None else torch.empty(int(length), dtype=torch.uint8)
        if len(told):
            dist.broadcast(told, 0)
        return bytes(told.tolist()).decode()


@contextmanager
def joined(device: str, *, synchronised: bool = False) -> Iterator[World]:
    """The processes that torchrun started, gloo between CPUs and nccl between GPUs; alone where it started none."""
    rank, size = launched()
    if size == 1:
        yield World(synchronised=synchronised)
        return
    cuda = device.startswith("cuda") and torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(torch.device(device))
    dist.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo", timeout=_PATIENCE)
    try:
        yield World(rank, size, synchronised=synchronised)
    finally:
        dist.destroy_process_group()
