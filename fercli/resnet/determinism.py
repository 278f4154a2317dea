"""Torch's global switches and generators, borrowed for a block of code and given back as they were."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torchvision.ops import StochasticDepth

from fercli.resnet.blocks import Output


def has_dropout(network: nn.Module) -> bool:
    """Whether a forward pass in training mode draws random numbers."""
    return any(
        (isinstance(module, nn.Dropout | StochasticDepth) and module.p > 0)
        or (isinstance(module, Output) and module.dropout > 0)
        for module in network.modules()
    )


@contextmanager
def deterministic(device: torch.device) -> Iterator[None]:
    """Deterministic kernels while the block runs on a CPU; on a GPU the fastest ones, found once for each shape."""
    if device.type == "cuda":
        searched = torch.backends.cudnn.benchmark
        torch.backends.cudnn.benchmark = True
        try:
            yield
        finally:
            torch.backends.cudnn.benchmark = searched
        return
    if device.type != "cpu":
        yield
        return
    before, warned = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    switches: Any = torch.utils.deterministic
    filled = switches.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True)
    # It would zero every new tensor, to show reads of memory that nothing wrote; no kernel used here does that.
    switches.fill_uninitialized_memory = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warned)
        switches.fill_uninitialized_memory = filled


@contextmanager
def exact() -> Iterator[None]:
    """Convolutions of float32 in float32 in the block: on newer GPUs torch would round their inputs to TF32.

    Which values round up and which down can hang on the other pictures of a batch, to a relative 1e-3.
    """
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


@contextmanager
def seeded(device: torch.device, seed: int, drawn: bool = True) -> Iterator[None]:
    """The device's default generator starts at `seed` in the block, and afterwards stands where it stood.

    Dropout takes no generator of its own. drawn: False where nothing draws, which saves the work.
    """
    if not drawn:
        yield
        return
    if device.type == "cuda":
        generator = torch.cuda.default_generators[device.index or 0]
    elif device.type == "mps":
        generator = torch.mps._get_default_mps_generator()
    else:
        generator = torch.default_generator
    before = generator.get_state()
    generator.manual_seed(seed)
    try:
        yield
    finally:
        generator.set_state(before)
