"""Weights to start from: torchvision's ImageNet weights, or a file; nothing that is read can run code."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError  # noqa: TID251 - the name of an error that torch raises, nothing is unpickled
from urllib.error import URLError

import safetensors.torch
import torch
import torchvision
from safetensors import SafetensorError
from torch import Tensor, nn

from fercli.config.resnet import VARIANTS, variant_of
from fercli.errors import EnvironmentFailure, InputError, UsageError

FIRST = ("conv1.weight", "conv1.conv.weight", "features.0.weight")
OUTPUT = "fc."
BRANCH = ".branch."
_SHOWN = 5


@dataclass(frozen=True)
class Loaded:
    """How many tensors came from the file, and the names of those that start anew: output, another stem, squeezing."""

    taken: int
    fresh: tuple[str, ...]


def read_weights(source: str, variant: str) -> dict[str, Tensor]:
    """The tensors of `imagenet`, a `.safetensors` file or a `.pth`/`.pt` file (read with `weights_only=True`).

    Raises UsageError where a variant has no ImageNet weights, EnvironmentFailure (exit 5) where they cannot be
    downloaded, InputError for a file that is missing, unreadable or would run code.
    """
    if source == "imagenet":
        return _imagenet(variant)
    path = Path(source)
    if not path.is_file():
        raise InputError(
            "there is no such file of weights", where=f"--weights {source}", next_step="give none, imagenet or a file"
        )
    if path.suffix == ".safetensors":
        try:
            return safetensors.torch.load_file(path)
        except (SafetensorError, OSError) as error:
            raise InputError(f"not a readable safetensors file: {error}", where=str(path)) from None
    if path.suffix not in (".pth", ".pt"):
        raise InputError(
            f"weights are read from .safetensors, .pth and .pt, not from {path.suffix or 'a file without suffix'}",
            where=str(path),
        )
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (UnpicklingError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise InputError(
            f"not a file of plain tensors: {str(error).splitlines()[0]}",
            where=str(path),
            next_step="save the state_dict() alone, best as .safetensors; files that run code are never opened",
        ) from None
    return _tensors(found, path)


def load_weights(network: nn.Module, tensors: Mapping[str, Tensor], *, where: str) -> Loaded:
    """Put `tensors` into the network by name.

    The output layer starts anew where its shape differs, and so do the first convolution where its kernel does and
    squeeze-and-excitation where the file has none; a first convolution for gray pictures is spread evenly over three
    equal channels. Any other tensor that is missing or of another shape is an InputError: half a network would train
    without a word.
    """
    own = network.state_dict()
    given = {_plain(name): tensor for name, tensor in tensors.items()}
    chosen: dict[str, Tensor] = {}
    fresh: list[str] = []
    wrong: list[str] = []
    for name, tensor in own.items():
        found = given.get(name)
        if found is not None and name in FIRST and found.shape[1] == 1 and tensor.shape[1] == 3:
            found = found.repeat(1, 3, 1, 1) / 3
        if found is not None and found.shape == tensor.shape:
            chosen[name] = found
        elif (
            name.startswith(OUTPUT)
            or (found is None and BRANCH in name)
            or (found is not None and name in FIRST and found.shape[1] == tensor.shape[1])
        ):
            fresh.append(name)
        elif found is None and name.endswith("num_batches_tracked"):
            chosen[name] = tensor
        else:
            shape = "missing" if found is None else f"{tuple(found.shape)} in the file"
            wrong.append(f"{name} {tuple(tensor.shape)}: {shape}")
    if wrong:
        more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise InputError(
            f"the weights do not fit the network: {'; '.join(wrong[:_SHOWN])}{more}",
            where=where,
            next_step="take the --variant (and --width, --stem) that the weights were trained with",
        )
    network.load_state_dict({**own, **chosen})
    return Loaded(len(chosen), tuple(fresh))


def _plain(name: str) -> str:
    """The name without what DataParallel and torch.compile put before it."""
    return name.removeprefix("module.").removeprefix("_orig_mod.")


def _tensors(found: object, path: Path) -> dict[str, Tensor]:
    for key in ("state_dict", "model"):
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
    if not isinstance(found, Mapping) or not found or not all(isinstance(value, Tensor) for value in found.values()):
        raise InputError("the file holds no state_dict", where=str(path), next_step="save network.state_dict() alone")
    return {str(name): tensor for name, tensor in found.items()}


def _imagenet(variant: str) -> dict[str, Tensor]:
    name = variant_of(variant).imagenet
    if not name:
        owners = [other.name for other in VARIANTS.values() if other.imagenet]
        raise UsageError(
            f"torchvision has no ImageNet weights for {variant}",
            where="--weights imagenet",
            next_step=f"take --weights none, or one of {', '.join(owners)}",
        )
    weights = torchvision.models.get_weight(name)
    try:
        return dict(weights.get_state_dict(progress=False, check_hash=True))
    except (URLError, OSError, RuntimeError) as error:
        file = weights.url.rsplit("/", 1)[1]
        raise EnvironmentFailure(
            f"the ImageNet weights of {variant} are not on this machine and cannot be downloaded: {error}",
            where=weights.url,
            next_step=f"fetch that file by hand and give --weights {file}, "
            f"or put it into {torch.hub.get_dir()}/checkpoints",
        ) from None
