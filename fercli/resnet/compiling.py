"""The forward and backward pass of training, compiled by torch.compile."""

import importlib.util
import os
import shutil
from typing import Any

import torch
from torch import nn

from fercli.errors import EnvironmentFailure

BACKEND: Any = "inductor"
_COMPILERS = ("c++", "g++", "clang++", "cl")
# Those that triton builds its launchers with.
_C_COMPILERS = ("gcc", "clang", "cl")


def check_compiler(device: torch.device) -> None:
    """Raises EnvironmentFailure where what torch.compile needs is missing: triton and a C compiler on a GPU, else one
    for C++."""
    if device.type == "cuda" and not importlib.util.find_spec("triton"):
        missing = "the package triton"
    elif device.type == "cuda":
        missing = "" if _stands(os.environ.get("CC", ""), *_C_COMPILERS) else "a C compiler"
    else:
        missing = "" if _stands(os.environ.get("CXX", ""), *_COMPILERS) else "a C++ compiler"
    if missing:
        raise EnvironmentFailure(
            f"torch.compile needs {missing} for {device.type}, which is not here",
            where="--compile",
            next_step="leave --compile out, or install it",
        )


def _stands(*names: str) -> bool:
    return any(shutil.which(name) for name in names if name)


def compiled(network: nn.Module) -> nn.Module:
    """The network's pass, compiled at its first call for a shape of batch; parameters are shared with `network`.

    Code is kept for a network's class and shapes, not for its weights: the next fold's network takes it up. It is not
    a captured CUDA graph: kernels are fused, and still launched one by one.
    """
    compile_: Any = torch.compile
    made: nn.Module = compile_(network, backend=BACKEND, dynamic=False)
    return made
