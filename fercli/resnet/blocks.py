"""Parts that torchvision's networks lack: stems for small and gray pictures, and the plain convolutional net."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class Stem(nn.Conv2d):
    """First convolution that takes gray pictures as `in_channels` equal channels, without repeating them.

    A sum of the kernel over its input channels gives the same output and gradient as repeated channels, at a third
    of the multiply-adds. Weights keep the shape and name of the convolution it stands for.
    """

    def forward(self, pictures: Tensor) -> Tensor:
        """(N, 1 or in_channels, H, W) -> (N, out_channels, H', W')."""
        if pictures.shape[1] == self.in_channels:
            return super().forward(pictures)
        # The sum's strides name no layout, and the maps behind would take the other one: cuDNN is slower in it.
        kernel = self.weight.sum(dim=1, keepdim=True).to(memory_format=torch.channels_last)
        return self._conv_forward(pictures, kernel, self.bias)


class Output(nn.Linear):
    """Fully connected output with dropout before it; its parameters are named as a plain linear layer's."""

    def __init__(self, features: int, outputs: int, dropout: float) -> None:
        super().__init__(features, outputs)
        self.dropout = dropout

    def forward(self, features: Tensor) -> Tensor:
        """(N, features) -> (N, outputs) logits."""
        return super().forward(functional.dropout(features, self.dropout, self.training))


class PlainCnn(nn.Module):
    """VGG-like net without shortcuts: 4 stages of two 3x3 convolutions, each halved by max pooling.

    Stages have width, 2, 4 and 8 times width channels, batch norm after each convolution, then global average
    pooling and one output layer (Simonyan and Zisserman 2015 with batch norm and without the three fully connected
    layers). Any input of at least 16 pixels a side.
    """

    def __init__(self, in_channels: int, classes: int, width: int, dropout: float) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = in_channels
        for stage in range(4):
            for _ in range(2):
                wide = width * 2**stage
                first = Stem if not layers else nn.Conv2d
                layers += [first(channels, wide, 3, padding=1, bias=False), nn.BatchNorm2d(wide), nn.ReLU(inplace=True)]
                channels = wide
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.fc = Output(channels, classes, dropout)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, pictures: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, classes) logits."""
        return self.fc(torch.flatten(functional.adaptive_avg_pool2d(self.features(pictures), 1), 1))


def make_stem(in_channels: int, out_channels: int, *, small: bool) -> Stem:
    """A freshly initialised first convolution: 7x7 with stride 2; small: 3x3 with stride 1 (He et al., CIFAR-10)."""
    shape = (3, 1, 1) if small else (7, 2, 3)
    stem = Stem(in_channels, out_channels, shape[0], stride=shape[1], padding=shape[2], bias=False)
    nn.init.kaiming_normal_(stem.weight, mode="fan_out", nonlinearity="relu")
    return stem
