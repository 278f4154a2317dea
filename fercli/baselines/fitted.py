"""A fitted yardstick as plain arrays: what scored the held-out rows is what is stored, and nothing of it is code."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.baselines.arrays import Arrays
from fercli.baselines.kernel import kernel_scores
from fercli.baselines.layers import mlp_scores
from fercli.baselines.linear import linear_scores, prior_scores
from fercli.baselines.neighbors import neighbor_shares
from fercli.baselines.trees import forest_shares
from fercli.errors import ArtifactError

Scores = Callable[[Arrays, NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True)
class FittedBaseline:
    """One fitted yardstick.

    model: its name in `config.baseline`. classes: how many the data has. present: (c,) int64 classes among the
    training rows, sorted; the others have probability 0. scale: what scores are multiplied by before softmax; it is
    not 1 for support vector machines only. parameters: those in force, chosen or given.
    """

    model: str
    classes: int
    present: NDArray[np.int64]
    arrays: Arrays
    scale: float
    parameters: Mapping[str, float]

    def scores(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, C) scores of preprocessed rows (n, d), -inf for classes without training rows; argmax is the answer.

        They are the logarithms of shares for models that give shares.
        """
        own = _SCORES[self.model](self.arrays, x)
        scores = np.full((len(x), self.classes), -np.inf)
        scores[:, self.present] = own
        return scores

    def probabilities(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, C) class probabilities of preprocessed rows (n, d)."""
        return softmax(self.scores(x), self.scale)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Every fitted number, by name, for a safetensors file."""
        return {"present": self.present, "scale": np.array([self.scale]), **self.arrays}

    def meta(self) -> dict[str, Any]:
        """What `from_arrays` needs beside the arrays, as JSON types."""
        return {"model": self.model, "class_count": self.classes, "parameters": dict(self.parameters)}


def from_arrays(arrays: Arrays, meta: Mapping[str, Any]) -> FittedBaseline:
    """The inverse of `to_arrays` and `meta`. Raises ArtifactError for an unknown model or missing arrays."""
    model = str(meta.get("model"))
    if model not in _SCORES:
        raise ArtifactError(f"there is no yardstick called {model}", next_step="use the release that wrote it")
    try:
        own = {name: array for name, array in arrays.items() if name not in ("present", "scale")}
        return FittedBaseline(
            model, meta["class_count"], arrays["present"], own, float(arrays["scale"][0]), meta["parameters"]
        )
    except KeyError as missing:
        raise ArtifactError(f"the stored yardstick lacks {missing.args[0]!r}", next_step="train again") from None


def softmax(scores: NDArray[np.float64], scale: float = 1.0) -> NDArray[np.float64]:
    """(n, C) probabilities from scores (n, C) times `scale`; a score of -inf becomes 0."""
    scaled = scale * scores
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _logarithms(shares: Scores) -> Scores:
    def scores(arrays: Arrays, x: NDArray[np.float64]) -> NDArray[np.float64]:
        with np.errstate(divide="ignore"):  # a class without a vote: -inf, probability 0
            return np.log(shares(arrays, x))

    return scores


_SCORES: Mapping[str, Scores] = {
    "majority": prior_scores,
    "lda": linear_scores,
    "logistic": linear_scores,
    "linear-svm": linear_scores,
    "rbf-svm": kernel_scores,
    "knn": _logarithms(neighbor_shares),
    "forest": _logarithms(forest_shares),
    "mlp": mlp_scores,
}
