"""Residual networks whose branches may end in squeeze-and-excitation and stochastic depth."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from torch import Tensor, nn
from torchvision.models import resnet
from torchvision.ops import SqueezeExcitation, StochasticDepth

# Hu et al. 2018, table 10: accuracy hardly moves between 2 and 32; theirs is 16.
SE_REDUCTION = 16


class BasicBlock(resnet.BasicBlock):
    """torchvision's, with a part at the end of its branch; without it, the same bytes."""

    branch: nn.Module | None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.branch = None

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', H', W')."""
        out = self.relu(self.bn1(self.conv1(features)))
        out = self.bn2(self.conv2(out))
        return _joined(self, out, features)


class Bottleneck(resnet.Bottleneck):
    """torchvision's v1.5, with a part at the end of its branch; without it, the same bytes."""

    branch: nn.Module | None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.branch = None

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', H', W')."""
        out = self.relu(self.bn1(self.conv1(features)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        return _joined(self, out, features)


def _joined(block: BasicBlock | Bottleneck, out: Tensor, features: Tensor) -> Tensor:
    if block.branch is not None:
        out = block.branch(out)
    out += features if block.downsample is None else block.downsample(features)
    joined: Tensor = block.relu(out)
    return joined


@dataclass(frozen=True)
class _Shape:
    block: type[BasicBlock | Bottleneck]
    blocks: tuple[int, int, int, int]
    more: Mapping[str, int] = field(default_factory=dict)


_SHAPES: Mapping[str, _Shape] = MappingProxyType(
    {
        "resnet18": _Shape(BasicBlock, (2, 2, 2, 2)),
        "resnet34": _Shape(BasicBlock, (3, 4, 6, 3)),
        "resnet50": _Shape(Bottleneck, (3, 4, 6, 3)),
        "resnet101": _Shape(Bottleneck, (3, 4, 23, 3)),
        "resnet152": _Shape(Bottleneck, (3, 8, 36, 3)),
        "wide_resnet50_2": _Shape(Bottleneck, (3, 4, 6, 3), {"width_per_group": 128}),
        "resnext50_32x4d": _Shape(Bottleneck, (3, 4, 6, 3), {"groups": 32, "width_per_group": 4}),
    }
)


def residual_network(name: str, *, se: bool = False, drop_path: float = 0.0) -> resnet.ResNet:
    """Freshly initialised, with torchvision's names of parameters and its ImageNet stem and 1000 outputs.

    se: squeeze-and-excitation (Hu et al. 2018) at the end of every branch. drop_path: stochastic depth (Huang et al.
    2016): in training a picture leaves out the branch of block l of L with probability l / L * drop_path.
    """
    shape = _SHAPES[name]
    network = resnet.ResNet(shape.block, list(shape.blocks), **shape.more)
    blocks = [module for module in network.modules() if isinstance(module, BasicBlock | Bottleneck)]
    for number, block in enumerate(blocks, 1):
        parts: list[nn.Module] = []
        if se:
            channels = block.bn2.num_features if isinstance(block, BasicBlock) else block.bn3.num_features
            parts.append(SqueezeExcitation(channels, channels // SE_REDUCTION))
        if drop_path > 0:
            parts.append(StochasticDepth(drop_path * number / len(blocks), mode="row"))
        if parts:
            block.branch = nn.Sequential(*parts)
    return network
