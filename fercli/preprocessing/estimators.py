"""The column transformers as scikit-learn estimators, for pipelines and grid searches."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from fercli.preprocessing.columns import fit_columns
from fercli.preprocessing.pca import fit_projections


class SkewLog(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Logarithm of skewed columns, then scaling; see `preprocessing.columns`.

    columns: "auto" (|skewness| above 2) or indices of the columns to take the logarithm of.
    scaling: "zscore", "minmax" or "none".
    """

    def __init__(self, columns: str | Sequence[int] = "auto", scaling: str = "zscore") -> None:
        self.columns = columns
        self.scaling = scaling

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Fit on X (n, D). Raises ValueError for an unknown scaling or columns that X lacks."""
        if self.scaling not in ("zscore", "minmax", "none"):
            raise ValueError(f"scaling is {self.scaling!r}; it must be zscore, minmax or none")
        rows: NDArray[np.float64] = validate_data(self, X, dtype=np.float64)
        chosen = None
        if not isinstance(self.columns, str):
            chosen = np.zeros(rows.shape[1], dtype=bool)
            if any(not 0 <= column < rows.shape[1] for column in self.columns):
                raise ValueError(f"columns is {list(self.columns)!r}; X has columns 0 to {rows.shape[1] - 1}")
            chosen[list(self.columns)] = True
        elif self.columns != "auto":
            raise ValueError(f"columns is {self.columns!r}; it must be 'auto' or a list of column numbers")
        self.log_, self.scaling_ = fit_columns(rows, chosen, self.scaling)
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """(n, D) to (n, D) float64."""
        check_is_fitted(self)
        rows: NDArray[np.float64] = validate_data(self, X, dtype=np.float64, reset=False)
        return self.scaling_.apply(self.log_.apply(rows))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64"]
        return tags


class BlockPCA(TransformerMixin, BaseEstimator):
    """A PCA of its own for each block of columns; see `preprocessing.pca`.

    n_components: per block, a number of components or a fraction of the variance (0 to 1). widths: how many columns
    each block has, in order; None is one block. A block with no more columns than components passes as it is.
    """

    def __init__(self, n_components: int | float = 5, widths: Sequence[int] | None = None) -> None:
        self.n_components = n_components
        self.widths = widths

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Fit on X (n, D), n at least 2. Raises ValueError where widths do not sum to D or n_components is illegal."""
        wanted = self.n_components
        if isinstance(wanted, int | np.integer):
            wanted = int(wanted)
        if not (wanted >= 1 if isinstance(wanted, int) else 0 < wanted < 1):
            raise ValueError(f"n_components is {wanted!r}; it must be an integer from 1 or a fraction below 1")
        rows: NDArray[np.float64] = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        widths = [rows.shape[1]] if self.widths is None else list(self.widths)
        if sum(widths) != rows.shape[1] or min(widths) < 1:
            raise ValueError(f"widths is {widths}, which does not divide the {rows.shape[1]} columns of X")
        edges = np.cumsum([0, *widths])
        everything = [np.arange(len(rows))]
        self.edges_ = edges
        self.projections_ = [
            None
            if isinstance(wanted, int) and stop - start <= wanted
            else fit_projections(rows[:, start:stop], everything, wanted)[0]
            for start, stop in pairwise(edges)
        ]
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """(n, D) to (n, sum of components) float64."""
        check_is_fitted(self)
        rows: NDArray[np.float64] = validate_data(self, X, dtype=np.float64, reset=False)
        parts = [
            rows[:, start:stop] if projection is None else projection.project(rows[:, start:stop])
            for projection, start, stop in zip(self.projections_, self.edges_[:-1], self.edges_[1:], strict=True)
        ]
        return np.concatenate(parts, axis=1)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """block0.pc1, block0.pc2 … for projected blocks; block1.0, block1.1 … for those that pass."""
        check_is_fitted(self)
        names = []
        for block, (projection, width) in enumerate(zip(self.projections_, np.diff(self.edges_), strict=True)):
            if projection is None:
                names += [f"block{block}.{column}" for column in range(width)]
            else:
                names += [f"block{block}.pc{number + 1}" for number in range(len(projection.components))]
        return np.array(names, dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64"]
        return tags
