"""Whether the probabilities mean what they say: reliability bins, calibration error, risk and coverage."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 15


@dataclass(frozen=True)
class ReliabilityBin:
    """One bin of confidence: lower < confidence <= upper (the first bin includes 0).

    confidence and accuracy are means over the bin's rows, None in an empty bin.
    """

    lower: float
    upper: float
    rows: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True)
class RiskCoverage:
    """Error rate among the most confident part of the rows, for every size of that part.

    coverage: (P,) increasing, 0 < c <= 1, share of rows answered. risk: (P,) share of wrong ones among them.
    area: mean risk over all coverages (AURC), 0 is perfect.
    """

    coverage: NDArray[np.float64]
    risk: NDArray[np.float64]
    area: float


def reliability(
    probabilities: NDArray[np.float64], truth: NDArray[np.int64], bins: int = BINS
) -> tuple[ReliabilityBin, ...]:
    """Rows binned by the probability of the predicted class, in `bins` bins of equal width over 0..1.

    probabilities: (M, C), rows sum to 1. truth: (M,). Guo et al. 2017, section 2.
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == truth
    edges = np.linspace(0.0, 1.0, bins + 1)
    place = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    rows = np.bincount(place, minlength=bins)
    confidence_sum = np.bincount(place, weights=confidence, minlength=bins)
    correct_sum = np.bincount(place, weights=correct.astype(np.float64), minlength=bins)
    return tuple(
        ReliabilityBin(
            lower=float(edges[index]),
            upper=float(edges[index + 1]),
            rows=int(count),
            confidence=float(confidence_sum[index] / count) if count else None,
            accuracy=float(correct_sum[index] / count) if count else None,
        )
        for index, count in enumerate(rows)
    )


def expected_calibration_error(
    probabilities: NDArray[np.float64], truth: NDArray[np.int64], bins: int = BINS
) -> float | None:
    """Mean distance between confidence and accuracy over the bins, weighted by their rows; None without rows.

    Guo et al. 2017, equation 3. Depends on the number of bins: 15 here, as in the paper.
    """
    total = len(truth)
    if total == 0:
        return None
    return float(
        sum(
            entry.rows / total * abs(entry.confidence - entry.accuracy)
            for entry in reliability(probabilities, truth, bins)
            if entry.confidence is not None and entry.accuracy is not None
        )
    )


def risk_coverage(probabilities: NDArray[np.float64], truth: NDArray[np.int64]) -> RiskCoverage | None:
    """The error rate when only rows at or above a confidence are answered; None without rows.

    Rows of equal confidence are answered together: the curve has a point per distinct confidence, and
    within such a group every row counts with the group's risk (Geifman & El-Yaniv 2017).
    """
    if len(truth) == 0:
        return None
    confidence = probabilities.max(axis=1)
    wrong = (probabilities.argmax(axis=1) != truth).astype(np.float64)
    order = np.argsort(-confidence, kind="stable")
    errors = np.cumsum(wrong[order])
    last = np.flatnonzero(np.append(np.diff(confidence[order]) != 0, True))
    answered = last + 1
    risk = errors[last] / answered
    weights = np.diff(answered, prepend=0) / len(truth)
    return RiskCoverage(answered / len(truth), risk, float(np.sum(risk * weights)))
