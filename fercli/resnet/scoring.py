"""Probabilities of rows under a network in evaluation mode."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from fercli.resnet.batches import Normaliser, Pictures
from fercli.resnet.determinism import exact
from fercli.resnet.views import View

# Pixels of a batch: 256 faces of 48x48 or 5 frames of 576x720, whose feature maps stay below about 1 GB.
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
    views: Sequence[View] = (),
    batch: int | None = None,
) -> Tensor:
    """(V, n, classes) float32 logits of each view of `rows`, on the pictures' device; without views, V = 1 and the
    whole picture. Always in float32, whatever the network was trained in.
    """
    batch = batch or scoring_batch(pictures.size)
    with evaluating(network), exact():
        parts = []
        for start in range(0, len(rows), batch):
            whole = normaliser(pictures.raw(rows[start : start + batch]))
            parts.append(torch.stack([network(view.of(whole)) for view in views] if views else [network(whole)]))
        return torch.cat(parts, dim=1)


def view_probabilities(
    network: nn.Module,
    pictures: Pictures,
    normaliser: Normaliser,
    rows: NDArray[np.int64],
    views: Sequence[View] = (),
    *,
    batch: int | None = None,
) -> NDArray[np.float32]:
    """(V, n, classes) float32 softmax probabilities of each view of `rows`, without augmentation.

    A row scores the same to 1e-5 whatever else is in its batch: batch norm uses its stored statistics.
    """
    scored = functional.softmax(logits(network, pictures, normaliser, rows, views=views, batch=batch), dim=2)
    return scored.cpu().numpy()


def mean_of_views(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """(V, n, classes) -> (n, classes): what a picture scores by all of its views."""
    return probabilities[0] if len(probabilities) == 1 else probabilities.mean(axis=0)


def probabilities(
    network: nn.Module,
    pictures: Pictures,
    normaliser: Normaliser,
    rows: NDArray[np.int64],
    *,
    views: Sequence[View] = (),
    batch: int | None = None,
) -> NDArray[np.float32]:
    """(n, classes) float32: the mean over the views of `view_probabilities`."""
    return mean_of_views(view_probabilities(network, pictures, normaliser, rows, views, batch=batch))


def set_probabilities(
    network: nn.Module,
    pictures: Pictures,
    normaliser: Normaliser,
    rows: NDArray[np.int64],
    sets: Sequence[Sequence[View]],
) -> NDArray[np.float32]:
    """(S, n, classes) float32: `probabilities` by each set of views; a view that several sets share is scored once."""
    every = list(dict.fromkeys(view for views in sets for view in views))
    scored = view_probabilities(network, pictures, normaliser, rows, every)
    return np.stack([mean_of_views(scored[[every.index(view) for view in views]]) for views in sets])


def cross_entropy(probabilities: NDArray[np.float32], targets: NDArray[np.int64]) -> float | None:
    """Mean cross entropy of (n, classes) probabilities with `targets` (n,); None where no row is labelled.

    A probability that has become 0 counts as 1e-15.
    """
    labelled = np.flatnonzero(targets >= 0)
    if not len(labelled):
        return None
    taken = probabilities[labelled, targets[labelled]].astype(np.float64)
    return float(-np.log(taken.clip(min=1e-15)).mean())


def loss_and_accuracy(
    network: nn.Module,
    pictures: Pictures,
    normaliser: Normaliser,
    rows: NDArray[np.int64],
    targets: NDArray[np.int64],
    view: View | None = None,
) -> tuple[float, float]:
    """Mean cross entropy and accuracy over `rows` with `targets` (N,), each by one view; NaN without rows.

    Unlabelled rows (target -1) do not count.
    """
    rows = rows[targets[rows] >= 0]
    if not len(rows):
        return float("nan"), float("nan")
    scored = logits(network, pictures, normaliser, rows, views=[view] if view else ())[0]
    truth = torch.from_numpy(targets[rows]).to(scored.device)
    loss = functional.cross_entropy(scored, truth)
    return float(loss), int((scored.argmax(dim=1) == truth).sum()) / len(rows)
