"""Principal components of one block of columns, for all folds from one pass over the rows."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.sparse.linalg import ArpackError, eigsh

from fercli.errors import InputError
from fercli.preprocessing.gram import centred_grams
from fercli.preprocessing.moments import Moments, moments_without
from fercli.preprocessing.passes import passes
from fercli.seeds import generator

# Lanczos' method pays from this size on, for at most one component in so many.
_LANCZOS_SIZE = 1000
_LANCZOS_SHARE = 20
_NULL = 1e-12  # variances below this part of the first are rounding, not components
_TIE = 1e-6  # entries this close to the largest count as equally large, so that rounding cannot turn a sign


@dataclass(frozen=True)
class Projection:
    """A fitted PCA: mean (D,), components (m, D) with orthonormal rows, variances (m,), all float64."""

    mean: NDArray[np.float64]
    components: NDArray[np.float64]
    variances: NDArray[np.float64]
    total_variance: float

    def project(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """(n, D) to (n, m) coordinates along the components."""
        return (np.asarray(features, dtype=np.float64) - self.mean) @ self.components.T


def fit_projections(
    features: NDArray[np.floating],
    row_sets: Sequence[NDArray[np.int64]],
    components: int | float,
    *,
    budget: int = 2**30,
) -> list[Projection]:
    """One PCA per set of training rows, equal to a PCA of features[rows] up to rounding.

    features: (N, D). components: how many to keep, or the fraction of variance (0 to 1) that those kept must reach.
    Fewer come back where the rows have fewer: null components (variance below 1e-12 of the first) are not kept.
    Signs: the entry of largest magnitude is positive. Rows outside a set never touch its projection, not even its
    last bit. budget: bytes above which fold statistics are merged by divide and conquer.
    Raises InputError for a set of fewer than two rows.
    """
    for rows in row_sets:
        if len(rows) < 2:
            raise InputError(f"PCA needs at least 2 training rows and got {len(rows)}", next_step="use a smaller k")
    found: dict[int, Projection] = {}
    for one in passes(row_sets):
        if features.shape[1] > len(one.rest) + sum(map(len, one.cells)):
            grams = centred_grams(features, one.rest, one.cells)
            fitted = (_from_gram(mean, rows, gram, components) for mean, rows, gram in grams)
        else:
            merged = moments_without(features, one.rest, one.cells, budget=budget)
            fitted = (_from_moments(part, components) for part in merged)
        found.update(zip(one.positions, fitted, strict=True))
    return [found[position] for position in range(len(row_sets))]


def _from_moments(part: Moments, components: int | float) -> Projection:
    values, vectors = _leading(part.scatter, components)
    variances = values / (part.rows - 1)
    total = float(np.trace(part.scatter)) / (part.rows - 1)
    kept = _kept(variances, total, components)
    return Projection(part.mean, _signed(vectors[:, :kept].T), variances[:kept], total)


def _from_gram(
    mean: NDArray[np.float64], rows: NDArray[np.float64], gram: NDArray[np.float64], components: int | float
) -> Projection:
    values, vectors = _leading(gram, components)
    variances = values / (len(rows) - 1)
    total = float(np.trace(gram)) / (len(rows) - 1)
    kept = _kept(variances, total, components)
    directions = vectors[:, :kept].T @ rows
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return Projection(mean, _signed(directions), variances[:kept], total)


def _leading(
    symmetric: NDArray[np.float64], components: int | float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Eigenvalues, largest first, and eigenvectors as columns: only the leading ones where few are asked for.

    Of a large matrix a few are found by Lanczos' method (ARPACK), to the last bits and from a fixed start, so that
    equal matrices give equal bytes; where it does not converge, or for more of them, by a dense method.
    """
    size = len(symmetric)
    if isinstance(components, int) and size >= _LANCZOS_SIZE and components * _LANCZOS_SHARE <= size:
        # Drawn, not constant: centring puts a constant vector into the null space.
        start = generator(0, "pca.lanczos", size).standard_normal(size)
        try:
            values, vectors = eigsh(symmetric, k=components, which="LA", v0=start, tol=0.0, **_restarts(size))
        except ArpackError:
            pass
        else:
            order = np.argsort(values)[::-1]
            return np.maximum(values[order], 0.0), vectors[:, order]
    if isinstance(components, int) and components < size // 4:
        values, vectors = eigh(symmetric, subset_by_index=(size - components, size - 1))
    else:
        values, vectors = eigh(symmetric)
    return np.maximum(values[::-1], 0.0), vectors[:, ::-1]


def _restarts(size: int) -> dict[str, Any]:
    """Where a new start is drawn from when the space of the first closes, as it does for blocks and exact ranks.

    SciPy from 1.17 on takes it from the system's entropy unless it is given a generator; before, it had its own seed.
    """
    drawn = generator(0, "pca.lanczos.restart", size)
    return {"rng": drawn} if "rng" in inspect.signature(eigsh).parameters else {}


def _kept(variances: NDArray[np.float64], total: float, components: int | float) -> int:
    real = int(np.sum(variances > _NULL * variances[0]))
    if isinstance(components, int):
        return min(components, real)
    reached = np.searchsorted(np.cumsum(variances) / total, components, side="right") + 1 if total > 0 else 0
    return min(int(reached), real)


def _signed(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    magnitude = np.abs(directions)
    if not magnitude.size:
        return np.ascontiguousarray(directions)
    first = np.argmax(magnitude >= magnitude.max(axis=1, keepdims=True) * (1 - _TIE), axis=1)
    signs = np.sign(directions[np.arange(len(directions)), first])
    return np.ascontiguousarray(directions * signs[:, None])
