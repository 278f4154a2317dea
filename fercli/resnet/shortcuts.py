"""Where the shortcuts of a network are, read off the network itself."""

from dataclasses import dataclass
from typing import Literal

import torch

from fercli.config.resnet import Architecture
from fercli.resnet.heads import FullyConnectedBlock
from fercli.resnet.residual import BasicBlock, Bottleneck
from fercli.resnet.variants import build


@dataclass(frozen=True)
class Shortcut:
    """The shortcut around one block: as it is or by a projection; activated: a ReLU follows the sum."""

    kind: Literal["identity", "projection"]
    activated: bool


def shortcuts(architecture: Architecture) -> dict[str, Shortcut]:
    """Names of the blocks that have a shortcut, in the order of the network; no memory is taken by weights.

    Names are those that `layers` prefixes to the layers of a block. Raises InputError where `layers` does.
    """
    with torch.device("meta"):
        network = build(architecture)
    found = {}
    for name, module in network.named_modules():
        if isinstance(module, BasicBlock | Bottleneck):
            found[name] = Shortcut("identity" if module.downsample is None else "projection", activated=True)
        elif isinstance(module, FullyConnectedBlock) and module.shortcut:
            found[name] = Shortcut("identity", activated=False)
    return found
