"""k nearest neighbours as arrays: the training rows themselves."""

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier

from fercli.baselines.arrays import Arrays


def from_neighbors(x: NDArray[np.float64], places: NDArray[np.int64], count: int) -> Arrays:
    """Training rows (n, d), the class place of each (n,), and how many neighbours vote (at most n)."""
    return {"rows": x, "places": places, "neighbors": np.array([min(count, len(x))], dtype=np.int64)}


def neighbor_shares(arrays: Arrays, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, c) share of each class among the nearest training rows, Euclidean, by scikit-learn's brute-force search."""
    model = KNeighborsClassifier(n_neighbors=int(arrays["neighbors"][0]), algorithm="brute")
    shares: NDArray[np.float64] = model.fit(arrays["rows"], arrays["places"]).predict_proba(x)
    return shares
