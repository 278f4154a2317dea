"""The device that was asked for, or an error: a run never moves to the CPU in silence."""

import platform
from dataclasses import dataclass

import torch

from fercli.config.resnet import Precision
from fercli.errors import EnvironmentFailure, UsageError


@dataclass(frozen=True)
class Device:
    """One device that torch can use: name as `--device` takes it, model in words, memory in bytes (0: shared)."""

    name: str
    model: str
    memory: int


def available() -> tuple[Device, ...]:
    """Every usable device, best first; the last one is always the CPU."""
    found: list[Device] = []
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            facts = torch.cuda.get_device_properties(index)
            found.append(Device(f"cuda:{index}", facts.name, facts.total_memory))
    if torch.backends.mps.is_available():
        found.append(Device("mps", f"Apple {platform.machine()}", 0))
    return (*found, Device("cpu", platform.processor() or platform.machine(), 0))


def resolve(name: str) -> torch.device:
    """The device called `cpu`, `cuda`, `cuda:N`, `mps` or `auto` (cuda, else mps, else cpu).

    Raises UsageError for any other name, EnvironmentFailure (exit 5) for a device that is not there.
    """
    there = available()
    if name == "auto":
        return torch.device(there[0].name)
    kind, _, index = name.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (index and (kind != "cuda" or not index.isdecimal())):
        raise UsageError(
            f"there is no device {name!r}",
            where=f"--device {name}",
            next_step="take one of cpu, cuda, cuda:N, mps, auto",
        )
    wanted = "cuda:0" if name == "cuda" else name
    if all(device.name != wanted for device in there):
        raise EnvironmentFailure(
            f"device {name} is not available: {_reason(kind)}",
            where=f"--device {name}",
            next_step=f"run on what is here with --device {' or --device '.join(device.name for device in there)}"
            + ("; `fer doctor` says what is missing" if kind != "cpu" else ""),
        )
    return torch.device(wanted)


def precision_on(device: torch.device, wanted: Precision) -> Precision:
    """fp32 or bf16: what `auto` means on this device. bf16 only where a GPU computes in it, and does not emulate it."""
    if wanted != "auto":
        return wanted
    if device.type != "cuda":
        return "fp32"
    with torch.cuda.device(device):  # what is asked below is asked of the current one
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"


def wait_for(device: torch.device) -> None:
    """Until the device has done all that it was given; a CPU has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _reason(kind: str) -> str:
    if kind == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if count:
            return f"CUDA devices are numbered 0 to {count - 1}"
        if torch.version.cuda is None:
            return f"this build of torch ({torch.__version__}) has no CUDA"
        return f"torch {torch.__version__} was built for CUDA {torch.version.cuda}, but finds no working driver or GPU"
    if not torch.backends.mps.is_built():
        return f"this build of torch ({torch.__version__}) has no Metal (MPS)"
    return "macOS 12.3 and an Apple or AMD GPU are needed for Metal (MPS)"
