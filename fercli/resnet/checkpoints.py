"""A training saved between two steps, in one file that is whole or not there."""

import hashlib
import json
import math
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from fercli.errors import ArtifactError
from fercli.resnet.progress import EpochRecord
from fercli.resnet.schedules import Plateau
from fercli.resnet.training import Training, copied

NAME = "checkpoint.safetensors"
SCHEMA = 2


def dump(training: Training) -> bytes:
    """Weights, their average, optimizer and progress as safetensors; the progress is JSON in its header.

    One file, so that one rename replaces weights and progress together.
    """
    tensors = {f"network.{name}": tensor for name, tensor in copied(training.network.state_dict()).items()}
    tensors |= _optimizer_tensors(training)
    if training.average is not None:
        averaged = copied(training.average.network.state_dict())
        tensors |= {f"average.{name}": tensor for name, tensor in averaged.items()}
    if training.progress.best_state is not None:
        tensors |= {f"best.{name}": tensor for name, tensor in training.progress.best_state.items()}
    state = _state(training)
    header = {"schema": str(SCHEMA), "state": state, "sha256": _digest(tensors, state)}
    data: bytes = safetensors.torch.save(tensors, header)
    return data


def save(training: Training, folder: Path) -> Path:
    """Write `dump` as `folder/checkpoint.safetensors`: the former file or the new one stands, never a part."""
    folder.mkdir(parents=True, exist_ok=True)
    path, partial = folder / NAME, folder / f".{NAME}.partial"
    with partial.open("wb") as file:
        file.write(dump(training))
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
    _flush_folder(folder)
    return path


def _flush_folder(folder: Path) -> None:
    """Make the new name durable; nothing where folders cannot be opened (Windows)."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def resume(training: Training, folder: Path) -> bool:
    """Put a fresh training where the checkpoint in `folder` left off; False where there is none.

    The training must stand on the same network, task and config; the caller's key says so. Raises ArtifactError,
    naming the file, when it is truncated, altered, of another version or of another network.
    """
    path = folder / NAME
    if not path.exists():
        return False
    tensors, state = _read(path)
    try:
        _restore(training, tensors, state)
    except (KeyError, TypeError, RuntimeError, ValueError) as error:
        raise _unfit(path, "it belongs to another network or config") from error
    return True


def epochs_done(folder: Path) -> int:
    """How many epochs the checkpoint in `folder` has behind it; 0 where there is none or it cannot be read."""
    try:
        with safe_open(folder / NAME, framework="pt") as file:
            return int(json.loads(file.metadata()["state"])["epoch"])
    except (SafetensorError, OSError, TypeError, KeyError, ValueError):
        return 0


def _restore(training: Training, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
    history = [EpochRecord(**{key: _number(value) for key, value in record.items()}) for record in state["history"]]
    training.network.load_state_dict(_below("network.", tensors))
    if training.average is not None:
        training.average.network.load_state_dict(_below("average.", tensors))
    parameters = [parameter for group in training.optimizer.param_groups for parameter in group["params"]]
    optimizer = training.optimizer.state_dict()
    optimizer["state"] = {}
    for name, tensor in _below("optimizer.", tensors).items():
        index, key = name.split(".", 1)
        parameter = parameters[int(index)]
        if tensor.shape == parameter.shape:
            # Fused optimizers walk through memory: moments must lie as their parameter lies (channels last).
            tensor = torch.empty_like(parameter, dtype=tensor.dtype).copy_(tensor)
        optimizer["state"].setdefault(int(index), {})[key] = tensor
    training.optimizer.load_state_dict(optimizer)
    progress = training.progress
    progress.epoch, progress.stopped = state["epoch"], state["stopped"]
    progress.step, progress.totals, progress.spent = state["step"], tuple(state["totals"]), state["spent"]
    progress.micro_batch = state["micro_batch"]
    progress.best_epoch, progress.best_loss = state["best_epoch"], _number(state["best_loss"], math.inf)
    plateau = state["plateau"]
    progress.plateau = Plateau(_number(plateau["best"], math.inf), plateau["waited"], plateau["factor"])
    progress.best_state = _below("best.", tensors) or None
    progress.history[:] = history
    training.restore_totals(progress.totals)


def _optimizer_tensors(training: Training) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for index, values in training.optimizer.state_dict()["state"].items():
        found |= {
            f"optimizer.{index}.{key}": tensor
            for key, tensor in copied({key: value for key, value in values.items() if value is not None}).items()
        }
    return found


def _state(training: Training) -> str:
    progress = training.settle()
    return json.dumps(
        {
            "epoch": progress.epoch,
            "step": progress.step,
            "totals": list(progress.totals),
            "spent": progress.spent,
            "micro_batch": progress.micro_batch,
            "stopped": progress.stopped,
            "best_epoch": progress.best_epoch,
            "best_loss": _finite(progress.best_loss),
            "plateau": {key: _finite(value) for key, value in asdict(progress.plateau).items()},
            "history": [{key: _finite(value) for key, value in asdict(record).items()} for record in progress.history],
        },
        allow_nan=False,
    )


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError) as error:
        raise _unfit(path, "it is truncated or not a safetensors file") from error
    if header.get("schema") != str(SCHEMA):
        raise _unfit(path, f"it has schema {header.get('schema')}, this release reads {SCHEMA}")
    state = header.get("state", "")
    if header.get("sha256") != _digest(tensors, state):
        raise _unfit(path, "its contents do not match their hash")
    return tensors, json.loads(state)


def _unfit(path: Path, reason: str) -> ArtifactError:
    return ArtifactError(
        f"the checkpoint cannot be used: {reason}",
        where=str(path),
        next_step="delete the file, or start anew with --force",
    )


def _digest(tensors: dict[str, Tensor], state: str) -> str:
    digest = hashlib.sha256(state.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name}:{tensor.dtype}:{tuple(tensor.shape)}".encode())
        digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _number(value: Any, undefined: float = math.nan) -> Any:
    return undefined if value is None else value
