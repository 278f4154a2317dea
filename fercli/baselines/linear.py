"""Models whose scores are linear in the columns: LDA, logistic regression, linear SVM, and the priors alone."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.baselines.arrays import Arrays


def from_priors(targets: NDArray[np.int64]) -> Arrays:
    """Shares of the classes among the training rows (n,), as the logarithms that softmax turns back into them."""
    _, counts = np.unique(targets, return_counts=True)
    return {"offsets": np.log(counts / counts.sum())}


def from_linear(estimator: Any) -> Arrays:
    """Weights (c, d) and offsets (c,) of a fitted scikit-learn linear classifier.

    With two classes scikit-learn keeps one row, the score of the second class; the first gets a row of zeros, which
    is the same under softmax and argmax.
    """
    weights = np.asarray(estimator.coef_, dtype=np.float64)
    offsets = np.asarray(estimator.intercept_, dtype=np.float64)
    if len(weights) == 1:
        weights = np.vstack([np.zeros_like(weights), weights])
        offsets = np.concatenate([[0.0], offsets])
    return {"weights": weights, "offsets": offsets}


def prior_scores(arrays: Arrays, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, c) the same scores for every row of x (n, d)."""
    return np.tile(arrays["offsets"], (len(x), 1))


def linear_scores(arrays: Arrays, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, c) scores of x (n, d)."""
    scores: NDArray[np.float64] = x @ arrays["weights"].T + arrays["offsets"]
    return scores
