"""Probabilities of rows under a network in evaluation mode."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from fercli.resnet.batches import Normaliser, Pictures

# Pixels of a batch: 256 faces of 48x48 or 5 frames of 720x576, whose feature maps stay below about 1 GB.
SCORING_PIXELS = 2**21
SCORING_BATCH = 256


def scoring_batch(size: tuple[int, int]) -> int:
    """How many pictures of `size` (height, width) are scored at a time."""
    return max(1, min(SCORING_BATCH, SCORING_PIXELS // (size[0] * size[1])))


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """The network in evaluation mode and without gradients; its former mode comes back afterwards."""
    training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        network.train(training)


def logits(
    network: nn.Module,
    pictures: Pictures,
    normaliser: Normaliser,
    rows: NDArray[np.int64],
    *,
    batch: int | None = None,
) -> Tensor:
    """(n, classes) float32 logits of `rows`, on the pictures' device; always in float32, whatever it was trained in."""
    batch = batch or scoring_batch(pictures.size)
    with evaluating(network):
        parts = [network(normaliser(pictures.raw(rows[start : start + batch]))) for start in range(0, len(rows), batch)]
        return torch.cat(parts)


def probabilities(
    network: nn.Module,
    pictures: Pictures,
    normaliser: Normaliser,
    rows: NDArray[np.int64],
    *,
    batch: int | None = None,
) -> NDArray[np.float32]:
    """(n, classes) float32 softmax probabilities of `rows`, without augmentation.

    A row scores the same to 1e-5 whatever else is in its batch: batch norm uses its stored statistics.
    """
    scored = functional.softmax(logits(network, pictures, normaliser, rows, batch=batch), dim=1)
    return scored.cpu().numpy()


def loss_and_accuracy(
    network: nn.Module, pictures: Pictures, normaliser: Normaliser, rows: NDArray[np.int64], targets: NDArray[np.int64]
) -> tuple[float, float]:
    """Mean cross entropy and accuracy over `rows` with `targets` (N,); NaN without rows.

    Unlabelled rows (target -1) do not count.
    """
    rows = rows[targets[rows] >= 0]
    if not len(rows):
        return float("nan"), float("nan")
    scored = logits(network, pictures, normaliser, rows)
    truth = torch.from_numpy(targets[rows]).to(scored.device)
    loss = functional.cross_entropy(scored, truth)
    return float(loss), int((scored.argmax(dim=1) == truth).sum()) / len(rows)
