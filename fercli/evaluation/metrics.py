"""Scores of a set of predictions: the scored set SET of the metrics contract.

What is undefined is None, never NaN and never a silent 0: the precision of a class that was never predicted,
the recall of a class without rows, the specificity of a class that every row has, any score of no rows, and
Matthews' coefficient where truth or prediction has a single class (scikit-learn gives 0 there).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.evaluation.calibration import expected_calibration_error
from fercli.records import Predictions

CLIP = 1e-15


@dataclass(frozen=True)
class ClassScores:
    """One class against the rest; support: held-out rows (ids) of that class."""

    precision: float | None
    recall: float | None
    specificity: float | None
    support: int


@dataclass(frozen=True)
class ScoredSet:
    """The scores of one set of rows.

    With repeats every score is the mean over the repeats in which it is defined, `rows` and `support` count
    ids, and `confusion` (C, C) int64, [truth][predicted], is the sum over repeats.
    brier: sum over the classes of squared differences, 0..2 (Brier 1950). ece: 15 bins. top2: truth is among
    the two most probable classes.
    """

    rows: int
    accuracy: float | None
    balanced_accuracy: float | None
    macro_f1: float | None
    log_loss: float | None
    mcc: float | None
    brier: float | None
    ece: float | None
    top2: float | None
    classes: tuple[str, ...]
    per_class: tuple[ClassScores, ...]
    confusion: NDArray[np.int64]

    def as_json(self) -> dict[str, Any]:
        """The scored set as JSON types, keys as the metrics contract names them."""
        return {
            "rows": self.rows,
            **{key: getattr(self, key) for key in SCORES},
            "per_class": {
                name: {
                    "precision": entry.precision,
                    "recall": entry.recall,
                    "specificity": entry.specificity,
                    "support": entry.support,
                }
                for name, entry in zip(self.classes, self.per_class, strict=True)
            },
            "confusion": self.confusion.tolist(),
        }


# What `--require` may name, in the order in which tables show them.
SCORES = ("accuracy", "balanced_accuracy", "macro_f1", "log_loss", "mcc", "brier", "ece", "top2")


def mean_of_defined(values: Sequence[float | None]) -> float | None:
    """Mean of the values that are not None; None where all are."""
    defined = [value for value in values if value is not None]
    return float(np.mean(defined)) if defined else None


def confusion_matrix(truth: NDArray[np.int64], predicted: NDArray[np.int64], class_count: int) -> NDArray[np.int64]:
    """(C, C) counts, [truth][predicted]."""
    cells = np.bincount(truth * class_count + predicted, minlength=class_count**2)
    return cells.reshape(class_count, class_count).astype(np.int64)


def _ratio(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None


def accuracy_of(confusion: NDArray[Any]) -> float | None:
    """Share of rows on the diagonal."""
    return _ratio(float(np.trace(confusion)), float(confusion.sum()))


def balanced_accuracy_of(confusion: NDArray[Any]) -> float | None:
    """Mean recall over the classes that have rows, as scikit-learn's `balanced_accuracy_score`."""
    support = confusion.sum(axis=1)
    present = support > 0
    if not present.any():
        return None
    return float(np.mean(np.diag(confusion)[present] / support[present]))


def macro_f1_of(confusion: NDArray[Any]) -> float | None:
    """Mean F1 over the classes that occur in truth or prediction.

    A class that has rows and is never predicted, or the reverse, counts as 0: scikit-learn's
    `f1_score(average="macro", zero_division=0)`.
    """
    sizes = confusion.sum(axis=0) + confusion.sum(axis=1)
    present = sizes > 0
    if not present.any():
        return None
    return float(np.mean(2.0 * np.diag(confusion)[present] / sizes[present]))


def mcc_of(confusion: NDArray[Any]) -> float | None:
    """Matthews' correlation coefficient for several classes (Gorodkin 2004), -1..1."""
    counts = confusion.astype(np.float64)
    total, truth, predicted = counts.sum(), counts.sum(axis=1), counts.sum(axis=0)
    spread = (total**2 - predicted @ predicted) * (total**2 - truth @ truth)
    if spread <= 0:
        return None
    return float((np.trace(counts) * total - truth @ predicted) / np.sqrt(spread))


def log_losses(probabilities: NDArray[np.float64], truth: NDArray[np.int64]) -> NDArray[np.float64]:
    """(M,) minus the logarithm of the true class's probability, clipped at 1e-15."""
    losses: NDArray[np.float64] = -np.log(np.clip(probabilities[np.arange(len(truth)), truth], CLIP, 1.0))
    return losses


def _brier(probabilities: NDArray[np.float64], truth: NDArray[np.int64]) -> float | None:
    if len(truth) == 0:
        return None
    target = np.eye(probabilities.shape[1])[truth]
    return float(np.mean(np.sum((probabilities - target) ** 2, axis=1)))


def _top2(probabilities: NDArray[np.float64], truth: NDArray[np.int64]) -> float | None:
    if len(truth) == 0:
        return None
    # stable on the negated values, so that of equals the first class wins, as in `Predictions.predicted`
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :2]
    return float(np.mean(np.any(best == truth[:, None], axis=1)))


def _score_once(probabilities: NDArray[np.float64], truth: NDArray[np.int64], classes: tuple[str, ...]) -> ScoredSet:
    """Scores of rows that each occur once."""
    confusion = confusion_matrix(truth, np.argmax(probabilities, axis=1), len(classes))
    hits = np.diag(confusion)
    support, predicted, total = confusion.sum(axis=1), confusion.sum(axis=0), int(confusion.sum())
    per_class = tuple(
        ClassScores(
            precision=_ratio(hits[index], predicted[index]),
            recall=_ratio(hits[index], support[index]),
            specificity=_ratio(total - support[index] - predicted[index] + hits[index], total - support[index]),
            support=int(support[index]),
        )
        for index in range(len(classes))
    )
    return ScoredSet(
        rows=total,
        accuracy=accuracy_of(confusion),
        balanced_accuracy=balanced_accuracy_of(confusion),
        macro_f1=macro_f1_of(confusion),
        log_loss=float(np.mean(log_losses(probabilities, truth))) if total else None,
        mcc=mcc_of(confusion),
        brier=_brier(probabilities, truth),
        ece=expected_calibration_error(probabilities, truth),
        top2=_top2(probabilities, truth),
        classes=classes,
        per_class=per_class,
        confusion=confusion,
    )


def score(predictions: Predictions, rows: NDArray[np.bool_] | None = None) -> ScoredSet:
    """The scored set of `predictions`, or of those where the mask `rows` (M,) is True."""
    mask = np.ones(len(predictions.ids), dtype=np.bool_) if rows is None else rows
    # a repeat without rows would only add undefined scores; with no rows at all one empty set is scored
    repeats: list[int] = np.unique(predictions.repeats[mask]).tolist() or [0]
    parts = []
    for repeat in repeats:
        chosen = mask & (predictions.repeats == repeat)
        parts.append(_score_once(predictions.probabilities[chosen], predictions.truth[chosen], predictions.classes))
    if len(parts) == 1:
        return parts[0]

    def over_repeats(read: Callable[[ScoredSet], float | None]) -> float | None:
        return mean_of_defined([read(part) for part in parts])

    _, first = np.unique(predictions.ids[mask], return_index=True)
    support = np.bincount(predictions.truth[mask][first], minlength=len(predictions.classes))
    return ScoredSet(
        rows=len(first),
        **{key: over_repeats(lambda part, key=key: getattr(part, key)) for key in SCORES},  # type: ignore[misc]
        classes=predictions.classes,
        per_class=tuple(
            ClassScores(
                precision=mean_of_defined([part.per_class[index].precision for part in parts]),
                recall=mean_of_defined([part.per_class[index].recall for part in parts]),
                specificity=mean_of_defined([part.per_class[index].specificity for part in parts]),
                support=int(support[index]),
            )
            for index in range(len(predictions.classes))
        ),
        confusion=np.sum([part.confusion for part in parts], axis=0),
    )
