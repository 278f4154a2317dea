"""The two fully connected blocks that Du puts behind ResNet50."""

from torch import Tensor, nn


class FullyConnectedBlock(nn.Module):
    """Dropout, fully connected layer, batch norm, ReLU; with `shortcut` the input is added to the result."""

    def __init__(self, features: int, width: int, dropout: float, *, shortcut: bool) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        # Batch norm has its own bias and cancels the layer's.
        self.linear = nn.Linear(features, width, bias=False)
        self.norm = nn.BatchNorm1d(width)
        self.relu = nn.ReLU()
        self.shortcut = shortcut

    def forward(self, features: Tensor) -> Tensor:
        """(N, features) -> (N, width)."""
        out: Tensor = self.relu(self.norm(self.linear(self.dropout(features))))
        return features + out if self.shortcut else out


class DuHead(nn.Module):
    """Du 2023, figure 2: flattened feature maps -> block 1 -> block 2 -> logits.

    Only block 2 keeps its width, so only it can have an identity shortcut. Width and the place of the fully
    connected layer within a block are not in the paper: the order is that of section 2.2, the width an option.
    The softmax is left to the loss and to scoring.
    """

    def __init__(self, features: int, width: int, dropout: float, classes: int) -> None:
        super().__init__()
        self.block1 = FullyConnectedBlock(features, width, dropout, shortcut=False)
        self.block2 = FullyConnectedBlock(width, width, dropout, shortcut=True)
        self.output = nn.Linear(width, classes)

    def forward(self, flat: Tensor) -> Tensor:
        """(N, features) -> (N, classes) logits."""
        logits: Tensor = self.output(self.block2(self.block1(flat)))
        return logits
