"""Whether stored preprocessing is what its training rows give: fitted again from those rows alone, and compared.

Components are not compared one by one, since those of nearly equal variance may turn into each other by rounding.
Instead each stored component must be a principal direction of the training rows (what their covariance makes of it is
itself times its variance), and the variances must be the leading ones, as a fit of the same rows finds them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.config.preprocessing import PreprocessingConfig
from fercli.preprocessing.columns import LinearScaling, LogTransform, fit_log, fit_scaling
from fercli.preprocessing.foldwise import Fitted, column_names
from fercli.preprocessing.pca import Projection, fit_projections
from fercli.records import Block

TOLERANCE = 1e-8
_ROWS = 4096
_COLUMNS = 128  # as fit_columns takes them


@dataclass(frozen=True)
class Misfit:
    """A fitted number that the training rows do not give; of several in one part, the worst.

    part: `log shift`, `scaler`, `PCA` and what of it. column: by name. columns: how many of the part are off.
    """

    part: str
    column: str
    stored: float
    refitted: float
    columns: int


def misfits(
    fitted: Fitted,
    features: NDArray[np.floating],
    blocks: Sequence[Block],
    rows: NDArray[np.int64],
    config: PreprocessingConfig,
) -> list[Misfit]:
    """Everything in `fitted` that features[rows] do not give to 1e-8 of its scale; () where all of it is theirs.

    features: (N, D) raw, may be a memory map; only `rows` (n,) are read, a part at a time. The signs of components
    play no part. Each step is fitted again on what the stored steps before it give, so that only what is off is named.
    """
    ordered = np.unique(rows)
    expected = tuple(blocks) or (Block("features", 0, features.shape[1]),)
    if [(b.name, b.start, b.stop) for b in fitted.blocks] != [(b.name, b.start, b.stop) for b in expected]:
        return [Misfit("blocks", "all", len(fitted.blocks), len(expected), len(expected))]
    found = [
        misfit
        for block, projection in zip(fitted.blocks, fitted.projections, strict=True)
        for misfit in _projection_misfits(projection, features, block, ordered, config)
    ]
    return [*found, *_column_misfits(fitted, features, ordered, config)]


def _projection_misfits(
    stored: Projection | None,
    features: NDArray[np.floating],
    block: Block,
    rows: NDArray[np.int64],
    config: PreprocessingConfig,
) -> list[Misfit]:
    passes_as_it_is = config.pca is None or (isinstance(config.pca, int) and block.width <= config.pca)
    if passes_as_it_is or stored is None or config.pca is None:
        wanted, there = 0 if passes_as_it_is else 1, 0 if stored is None else 1
        return [] if wanted == there else [Misfit("PCA, whether there is one", block.name, there, wanted, 1)]
    part = features[:, block.start : block.stop]
    again = fit_projections(part, [rows], config.pca)[0]
    if len(again.variances) != len(stored.variances):
        return [Misfit("PCA, components kept", block.name, len(stored.variances), len(again.variances), 1)]
    if not len(again.variances):
        return []
    largest, names = float(again.variances[0]), np.array(column_names(block))
    numbered = np.array([f"{block.name}.pc{number + 1}" for number in range(len(again.variances))])
    spread = np.sqrt(max(again.total_variance, np.finfo(float).tiny))
    size = spread + np.abs(again.mean)
    off = _residuals(stored, part, rows)
    return [
        *_worst("PCA, mean", names, stored.mean, again.mean, size),
        *_worst("PCA, variance", numbered, stored.variances, again.variances, np.full(len(numbered), largest)),
        *_worst("PCA, direction: share off", numbered, off / largest, np.zeros(len(off)), np.ones(len(off))),
        *_worst("PCA, component: length", numbered, np.linalg.norm(stored.components, axis=1), 1.0, 1.0),
        *_worst(
            "PCA, total variance",
            np.array([block.name]),
            np.array([stored.total_variance]),
            np.array([again.total_variance]),
            np.array([again.total_variance]),
        ),
    ]


def _residuals(stored: Projection, part: NDArray[np.floating], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """(m,) how far the covariance of the rows turns each stored component away from itself times its variance."""
    mean = np.zeros(part.shape[1])
    for start in range(0, len(rows), _ROWS):
        mean += np.asarray(part[rows[start : start + _ROWS]], dtype=np.float64).sum(axis=0)
    mean /= len(rows)
    turned = np.zeros_like(stored.components)
    for start in range(0, len(rows), _ROWS):
        centred = np.asarray(part[rows[start : start + _ROWS]], dtype=np.float64) - mean
        turned += (centred @ stored.components.T).T @ centred
    turned /= len(rows) - 1
    return np.linalg.norm(turned - stored.variances[:, None] * stored.components, axis=1)


def _column_misfits(
    fitted: Fitted, features: NDArray[np.floating], rows: NDArray[np.int64], config: PreprocessingConfig
) -> list[Misfit]:
    logs: list[LogTransform] = []
    scalings: list[LinearScaling] = []
    place = 0
    for block, projection in zip(fitted.blocks, fitted.projections, strict=True):
        width = block.width if projection is None else len(projection.components)
        for start in range(0, width, _COLUMNS):
            columns = _columns(features, rows, block, projection, start)
            names = fitted.names[place + start : place + start + columns.shape[1]]
            chosen = None if config.log == "auto" else np.isin(names, [] if config.log == "none" else list(config.log))
            part = slice(place + start, place + start + columns.shape[1])
            stored = LogTransform(fitted.log.direction[part], fitted.log.origin[part], fitted.log.scale[part])
            logs.append(fit_log(columns, chosen))
            scalings.append(fit_scaling(stored.apply(columns), config.scaling))
        place += width
    every = np.array(fitted.names)
    log, scaling = fitted.log, fitted.scaling
    direction, origin, shift = (np.concatenate([getattr(one, part) for one in logs]) for part in _LOG)
    center, scale = (np.concatenate([getattr(one, part) for one in scalings]) for part in _SCALING)
    return [
        *_worst("log shift, columns", every, log.direction, direction, np.ones(len(every))),
        *_worst("log shift, origin", every, log.origin, origin, np.abs(shift)),
        *_worst("log shift, scale", every, log.scale, shift, np.abs(shift)),
        *_worst("scaler, center", every, scaling.center, center, np.abs(scale)),
        *_worst("scaler, scale", every, scaling.scale, scale, np.abs(scale)),
    ]


_LOG = ("direction", "origin", "scale")
_SCALING = ("center", "scale")


def _columns(
    features: NDArray[np.floating], rows: NDArray[np.int64], block: Block, projection: Projection | None, start: int
) -> NDArray[np.float64]:
    """(n, up to 128) columns from `start` of one block over the rows, after its PCA where it has one."""
    if projection is None:
        stop = min(block.start + start + _COLUMNS, block.stop)
        return np.asarray(features[rows, block.start + start : stop], dtype=np.float64)
    few = Projection(
        projection.mean,
        projection.components[start : start + _COLUMNS],
        projection.variances[start : start + _COLUMNS],
        projection.total_variance,
    )
    parts = [
        few.project(features[rows[at : at + _ROWS], block.start : block.stop]) for at in range(0, len(rows), _ROWS)
    ]
    return np.concatenate(parts)


def _worst(
    part: str,
    names: NDArray[np.str_],
    stored: NDArray[np.generic],
    again: NDArray[np.generic] | float,
    size: NDArray[np.float64] | float,
) -> list[Misfit]:
    """The entry of the part that is furthest off, measured by its size; () where none is off by 1e-8 of it."""
    if stored.shape != names.shape:
        return [Misfit(part, "all", stored.size, names.size, names.size)]
    again = np.broadcast_to(again, stored.shape)
    away = np.abs(stored.astype(np.float64) - again.astype(np.float64)) / np.maximum(size, np.finfo(float).tiny)
    # Not `away > TOLERANCE`: what is not a number is off as well.
    off = ~(away <= TOLERANCE)
    if not off.any():
        return []
    at = int(np.argmax(np.where(np.isnan(away), np.inf, away)))
    return [Misfit(part, str(names[at]), float(stored[at]), float(again[at]), int(off.sum()))]
