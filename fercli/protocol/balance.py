"""Rows into bins so that each class is shared as asked and no unit is cut.

A unit is a set of rows that stays together. Units of several rows are placed greedily, large ones first, in a
randomised order, and then moved and exchanged while that helps; single rows fill up what is still missing, which
they can do exactly. Several seeded starts, because the greedy order alone decides most of the partition
(scikit-learn's StratifiedGroupKFold sorts by size and gives nearly the same partition for every seed).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.protocol.duplicates import numbered

_MANY_UNITS = 2000  # above this many units of several rows, two greedy starts come close enough
_SWAPS = 300  # exchanges look at pairs of units; above this many units, moves alone come close enough
_ORDER_NOISE = 0.5  # standard deviation of the log size by which the greedy order is shuffled


@dataclass(frozen=True)
class Placement:
    """One way to place the rows: bins (N,) int64, and its cost (squared deviation from the shares; 0 is perfect)."""

    bins: NDArray[np.int64]
    cost: float


def placements(
    labels: NDArray[np.int64], units: NDArray[np.int64], shares: NDArray[np.float64], rng: np.random.Generator
) -> list[Placement]:
    """Several ways to place N rows into bins, the best balanced first.

    labels, units: (N,) int64, any numbers. shares: (B,) float64, the part of every class that each bin should
    hold; they sum to 1. With at least B units no bin stays empty when the shares are equal.
    """
    classes = numbered(labels)
    members = numbered(units)
    sizes = np.bincount(members)
    totals = np.bincount(classes).astype(np.float64)
    weights = np.sqrt(np.append(1.0 / totals, len(totals) / len(labels)))  # the sizes of bins count as one class does
    counts = np.zeros((len(sizes), len(totals) + 1))
    np.add.at(counts, (members, classes), 1.0)
    counts[:, -1] = sizes
    several = np.flatnonzero(sizes > 1)
    starts = 1 if len(several) == 0 else 8 if len(several) <= _MANY_UNITS else 2

    found = []
    for _ in range(starts):
        missing = -shares[:, None] * np.append(totals, len(labels))[None, :]
        bin_of_unit = np.full(len(sizes), -1, dtype=np.int64)
        placed, residual = _place_units(counts[several] * weights, missing * weights, rng)
        bin_of_unit[several] = placed
        bins = bin_of_unit[members]
        surplus = residual / weights
        _fill_with_singles(bins, classes, surplus, shares, weights**2, rng)
        found.append(Placement(bins, float(np.sum((surplus * weights) ** 2))))
    return sorted(found, key=lambda placement: placement.cost)


def _place_units(
    profiles: NDArray[np.float64], residual: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Bins of the units, and what each bin then holds above its share; both weighted as `profiles` are."""
    residual = residual.copy()
    bins = np.zeros(len(profiles), dtype=np.int64)
    size = profiles[:, -1]
    order = np.argsort(-(np.log(size) + _ORDER_NOISE * rng.standard_normal(len(size))), kind="stable")
    for unit in order.tolist():
        chosen = int(np.argmin(residual @ profiles[unit]))
        bins[unit] = chosen
        residual[chosen] += profiles[unit]
    _improve(bins, profiles, residual)
    return bins, residual


def _improve(bins: NDArray[np.int64], profiles: NDArray[np.float64], residual: NDArray[np.float64]) -> None:
    """Move or exchange the pair that lowers the cost most, until nothing does; changes bins and residual.

    Moving profile p from bin a to b changes the cost by 2 (p·(r_b - r_a) + p·p), r being the residuals.
    """
    count = len(profiles)
    if not 0 < count <= _MANY_UNITS:
        return
    units = np.arange(count)
    squares = np.einsum("uc,uc->u", profiles, profiles)
    gram = profiles @ profiles.T if count <= _SWAPS else None
    for _ in range(min(20 * count, 1000)):
        toward = profiles @ residual.T
        own = toward[units, bins]
        moves = toward - own[:, None] + squares[:, None]
        moves[units, bins] = np.inf
        unit, target = np.unravel_index(np.argmin(moves), moves.shape)
        gain, other = moves[unit, target], -1
        if gram is not None:
            there = toward[:, bins]
            swaps = there + there.T - own[:, None] - own[None, :]
            swaps += squares[:, None] + squares[None, :] - 2 * gram
            first, second = np.unravel_index(np.argmin(swaps), swaps.shape)
            if swaps[first, second] < gain:
                gain, unit, other, target = swaps[first, second], first, int(second), bins[second]
        if gain > -1e-9:
            return
        source = int(bins[unit])
        change = profiles[unit] if other < 0 else profiles[unit] - profiles[other]
        residual[source] -= change
        residual[target] += change
        bins[unit] = target
        if other >= 0:
            bins[other] = source


def _fill_with_singles(
    bins: NDArray[np.int64],
    classes: NDArray[np.int64],
    surplus: NDArray[np.float64],
    shares: NDArray[np.float64],
    weights: NDArray[np.float64],
    rng: np.random.Generator,
) -> None:
    """Give the rows still at -1 to the bins that miss their class most; changes bins and surplus.

    surplus: (B, C + 1) rows held above the share, per class and (last column) in all. weights: (C + 1,) of the cost.
    """
    for label in range(surplus.shape[1] - 1):
        rows = np.flatnonzero((bins < 0) & (classes == label))
        if len(rows) == 0:
            continue
        amounts = _pour(surplus[:, label], len(rows))
        left = len(rows) - int(amounts.sum())
        # The remainder decides the sizes of the bins: compare what each holds with its share of the rows dealt so far.
        pending = len(bins) - int((bins >= 0).sum()) - len(rows)
        size = surplus[:, -1] + amounts + shares * pending
        need = weights[label] * (surplus[:, label] + amounts) + weights[-1] * size
        ranking = np.lexsort((rng.random(len(need)), np.round(need, 9)))
        amounts[ranking[:left]] += 1
        bins[rng.permutation(rows)] = np.repeat(np.arange(len(amounts)), amounts)
        surplus[:, label] += amounts
        surplus[:, -1] += amounts


def _pour(levels: NDArray[np.float64], rows: int) -> NDArray[np.int64]:
    """(B,) whole numbers, at most `rows` in all, that raise the lowest levels first, as water fills a vessel."""
    ordered = np.sort(levels)
    surfaces = (rows + np.cumsum(ordered)) / np.arange(1, len(ordered) + 1)
    wet = int(np.flatnonzero(surfaces > ordered)[-1])
    return np.floor(np.maximum(surfaces[wet] - levels, 0.0) + 1e-9).astype(np.int64)
