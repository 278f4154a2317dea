"""The only code that fits columns: PCA per block, log of skewed columns, scaling, on a fold's training rows alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.config.preprocessing import PreprocessingConfig
from fercli.errors import ArtifactError, InputError
from fercli.preprocessing.columns import LinearScaling, LogTransform, fit_columns
from fercli.preprocessing.pca import Projection, fit_projections
from fercli.preprocessing.stored import broken, check_fitted
from fercli.records import Block

_VERSION = 1


@dataclass(frozen=True)
class Fitted:
    """Everything that was fitted for one fold; plain arrays, no reference to the rows.

    blocks: of the raw features. projections: one PCA per block, None where the block passes as it is.
    names: of the columns that come out. width: how many raw columns go in.
    """

    blocks: tuple[Block, ...]
    projections: tuple[Projection | None, ...]
    log: LogTransform
    scaling: LinearScaling
    names: tuple[str, ...]
    width: int

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Every fitted number, by name, for a safetensors or NPY file."""
        arrays: dict[str, NDArray[Any]] = {
            "log.direction": self.log.direction,
            "log.origin": self.log.origin,
            "log.scale": self.log.scale,
            "scaling.center": self.scaling.center,
            "scaling.scale": self.scaling.scale,
        }
        for number, projection in enumerate(self.projections):
            if projection is not None:
                arrays[f"pca.{number}.mean"] = projection.mean
                arrays[f"pca.{number}.components"] = projection.components
                arrays[f"pca.{number}.variances"] = projection.variances
                arrays[f"pca.{number}.total_variance"] = np.array([projection.total_variance])
        return arrays

    def meta(self) -> dict[str, Any]:
        """What `from_arrays` needs beside the arrays, as JSON types."""
        return {
            "version": _VERSION,
            "width": self.width,
            "names": list(self.names),
            "blocks": [
                {"name": block.name, "start": block.start, "stop": block.stop, "columns": list(block.columns)}
                for block in self.blocks
            ],
            "logged": [self.names[column] for column in np.flatnonzero(self.log.direction)],
        }


def from_arrays(arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> Fitted:
    """The inverse of `to_arrays` and `meta`. Raises ArtifactError for another version, and for parts that are missing
    or do not fit together."""
    version = meta.get("version") if isinstance(meta, Mapping) else None
    if version != _VERSION:
        raise ArtifactError(
            f"preprocessing of version {version!r}, this release reads version {_VERSION}",
            next_step="use the release that wrote it, or train again",
        )
    try:
        blocks = tuple(
            Block(part["name"], part["start"], part["stop"], tuple(part["columns"])) for part in meta["blocks"]
        )
        fitted = Fitted(
            blocks,
            tuple(_projection(arrays, number) for number in range(len(blocks))),
            LogTransform(arrays["log.direction"], arrays["log.origin"], arrays["log.scale"]),
            LinearScaling(arrays["scaling.center"], arrays["scaling.scale"]),
            tuple(meta["names"]),
            meta["width"],
        )
    except KeyError as missing:
        raise ArtifactError(
            f"stored preprocessing lacks {missing.args[0]!r}", next_step="restore the artifact, or train again"
        ) from None
    except (TypeError, ValueError, IndexError, OverflowError) as error:
        raise broken(str(error)) from None
    check_fitted(fitted)
    return fitted


def fit(
    features: NDArray[np.floating],
    blocks: Sequence[Block],
    rows: NDArray[np.int64],
    config: PreprocessingConfig,
) -> Fitted:
    """Fit PCA, log and scaling on features[rows]; see `fit_folds`."""
    return fit_folds(features, blocks, [rows], config)[0]


def fit_folds(
    features: NDArray[np.floating],
    blocks: Sequence[Block],
    row_sets: Sequence[NDArray[np.int64]],
    config: PreprocessingConfig,
) -> list[Fitted]:
    """Fit one preprocessing per set of training rows, the PCA of all of them from one pass.

    features: (N, D) raw, may be a memory map. blocks: runs of columns, each with a PCA of its own; () is one block.
    row_sets: (n,) int64 training rows of each fold. Rows outside a set never touch what is fitted for it: it is the
    same to the last bit whatever they hold. Row order does not matter, only which rows.
    Raises InputError for training values that are not finite, for unknown column names in `config.log`, and where
    every column of all blocks is constant under PCA.
    """
    width = features.shape[1]
    blocks = tuple(blocks) or (Block("features", 0, width),)
    if any(not 0 <= block.start < block.stop <= width for block in blocks):
        raise InputError(f"the blocks of columns do not fit {width} columns", next_step="extract the features again")
    ordered = [np.unique(rows) for rows in row_sets]
    everything = np.unique(np.concatenate(ordered)) if ordered else np.empty(0, dtype=np.int64)
    _refuse_non_finite(features, everything, blocks)
    per_block = [_block_projections(features, block, ordered, config) for block in blocks]
    return [
        _finish(features, blocks, tuple(parts[fold] for parts in per_block), rows, config)
        for fold, rows in enumerate(ordered)
    ]


def apply(fitted: Fitted, features: NDArray[np.floating]) -> NDArray[np.float64]:
    """Raw features (n, D) to classifier inputs (n, d) float64. Raises InputError when D is not the fitted width."""
    if features.ndim != 2 or features.shape[1] != fitted.width:
        raise InputError(
            f"the features have shape {features.shape}, the model was fitted on {fitted.width} columns",
            next_step="extract the features with the same descriptors and parameters",
        )
    columns = _projected(fitted.blocks, fitted.projections, features)
    return fitted.scaling.apply(fitted.log.apply(columns))


def components(fitted: Fitted, features: NDArray[np.floating]) -> NDArray[np.float64]:
    """(n, d) float64: raw features (n, D) after PCA, before logarithm and scaling; the columns of `fitted.names`."""
    return _projected(fitted.blocks, fitted.projections, features)


def column_names(block: Block) -> tuple[str, ...]:
    """Names of a block's columns: its own where it has them, else NAME.0, NAME.1 …"""
    return block.columns or tuple(f"{block.name}.{column}" for column in range(block.width))


def _finish(
    features: NDArray[np.floating],
    blocks: tuple[Block, ...],
    projections: tuple[Projection | None, ...],
    rows: NDArray[np.int64],
    config: PreprocessingConfig,
) -> Fitted:
    columns = _projected(blocks, projections, features[rows])
    names = tuple(
        name
        for block, projection in zip(blocks, projections, strict=True)
        for name in (
            column_names(block)
            if projection is None
            else (f"{block.name}.pc{number + 1}" for number in range(len(projection.components)))
        )
    )
    if not names:
        raise InputError(
            "no component is left: every column is constant over the training rows",
            next_step="look at the features with `fer audit`",
        )
    log, scaling = fit_columns(columns, _chosen(config.log, names), config.scaling)
    return Fitted(blocks, projections, log, scaling, names, features.shape[1])


def _chosen(log: str | tuple[str, ...], names: tuple[str, ...]) -> NDArray[np.bool_] | None:
    if log == "auto":
        return None
    wanted = () if log == "none" else tuple(log)
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise InputError(
            f"there is no column {unknown[0]} to take the logarithm of",
            where=f"--log {','.join(wanted)}",
            next_step=f"the columns are {', '.join(names[:12])}{', …' if len(names) > 12 else ''}",
        )
    return np.isin(np.array(names), np.array(wanted, dtype=str))


def _block_projections(
    features: NDArray[np.floating],
    block: Block,
    row_sets: Sequence[NDArray[np.int64]],
    config: PreprocessingConfig,
) -> Sequence[Projection | None]:
    if config.pca is None or (isinstance(config.pca, int) and block.width <= config.pca):
        return [None] * len(row_sets)
    return fit_projections(features[:, block.start : block.stop], row_sets, config.pca)


def _projected(
    blocks: tuple[Block, ...], projections: tuple[Projection | None, ...], features: NDArray[np.floating]
) -> NDArray[np.float64]:
    parts = []
    for block, projection in zip(blocks, projections, strict=True):
        part = np.asarray(features[:, block.start : block.stop], dtype=np.float64)
        parts.append(part if projection is None else projection.project(part))
    return np.concatenate(parts, axis=1)


def _projection(arrays: Mapping[str, NDArray[Any]], number: int) -> Projection | None:
    if f"pca.{number}.mean" not in arrays:
        return None
    mean, components, variances, total = (
        arrays[f"pca.{number}.{part}"] for part in ("mean", "components", "variances", "total_variance")
    )
    return Projection(mean, components, variances, float(total[0]))


def _refuse_non_finite(features: NDArray[np.floating], rows: NDArray[np.int64], blocks: tuple[Block, ...]) -> None:
    for start in range(0, len(rows), 4096):
        part = rows[start : start + 4096]
        bad = np.argwhere(~np.isfinite(features[part]))
        if not len(bad):
            continue
        row, column = int(part[bad[0][0]]), int(bad[0][1])
        names = {block.start + at: name for block in blocks for at, name in enumerate(column_names(block))}
        raise InputError(
            f"a training value is not finite: {features[row, column]} in column {names.get(column, column)}",
            where=f"row {row} of the features",
            next_step="leave the row out, or repair it; `fer audit` lists such rows",
        )
