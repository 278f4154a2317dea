"""What a device does at best: the limits that a training step is held against."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from fercli.config.resnet import Precision
from fercli.resnet.devices import wait_for

SIZE = (48, 48)


@dataclass(frozen=True)
class Ceiling:
    """What the device does at best: the fastest of a few runs.

    unit: GFLOP/s, counted as the definition of the arithmetic has it; GB/s read and written by a copy.
    """

    implementation: str
    precision: str
    device: str
    threads: int
    seconds: float
    rate: float
    unit: str


def ceilings(
    device: torch.device, threads: int, side: int, repeats: int = 5, precision: Precision = "fp32"
) -> tuple[Ceiling, ...]:
    """The product of two squares, a 3x3 convolution of about side / 6 channels, and a copy of what no cache holds.

    The arithmetic in this precision. The convolution can beat the product: on a CPU the two come from different
    libraries, which need not use the same instructions. On a GPU a product of float32 may use TF32 where convolutions
    may, as they do by default.
    """
    kind, name = (torch.bfloat16, "bf16") if precision == "bf16" else (torch.float32, "fp32")
    a, b = (torch.rand(side, side, device=device, dtype=kind) for _ in range(2))
    block = torch.rand(16 * side * side, device=device)
    into = torch.empty_like(block)
    allowed = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32
    try:
        product = min(_until_done(lambda: a @ b, device) for _ in range(repeats + 1))
    finally:
        torch.backends.cuda.matmul.allow_tf32 = allowed
    # In whole tiles where there are many: a GPU's tensor cores take multiples of 8 channels.
    channels, batch = (side // 6 // 64 * 64 if side >= 384 else side // 6), 16
    kernel = torch.rand(channels, channels, 3, 3, device=device, dtype=kind).contiguous(
        memory_format=torch.channels_last
    )
    maps = torch.rand(batch, channels, *SIZE, device=device, dtype=kind).contiguous(memory_format=torch.channels_last)
    work = 2 * 9 * channels**2 * batch * SIZE[0] * SIZE[1]
    convolved = min(
        _until_done(lambda: torch.nn.functional.conv2d(maps, kernel, padding=1), device) for _ in range(repeats + 1)
    )
    copy = min(_until_done(lambda: into.copy_(block), device) for _ in range(repeats + 1))
    done = (
        (f"matrix product {side}", name, product, 2 * side**3, "GFLOP/s"),
        (f"3x3 convolution {channels}", name, convolved, work, "GFLOP/s"),
        (f"copy of {block.nbytes >> 20} MiB", "", copy, 2 * block.nbytes, "GB/s"),
    )
    return tuple(
        Ceiling(what, used, str(device), threads, seconds, amount / seconds / 1e9, unit)
        for what, used, seconds, amount, unit in done
    )


def _until_done(job: Callable[[], object], device: torch.device) -> float:
    begun = time.perf_counter()
    job()
    wait_for(device)
    return time.perf_counter() - begun
