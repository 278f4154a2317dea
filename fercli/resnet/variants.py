"""Networks by name: torchvision's, with the stem, shortcut or head that a variant changes."""

from dataclasses import dataclass
from typing import Any

import torch
import torchvision
from torch import Tensor, nn

from fercli import seeds
from fercli.config.resnet import Architecture, variant_of
from fercli.errors import InputError
from fercli.resnet.blocks import Output, PlainCnn, make_stem
from fercli.resnet.heads import DuHead
from fercli.resnet.residual import residual_network

_TORCHVISION = {"xu-resnet": "resnet18", "du-improved-resnet50": "resnet50"}
_SMALLEST = {"cnn": 16, "googlenet": 15}


@dataclass(frozen=True)
class Described:
    """A variant at one input: parameters, and multiply-adds of one picture's forward pass in
    convolutions and fully connected layers."""

    name: str
    source: str
    size: tuple[int, int]
    channels: int
    classes: int
    parameters: int
    multiply_adds: int


@dataclass(frozen=True)
class Layer:
    """One layer of a network for `show --layers`: its output without the batch dimension, its own parameters."""

    name: str
    kind: str
    output: tuple[int, ...]
    parameters: int
    multiply_adds: int


def build(architecture: Architecture, seed: int = 0, *path: str | int) -> nn.Module:
    """Freshly initialised network, float32 on the CPU; the weights depend on (seed, path) only.

    It maps (N, C, H, W) to (N, classes) logits. Parameters carry torchvision's names, so its weights fit.
    Raises InputError when the pictures are too small for the network.
    """
    _check_size(architecture)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seeds.integer(seed, "resnet.init", *path))
        return _assemble(architecture)


def layers(architecture: Architecture) -> list[Layer]:
    """Every layer that holds parameters or changes the shape, in the order of the forward pass."""
    _check_size(architecture)
    with torch.device("meta"):
        network = _assemble(architecture).eval()
    found: list[Layer] = []

    def hook(name: str) -> Any:
        def record(module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
            own = sum(parameter.numel() for parameter in module.parameters(recurse=False))
            adds = _multiply_adds(module, output)
            found.append(Layer(name, type(module).__name__, tuple(output.shape[1:]), own, adds))

        return record

    for name, module in network.named_modules():
        if not any(module.children()):
            module.register_forward_hook(hook(name))
    # Counted at the channels that the paper's input has: equal channels are a cheaper way to the same numbers.
    channels = 3 if architecture.equal_channels else architecture.channels
    with torch.no_grad():
        network(torch.empty(1, channels, *architecture.input_size, device="meta"))
    return found


def describe(architecture: Architecture) -> Described:
    """Size and cost of a network, counted on shapes alone (no memory is taken, nothing is computed)."""
    counted = layers(architecture)
    return Described(
        name=architecture.variant,
        source=variant_of(architecture.variant).source,
        size=architecture.size,
        channels=architecture.channels,
        classes=architecture.classes,
        parameters=sum(layer.parameters for layer in counted),
        multiply_adds=sum(layer.multiply_adds for layer in counted),
    )


def _multiply_adds(module: nn.Module, output: Tensor) -> int:
    if isinstance(module, nn.Conv2d):
        return output[0].numel() * module.weight[0].numel()
    return module.weight.numel() if isinstance(module, nn.Linear) else 0


def _check_size(architecture: Architecture) -> None:
    smallest = _SMALLEST.get(architecture.variant, 1)
    if min(architecture.input_size) < smallest:
        height, width = architecture.input_size
        larger = f"--crop {smallest} or " if architecture.crop and min(architecture.size) >= smallest else ""
        raise InputError(
            f"{architecture.variant} needs pictures of at least {smallest} pixels a side",
            where=f"{'crops' if architecture.crop else 'pictures'} of {height}x{width}",
            next_step=f"import the data with --size {max(48, smallest)}, or take {larger}another --variant",
        )


def _assemble(architecture: Architecture) -> nn.Module:
    name = architecture.variant
    in_channels = 3 if architecture.equal_channels else architecture.channels
    dropout = architecture.dropout or 0.0
    if name == "cnn":
        return PlainCnn(in_channels, architecture.classes, architecture.width or 32, dropout)
    if name == "googlenet":
        return _googlenet(in_channels, architecture.classes, dropout)
    network = residual_network(
        _TORCHVISION.get(name, name), se=bool(architecture.se), drop_path=architecture.drop_path or 0.0
    )
    small = architecture.stem in ("small", "small-pool")
    network.conv1 = make_stem(in_channels, 64, small=small)
    if architecture.stem == "small":
        network.maxpool = nn.Identity()
    features = network.fc.in_features
    if name == "du-improved-resnet50":
        stride = {"imagenet": 32, "small-pool": 16, "small": 8}[architecture.stem or "imagenet"]
        positions = [-(-side // stride) for side in architecture.input_size]
        network.avgpool = nn.Identity()
        network.fc = DuHead(
            features * positions[0] * positions[1], architecture.head_width or 64, dropout, architecture.classes
        )
    else:
        network.fc = Output(features, architecture.classes, dropout)
    return network


def _googlenet(in_channels: int, classes: int, dropout: float) -> nn.Module:
    network = torchvision.models.googlenet(weights=None, aux_logits=False, init_weights=True, dropout=dropout)
    network.conv1.conv = make_stem(in_channels, 64, small=False)
    network.fc = nn.Linear(network.fc.in_features, classes)
    return network
