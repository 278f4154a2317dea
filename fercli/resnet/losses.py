"""The loss that is trained on: cross entropy with smoothed, mixed or weighted labels, and a teacher's answers."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from fercli.config.resnet import ResNetConfig
from fercli.resnet.mixing import Mixture


def balanced_weights(targets: NDArray[np.int64]) -> NDArray[np.float32]:
    """(C,) weight of a row of each class, so that all classes that occur in `targets` weigh the same together.

    n / (classes that occur * rows of the class), as scikit-learn's `balanced`; the mean over the rows is 1. A class
    that does not occur weighs 0.
    """
    counts = np.bincount(targets)
    weights = len(targets) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    return np.where(counts > 0, weights, 0).astype(np.float32)


class Criterion:
    """Sums the loss of a batch; built from the training rows of one fold.

    With a teacher: (1 - w) * cross entropy + w * T^2 * KL(teacher || network), both softened by the temperature T
    (Hinton et al. 2015; with T = 1 the born-again networks of Furlanello et al. 2018). Balanced classes weigh each
    row's cross entropy, not what the teacher says.
    """

    def __init__(self, config: ResNetConfig, targets: NDArray[np.int64], device: torch.device) -> None:
        self._smoothing = config.label_smoothing
        self._share, self._temperature = config.distil_weight, config.distil_temperature
        self._weights: Tensor | None = None
        if config.class_weights == "balanced":
            self._weights = torch.from_numpy(balanced_weights(targets)).to(device)

    def __call__(
        self, logits: Tensor, truth: Tensor, mixture: Mixture | None = None, taught: Tensor | None = None
    ) -> Tensor:
        """The summed loss of (n, classes) float32 logits with (n,) labels; taught: the teacher's logits."""
        loss = self._cross_entropy(logits, truth)
        if mixture is not None:
            loss = mixture.share * loss + (1 - mixture.share) * self._cross_entropy(logits, truth.flip(0))
        if taught is None:
            return loss
        hot = self._temperature
        answers, own = (functional.log_softmax(values / hot, dim=1) for values in (taught, logits))
        distance = functional.kl_div(own, answers, reduction="sum", log_target=True)
        return (1 - self._share) * loss + self._share * hot**2 * distance

    def _cross_entropy(self, logits: Tensor, truth: Tensor) -> Tensor:
        if self._weights is None:
            return functional.cross_entropy(logits, truth, reduction="sum", label_smoothing=self._smoothing)
        each = functional.cross_entropy(logits, truth, reduction="none", label_smoothing=self._smoothing)
        return (each * self._weights[truth]).sum()
