"""Linear discriminant analysis from the scatter within classes: scikit-learn's, without the SVD of all rows."""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from fercli.baselines.arrays import Arrays

_TOLERANCE = 1e-4  # scikit-learn's: directions of less spread, in units of the columns' own, are left out


def from_scatter(x: NDArray[np.float64], places: NDArray[np.int64]) -> Arrays:
    """Weights (c, d) and offsets (c,) of LDA on rows x (n, d) of class places (n,), 0..c-1.

    Equal to `LinearDiscriminantAnalysis(solver="svd")` of scikit-learn 1.9, of which it takes the scaling, the
    divisor n (older releases divide by n - c) and the tolerance; its `lsqr` solver has none, and inverts the rounding
    of columns that sum to 1. For n > d.
    """
    counts = np.bincount(places)
    priors = counts / len(x)
    means = np.zeros((len(counts), x.shape[1]))
    for place in range(len(counts)):
        means[place] = x[places == place].mean(axis=0)
    within = x - means[places]
    spread = within.std(axis=0)
    spread[spread == 0] = 1.0
    within /= spread
    variances, directions = eigh(within.T @ within / len(x))
    kept = variances > _TOLERANCE**2
    whitening = directions[:, kept] / np.sqrt(variances[kept])
    center = priors @ means
    away = ((means - center) / spread) @ whitening
    weights = away @ whitening.T / spread
    offsets = -0.5 * np.einsum("ck,ck->c", away, away) + np.log(priors) - weights @ center
    return {"weights": weights, "offsets": offsets}
