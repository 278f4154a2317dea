"""Which hidden units are redundant: dead, saturated, or a double of another unit."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Criterion = Literal["dead", "saturated", "correlated", "angle", "least-missed"]
PairCriterion = Literal["correlation", "angle"]

CONSTANT = 1e-6


@dataclass(frozen=True)
class Thresholds:
    """When a unit is redundant; the defaults of dead, saturated and correlated are those of Xu, section 2.1.2.

    dead: largest sum of outputs over the training patterns. saturated: smallest mean output. correlated: smallest
    |r|. angle: largest angle in degrees from parallel (similar) or antiparallel (complementary); Gedeon & Harris.
    pairs: which of the last two looks for doubles.
    """

    dead: float = 0.01
    saturated: float = 0.9
    correlated: float = 0.9
    angle: float = 15.0
    pairs: PairCriterion = "correlation"


@dataclass(frozen=True)
class Finding:
    """One redundant unit: its number, why, the value that crossed the threshold, and its double if it has one.

    value: dead: the sum of outputs; saturated: the mean output; correlated: r; angle: the angle in degrees;
    least-missed: the loss over the training patterns without the unit.
    """

    unit: int
    criterion: Criterion
    value: float
    partner: int | None = None


def correlations(hidden: NDArray[np.floating]) -> NDArray[np.float64]:
    """(H, H) Pearson correlations of outputs (n, H); 0 where undefined, and 0 on the diagonal.

    A unit whose output varies by at most 1e-6 counts as constant: its r would be that of rounding errors.
    """
    centred = hidden.astype(np.float64)
    varies = np.ptp(centred, axis=0) > CONSTANT
    centred -= centred.mean(axis=0)
    return _cosines(centred, varies)


def angles(hidden: NDArray[np.floating]) -> NDArray[np.float64]:
    """(H, H) angles in degrees between outputs (n, H) shifted by 0.5; 90 where undefined, and on the diagonal.

    Undefined for a unit whose output is 0.5 throughout, to within 1e-6.
    """
    shifted = hidden.astype(np.float64) - 0.5
    return np.degrees(np.arccos(_cosines(shifted, np.abs(shifted).max(axis=0) > CONSTANT)))


def _cosines(vectors: NDArray[np.float64], defined: NDArray[np.bool_]) -> NDArray[np.float64]:
    norms = np.linalg.norm(vectors, axis=0)
    unit = np.divide(vectors, norms, out=np.zeros_like(vectors), where=defined & (norms > 0))
    cosines = np.clip(unit.T @ unit, -1, 1)
    np.fill_diagonal(cosines, 0)
    return cosines


def next_unit(
    hidden: NDArray[np.floating],
    outgoing: NDArray[np.floating],
    alive: NDArray[np.bool_],
    thresholds: Thresholds,
) -> Finding | None:
    """The unit to remove next, or None when nothing qualifies or only one unit is left.

    hidden: (n, H) outputs over the training patterns. outgoing: (H, C) weights to the output units. alive: (H,).

    One at a time, in this order: the dead unit with the smallest sum of outputs; else the saturated unit with the
    largest; else, of the pair with the largest |r| (or smallest angle), the unit with the smaller norm of outgoing
    weights. Of equals the lowest number goes. A constant unit has no r: only `dead` and `saturated` can catch it.
    """
    units = np.flatnonzero(alive)
    if len(units) < 2:
        return None
    outputs = hidden[:, units].astype(np.float64)
    sums = outputs.sum(axis=0)
    lowest, highest = int(np.argmin(sums)), int(np.argmax(sums))
    if sums[lowest] < thresholds.dead:
        return Finding(int(units[lowest]), "dead", float(sums[lowest]))
    mean = float(sums[highest]) / len(outputs)
    if mean > thresholds.saturated:
        return Finding(int(units[highest]), "saturated", mean)
    if thresholds.pairs == "correlation":
        values = correlations(outputs)
        likeness = np.abs(values)
        threshold = thresholds.correlated
    else:
        values = angles(outputs)
        likeness = np.abs(values - 90)
        threshold = 90 - thresholds.angle
    best = int(np.argmax(np.triu(likeness, 1)))
    first, second = divmod(best, len(units))
    if not likeness[first, second] > threshold:
        return None
    norms = np.linalg.norm(outgoing[units].astype(np.float64), axis=1)
    gone, stays = (first, second) if norms[first] <= norms[second] else (second, first)
    criterion: Criterion = "correlated" if thresholds.pairs == "correlation" else "angle"
    return Finding(int(units[gone]), criterion, float(values[first, second]), int(units[stays]))
