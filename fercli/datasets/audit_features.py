"""What is wrong with a feature table: equal rows, values that are no number, rows that make a component."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.config.audit import AuditConfig
from fercli.datasets.content import feature_content
from fercli.datasets.duplicate_sets import DuplicateSets
from fercli.datasets.duplicates_exact import exact_sets
from fercli.preprocessing.pca import fit_projections
from fercli.protocol.duplicates import copies
from fercli.records import Block, Samples

_CHUNK_BYTES = 32 * 2**20
# Blocks as narrow as this are taken for components already; of wider ones the first principal components are looked at.
_NARROW = 32
_COMPONENTS = 5
# Above this width the scatter matrix of a block would need more memory than a table is worth; its columns stand in.
_WIDEST = 4096


@dataclass(frozen=True)
class Dominating:
    """One row that carries `share` (0 to 1) of the variance of a component."""

    row: int
    component: str
    share: float


@dataclass(frozen=True)
class FeatureAudit:
    """exact: sets of equal rows. not_finite: (n,) rows with a NaN or infinity. dominating: by falling share."""

    exact: DuplicateSets
    not_finite: NDArray[np.int64]
    dominating: tuple[Dominating, ...]


def audit_features(
    features: NDArray[np.float32],
    samples: Samples,
    blocks: Sequence[Block],
    config: AuditConfig,
    advance: Callable[[int], None] = lambda count: None,
) -> FeatureAudit:
    """Audit rows (N, D); `advance` is told how many more were read. Rows that are not finite dominate nothing."""
    step = max(1, _CHUNK_BYTES // (8 * max(1, features.shape[1])))
    digests: list[str] = []
    finite = np.empty(len(features), dtype=bool)
    for start in range(0, len(features), step):
        part = np.asarray(features[start : start + step], dtype=np.float64)
        finite[start : start + step] = np.isfinite(part).all(axis=1)
        digests += [feature_content(row) for row in part]
        advance(len(part))
    exact = exact_sets(features, copies(np.array(digests, dtype=np.str_)))
    rows = np.flatnonzero(finite)
    found: list[Dominating] = []
    for block in blocks if len(rows) > 2 else ():
        names, scores = _components(features[:, block.start : block.stop], rows, block)
        found += _dominating(names, scores, rows, step, config.dominant_share)
    found.sort(key=lambda entry: (-entry.share, entry.row, entry.component))
    return FeatureAudit(DuplicateSets.of(exact, samples), np.flatnonzero(~finite), tuple(found))


Scores = Callable[[NDArray[np.int64]], NDArray[np.float64]]


def _components(columns: NDArray[np.float32], rows: NDArray[np.int64], block: Block) -> tuple[list[str], Scores]:
    """Names of a block's components, and the function from rows to their scores (n, components)."""
    if _NARROW < block.width <= _WIDEST:
        fitted = fit_projections(columns, [rows], _COMPONENTS)[0]
        names = [f"{block.name}.pc{number + 1}" for number in range(len(fitted.components))]
        return names, lambda part: fitted.project(columns[part])
    names = list(block.columns) or [f"{block.name}.{number + 1}" for number in range(block.width)]
    return names, lambda part: np.asarray(columns[part], dtype=np.float64)


def _dominating(
    names: list[str], scores: Scores, rows: NDArray[np.int64], step: int, least: float
) -> Iterator[Dominating]:
    """Three passes in chunks: means, sums of squares, and the rows with a share of at least `least`."""
    parts = [rows[start : start + step] for start in range(0, len(rows), step)]
    mean = sum(scores(part).sum(axis=0) for part in parts) / len(rows)
    squares = sum(((scores(part) - mean) ** 2).sum(axis=0) for part in parts)
    # What rounding leaves of a constant column is no variance.
    varies = squares > 1e-20 * len(rows) * mean**2
    for part in parts:
        share = np.where(varies, (scores(part) - mean) ** 2 / np.where(varies, squares, 1.0), 0.0)
        for at, column in np.argwhere(share >= least).tolist():
            yield Dominating(int(part[at]), names[column], float(share[at, column]))
