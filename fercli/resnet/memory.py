"""The memory of a device: how much was used, how it says that it ran out, and how what it holds is given back."""

import sys

import torch

# How a CPU and an Apple GPU say it, and how cuDNN and cuBLAS do, whose workspaces found no room; CUDA itself has a
# class of its own for it.
_FULL = (
    "can't allocate memory",
    "out of memory",
    "STATUS_ALLOC_FAILED",
    "unable to find an engine",
    "Unable to find a valid cuDNN algorithm",
)


def ran_out(error: RuntimeError) -> bool:
    """Whether the error says that memory ran out."""
    return isinstance(error, torch.OutOfMemoryError) or any(text in str(error) for text in _FULL)


def release(device: torch.device) -> None:
    """Give back what the allocator keeps for later, so that smaller pieces find room."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def most_used(device: torch.device) -> int:
    """Bytes that tensors took at the most on a GPU, or the process in main memory; 0 where the system does not say."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    if device.type == "mps":
        return int(torch.mps.driver_allocated_memory())
    if sys.platform == "win32":
        return 0
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
