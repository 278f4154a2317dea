"""The RBF support vector machine as arrays: one weight column per pair of classes, votes with confidences."""

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.baselines.arrays import Arrays

_CHUNK_VALUES = 1 << 24  # kernel values at a time, 128 MB


def from_svc(estimator: Any, gamma: float) -> Arrays:
    """Support vectors (S, d), weights (S, pairs), offsets (pairs,) and gamma of a fitted `sklearn.svm.SVC`.

    Pairs (i, j), i < j, in lexicographic order; a positive value speaks for i, as LIBSVM has it.
    """
    support = np.asarray(estimator.support_vectors_, dtype=np.float64)
    counts = np.asarray(estimator.n_support_, dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(counts)])
    dual = np.asarray(estimator.dual_coef_, dtype=np.float64)
    offsets = np.asarray(estimator.intercept_, dtype=np.float64)
    pairs = list(combinations(range(len(counts)), 2))
    weights = np.zeros((len(support), len(pairs)))
    for column, (first, second) in enumerate(pairs):
        own, other = slice(starts[first], starts[first + 1]), slice(starts[second], starts[second + 1])
        weights[own, column] = dual[second - 1, own]
        weights[other, column] = dual[first, other]
    if len(counts) == 2:
        # scikit-learn gives a binary machine with the sign turned: positive speaks for the second class.
        weights, offsets = -weights, -offsets
    return {"support": support, "weights": weights, "offsets": offsets, "gamma": np.array([gamma])}


def pair_decisions(arrays: Arrays, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, pairs) one-against-one decisions of x (n, d)."""
    support, gamma = arrays["support"], float(arrays["gamma"][0])
    norms = np.einsum("sd,sd->s", support, support)
    decisions = np.empty((len(x), len(arrays["offsets"])))
    step = max(1, _CHUNK_VALUES // max(1, len(support)))
    for start in range(0, len(x), step):
        part = x[start : start + step]
        squared = np.einsum("nd,nd->n", part, part)[:, None] + norms - 2 * (part @ support.T)
        kernel = np.exp(-gamma * np.maximum(squared, 0.0))
        decisions[start : start + step] = kernel @ arrays["weights"] + arrays["offsets"]
    return decisions


def kernel_scores(arrays: Arrays, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, c) votes of the pairs, plus their summed confidence squeezed into (-1/3, 1/3) to break ties.

    scikit-learn's `decision_function_shape="ovr"`; its argmax is `SVC(break_ties=True).predict`. With two classes
    (0, decision), as of one linear score.
    """
    decisions = pair_decisions(arrays, x)
    if decisions.shape[1] == 1:
        return np.column_stack([np.zeros(len(x)), -decisions[:, 0]])
    count = round((1 + np.sqrt(1 + 8 * decisions.shape[1])) / 2)
    votes, confidence = np.zeros((len(x), count)), np.zeros((len(x), count))
    for column, (first, second) in enumerate(combinations(range(count), 2)):
        value = decisions[:, column]
        # A decision of exactly 0 counts for the first, as in scikit-learn.
        votes[:, first] += value >= 0
        votes[:, second] += value < 0
        confidence[:, first] += value
        confidence[:, second] -= value
    scores: NDArray[np.float64] = votes + confidence / (3 * (np.abs(confidence) + 1))
    return scores
