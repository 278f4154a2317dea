"""scikit-learn's multi-layer perceptron as arrays."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.baselines.arrays import Arrays


def from_mlp(estimator: Any) -> Arrays:
    """Weights and offsets of a fitted `MLPClassifier` with one hidden layer of ReLU units."""
    hidden, output = estimator.coefs_
    offsets, output_offsets = estimator.intercepts_
    if output.shape[1] == 1:  # two classes: one score, of the second
        output = np.column_stack([np.zeros(len(output)), output])
        output_offsets = np.concatenate([[0.0], output_offsets])
    return {
        "hidden": np.ascontiguousarray(hidden, dtype=np.float64),
        "hidden_offsets": np.asarray(offsets, dtype=np.float64),
        "output": np.ascontiguousarray(output, dtype=np.float64),
        "output_offsets": np.asarray(output_offsets, dtype=np.float64),
    }


def mlp_scores(arrays: Arrays, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, c) scores of x (n, d) before softmax."""
    active = np.maximum(x @ arrays["hidden"] + arrays["hidden_offsets"], 0.0)
    scores: NDArray[np.float64] = active @ arrays["output"] + arrays["output_offsets"]
    return scores
