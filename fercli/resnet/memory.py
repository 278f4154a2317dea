"""A device that ran out of memory: how it says so, and how what it holds is given back."""

import torch

# How a CPU and an Apple GPU say it; CUDA has a class of its own for it.
_FULL = ("can't allocate memory", "out of memory")


def ran_out(error: RuntimeError) -> bool:
    """Whether the error says that memory ran out."""
    return isinstance(error, torch.OutOfMemoryError) or any(text in str(error) for text in _FULL)


def release(device: torch.device) -> None:
    """Give back what the allocator keeps for later, so that smaller pieces find room."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
