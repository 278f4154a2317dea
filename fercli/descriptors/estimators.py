"""Scikit-learn faces of the descriptors: transformers from pictures to columns, for pipelines and grid searches.

The column transformers that follow them in a pipeline, `SkewLog` and `BlockPCA`, are here too; they live in
`preprocessing`, with all that fits columns.
"""

from collections.abc import Sequence
from math import isqrt
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, check_non_negative, validate_data

from fercli.config.descriptors import Canny, Frequency
from fercli.descriptors.hog import hog_batch
from fercli.descriptors.lbp import lbp_batch
from fercli.descriptors.lpq import lpq_batch
from fercli.descriptors.phog import Angle, phog_batch
from fercli.errors import InputError
from fercli.preprocessing.estimators import BlockPCA, SkewLog

__all__ = ["EXPECTED_FAILED_CHECKS", "HOG", "LBP", "LPQ", "PHOG", "BlockPCA", "SkewLog"]

ImageShape = Sequence[int] | None


EXPECTED_FAILED_CHECKS = dict.fromkeys(
    (
        "check_dict_unchanged",
        "check_dont_overwrite_parameters",
        "check_dtype_object",
        "check_estimators_dtypes",
        "check_estimators_fit_returns_self",
        "check_estimators_nan_inf",
        "check_estimators_overwrite_params",
        "check_estimators_pickle",
        "check_f_contiguous_array_estimator",
        "check_fit2d_predict1d",
        "check_fit_check_is_fitted",
        "check_fit_idempotent",
        "check_fit_score_takes_y",
        "check_methods_sample_order_invariance",
        "check_methods_subset_invariance",
        "check_n_features_in",
        "check_n_features_in_after_fitting",
        "check_pipeline_consistency",
        "check_readonly_memmap_input",
        "check_transformer_data_not_an_array",
        "check_transformer_general",
        "check_transformer_preserve_dtypes",
    ),
    "feeds a number of columns that is no picture; taking a row for a 1xD picture would pass and be wrong",
)
"""For scikit-learn's `check_estimator(..., expected_failed_checks=EXPECTED_FAILED_CHECKS)`."""


def _extent(rows: NDArray[Any]) -> str:
    return f"X has n_samples = {rows.shape[0]}, n_features = {rows.shape[1]}"


class _PictureTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """What the four faces share: pictures in as stacks or as rows, a row of features out for each alone.

    `fit` learns nothing but the shape of the pictures, so no row can leak into another.
    """

    image_shape: ImageShape

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Take the shape of the pictures in X, see `transform`; y is ignored.

        Sets `image_shape_`, `n_features_in_`. Raises ValueError for columns that are not pictures, and for
        parameters that do not fit pictures of this size.
        """
        stack = self._stack(X, reset=True)
        self.image_shape_ = stack.shape[1:]
        self._n_features_out = self._described(stack[:1]).shape[1]
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """(N, D) float64 features of X: a stack (N, H, W) or (N, H, W, 3), or rows (N, H * W), pixels 0..255.

        Rows are read by `image_shape`, (H, W) or (H, W, 3); where that is None they are square gray pictures.
        Raises ValueError for another shape than in `fit` and for pixels outside 0..255.
        """
        check_is_fitted(self)
        stack = self._stack(X, reset=False)
        if stack.shape[1:] != self.image_shape_:
            raise ValueError(f"X holds pictures of {stack.shape[1:]}, fit saw {self.image_shape_}")
        return self._described(stack)

    def _batch(self, stack: NDArray[Any]) -> NDArray[np.float64]:
        raise NotImplementedError

    def _described(self, stack: NDArray[Any]) -> NDArray[np.float64]:
        try:
            return self._batch(stack)
        except InputError as error:
            hint = f"; {error.next_step}" if error.next_step else ""
            raise ValueError(f"{error.what}{hint} ({_extent(stack.reshape(len(stack), -1))})") from error

    def _stack(self, X: ArrayLike, reset: bool) -> NDArray[Any]:
        """X as a stack; scikit-learn's own checks run on the flattened rows."""
        shape: tuple[int, ...] | None = None if self.image_shape is None else tuple(self.image_shape)
        dimensions = getattr(X, "ndim", 2)
        if dimensions > 2:
            seen = np.shape(X)[1:]
            if len(seen) == 3 and seen[2] != 3:
                raise ValueError(f"X holds pictures of {seen}; they must be (H, W) or (H, W, 3)")
            if shape is not None and seen != shape:
                raise ValueError(f"X holds pictures of {seen}, image_shape says {shape}")
            shape, X = seen, np.reshape(np.asanyarray(X), (len(X), -1))  # type: ignore[arg-type]
        rows = validate_data(self, X, reset=reset, dtype="numeric")
        if rows.dtype.kind != "u":
            check_non_negative(rows, type(self).__name__)
        columns = rows.shape[1]
        if shape is None:
            side = isqrt(columns)
            if side * side != columns:
                raise ValueError(
                    f"{columns} columns are no square picture: give image_shape=(H, W), or a stack (N, H, W) "
                    f"({_extent(rows)})"
                )
            shape = (side, side)
        if int(np.prod(shape)) != columns:
            raise ValueError(f"{columns} columns are no picture of image_shape={shape} ({_extent(rows)})")
        return rows.reshape(len(rows), *shape)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.positive_only = True
        return tags


class PHOG(_PictureTransformer):
    """Pyramid of histograms of oriented gradients; parameters as `fercli.descriptors.phog.phog_batch`."""

    def __init__(
        self,
        image_shape: ImageShape = None,
        *,
        bins: int = 8,
        angle: Angle = 360,
        levels: int = 3,
        canny: Canny = "matlab",
    ) -> None:
        self.image_shape = image_shape
        self.bins = bins
        self.angle = angle
        self.levels = levels
        self.canny = canny

    def _batch(self, stack: NDArray[Any]) -> NDArray[np.float64]:
        return phog_batch(stack, bins=self.bins, angle=self.angle, levels=self.levels, canny=self.canny)


class LPQ(_PictureTransformer):
    """Local phase quantisation, normalised histograms; parameters as `fercli.descriptors.lpq.lpq_batch`."""

    def __init__(
        self,
        image_shape: ImageShape = None,
        *,
        window: int = 7,
        frequency: Frequency = "uniform",
        decorrelate: bool = True,
        grid: Sequence[int] = (1, 1),
    ) -> None:
        self.image_shape = image_shape
        self.window = window
        self.frequency = frequency
        self.decorrelate = decorrelate
        self.grid = grid

    def _batch(self, stack: NDArray[Any]) -> NDArray[np.float64]:
        return lpq_batch(
            stack, window=self.window, frequency=self.frequency, decorrelate=self.decorrelate, grid=self.grid
        )


class HOG(_PictureTransformer):
    """Histograms of oriented gradients; parameters as `fercli.descriptors.hog.hog_batch`."""

    def __init__(self, image_shape: ImageShape = None, *, orientations: int = 9, cell: int = 8, block: int = 2) -> None:
        self.image_shape = image_shape
        self.orientations = orientations
        self.cell = cell
        self.block = block

    def _batch(self, stack: NDArray[Any]) -> NDArray[np.float64]:
        return hog_batch(stack, orientations=self.orientations, cell=self.cell, block=self.block)


class LBP(_PictureTransformer):
    """Uniform local binary patterns over a grid; parameters as `fercli.descriptors.lbp.lbp_batch`."""

    def __init__(
        self,
        image_shape: ImageShape = None,
        *,
        points: int = 8,
        radius: float = 1.0,
        grid: Sequence[int] = (4, 4),
    ) -> None:
        self.image_shape = image_shape
        self.points = points
        self.radius = radius
        self.grid = grid

    def _batch(self, stack: NDArray[Any]) -> NDArray[np.float64]:
        return lbp_batch(stack, points=self.points, radius=self.radius, grid=self.grid)
