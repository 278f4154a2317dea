"""What a trainer wrote down epoch by epoch and removal by removal, and its mean over the folds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.errors import ArtifactError

TEXT = ("phase", "criterion")


def _column(name: str, cells: Sequence[str]) -> NDArray[np.float64] | NDArray[np.str_]:
    if name in TEXT:
        return np.array(cells, dtype=np.str_)
    try:
        return np.array([float(cell) if cell else np.nan for cell in cells], dtype=np.float64)
    except ValueError as error:
        raise ArtifactError(
            f"column {name} holds what is no number: {error}",
            next_step="train the run again with --force",
        ) from None


@dataclass(frozen=True)
class Columns:
    """A table by its columns: numbers as (R,) float64 with NaN where not measured, `phase` and `criterion` as text."""

    values: Mapping[str, NDArray[np.float64] | NDArray[np.str_]]
    rows: int

    @classmethod
    def of(cls, header: Sequence[str], rows: Sequence[Sequence[str]]) -> "Columns":
        """From the header and the cells of a CSV; ArtifactError for a number that is none."""
        return cls({name: _column(name, [row[place] for row in rows]) for place, name in enumerate(header)}, len(rows))

    def numbers(self, name: str) -> NDArray[np.float64]:
        """(R,) the column, or all NaN where the table lacks it."""
        values = self.values.get(name)
        return np.full(self.rows, np.nan) if values is None else values.astype(np.float64)

    def text(self, name: str) -> NDArray[np.str_]:
        """(R,) the column, or all "" where the table lacks it."""
        values = self.values.get(name)
        return np.full(self.rows, "") if values is None else values.astype(np.str_)

    def where(self, mask: NDArray[np.bool_]) -> "Columns":
        """The rows where `mask` (R,) is True."""
        return Columns({name: values[mask] for name, values in self.values.items()}, int(mask.sum()))

    def folds(self) -> list[tuple[int, "Columns"]]:
        """The rows of each (repeat, fold), numbered from 0 in that order."""
        pairs = np.stack([self.numbers("repeat"), self.numbers("fold")], axis=1)
        return [
            (index, self.where(np.all(pairs == pair, axis=1)))
            for index, pair in enumerate(np.unique(pairs, axis=0) if self.rows else [])
        ]


@dataclass(frozen=True)
class Curve:
    """A quantity over x, over the folds that were measured there.

    x, mean, sd (n-1, NaN where one fold is left), folds: (P,) each.
    """

    x: NDArray[np.float64]
    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    folds: NDArray[np.int64]


def mean_curve(columns: Columns, x: str, y: str) -> Curve | None:
    """Mean of `y` at each value of `x`; None when nothing was measured.

    Only where at least half of the folds were measured: folds that stop early would otherwise leave a tail
    that is the mean of the few slowest, and looks like a jump.
    """
    places, values = columns.numbers(x), columns.numbers(y)
    measured = np.isfinite(places) & np.isfinite(values)
    if not measured.any():
        return None
    kept = columns.where(measured)
    total = len(kept.folds())
    points = []
    for place in np.unique(places[measured]):
        here = values[measured & (places == place)]
        if 2 * len(here) >= total:
            points.append((place, here.mean(), here.std(ddof=1) if len(here) > 1 else np.nan, len(here)))
    table = np.array(points, dtype=np.float64).reshape(-1, 4)
    return Curve(table[:, 0], table[:, 1], table[:, 2], table[:, 3].astype(np.int64))


def loss_over_units(receipts: Columns, which: str) -> list[Curve]:
    """Per fold that lost a unit: the loss (`train` or `test`) against the hidden units left, widest first.

    The first point is the loss before the first removal, each further one the loss after retraining.
    """
    curves = []
    for _, fold in receipts.folds():
        order = np.argsort(-fold.numbers("units_left"), kind="stable")
        left = fold.numbers("units_left")[order]
        before = fold.numbers(f"{which}_loss_before")[order][:1]
        after = fold.numbers(f"{which}_loss_retrained")[order]
        x, y = np.concatenate([left[:1] + 1, left]), np.concatenate([before, after])
        measured = np.isfinite(y)
        if measured.any():
            count = int(measured.sum())
            curves.append(Curve(x[measured], y[measured], np.full(count, np.nan), np.ones(count, dtype=np.int64)))
    return curves


def carried_mean(curves: Sequence[Curve]) -> Curve | None:
    """Mean over folds at every number of units, each fold keeping its last loss once it lost its last unit.

    Without carrying on, the mean at few units would be that of the folds that prune most.
    """
    if not curves:
        return None
    places = np.arange(max(curve.x.max() for curve in curves), min(curve.x.min() for curve in curves) - 1, -1)
    table = np.full((len(curves), len(places)), np.nan)
    for row, curve in zip(table, curves, strict=True):
        for index, place in enumerate(places):
            reached = curve.mean[curve.x >= place]
            row[index] = reached[-1] if len(reached) else curve.mean[0]
    sd = table.std(axis=0, ddof=1) if len(curves) > 1 else np.full(len(places), np.nan)
    return Curve(places, table.mean(axis=0), sd, np.full(len(places), len(curves)))
