"""Whether preprocessing that was read from a file fits together, before any row goes through it."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fercli.errors import ArtifactError

if TYPE_CHECKING:
    from fercli.preprocessing.foldwise import Fitted


def check_fitted(fitted: "Fitted") -> None:
    """ArtifactError unless blocks lie in the columns, every array has its shape, and every number is finite."""
    if type(fitted.width) is not int or not all(isinstance(name, str) for name in fitted.names):
        raise broken("its width is no number, or a name no text")
    width = 0
    for number, (block, projection) in enumerate(zip(fitted.blocks, fitted.projections, strict=True)):
        whole = type(block.start) is int and type(block.stop) is int
        if not whole or not 0 <= block.start < block.stop <= fitted.width:
            raise broken(f"block {block.name!r} lies outside of its {fitted.width} columns")
        if projection is None:
            width += block.width
            continue
        kept = len(projection.variances) if projection.variances.ndim == 1 else -1
        _check(f"pca.{number}.mean", projection.mean, (block.width,))
        _check(f"pca.{number}.components", projection.components, (kept, block.width))
        _check(f"pca.{number}.variances", projection.variances, (kept,))
        width += kept
    if width != len(fitted.names) or width == 0:
        raise broken(f"its blocks give {width} columns and its names {len(fitted.names)}")
    log, scaling = fitted.log, fitted.scaling
    parts = {"log.direction": log.direction, "log.origin": log.origin, "log.scale": log.scale}
    for name, array in {**parts, "scaling.center": scaling.center, "scaling.scale": scaling.scale}.items():
        _check(name, array, (width,))
    if (scaling.scale == 0).any() or (log.scale[log.direction != 0] == 0).any():
        raise broken("a scale is zero")


def broken(reason: str) -> ArtifactError:
    """The error of stored preprocessing that nobody of ours wrote."""
    return ArtifactError(
        f"the stored preprocessing does not fit together: {reason}", next_step="restore the artifact, or train again"
    )


def _check(name: str, array: NDArray[Any], shape: tuple[int, ...]) -> None:
    if array.shape != shape or array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        raise broken(f"{name} is {array.dtype} of shape {array.shape}, not finite numbers of shape {shape}")
