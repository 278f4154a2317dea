"""What a report is made of: plain data that the step reads from run artifacts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from fercli.report.history import Columns

Standing = Literal["better", "worse", "not distinguishable", "undecided"]


@dataclass(frozen=True)
class Mistake:
    """A held-out row that was answered wrongly, with the confidence of the answer (a share).

    picture: PNG, None where the run's data has no pictures.
    """

    id: str
    truth: str
    answer: str
    confidence: float
    picture: bytes | None = None


@dataclass(frozen=True)
class FoldRows:
    """What one fold holds out: rows of each class, in the order of the run's classes, and of how many groups.

    groups: None where groups are unknown or rows have none.
    """

    repeat: int
    fold: int
    counts: tuple[int, ...]
    groups: int | None = None


@dataclass(frozen=True)
class AgainstBest:
    """The best of a set of comparable runs against another of them, by a paired test on the rows that both scored.

    difference: accuracy of the best minus the other's, as a share; lower, upper: its interval at `level`. p: after
    Holm's correction over the `pairs` that were looked at, None where nothing could be tested. verdict: of the best.
    partly: one of them has more repeats, which are left out.
    """

    best: str
    other: str
    rows: int
    difference: float
    lower: float | None
    upper: float | None
    level: float
    p: float | None
    pairs: int
    decided_by: str
    verdict: Standing
    partly: bool = False


@dataclass(frozen=True)
class RunMaterial:
    """One run.

    metrics: an entry of `evaluate`'s `runs[]`. history, receipts, activations: the run's CSV files, None where it has
    none. content: what its manifest adds (`hidden_before` …). provenance: names and values to print. folds: what each
    fold holds out. mistakes: the most confident wrong answers, None where they were not asked for.
    """

    metrics: Mapping[str, Any]
    history: Columns | None = None
    receipts: Columns | None = None
    activations: Columns | None = None
    content: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)
    folds: tuple[FoldRows, ...] = ()
    mistakes: tuple[Mistake, ...] | None = None

    @property
    def name(self) -> str:
        return str(self.metrics["name"])


@dataclass(frozen=True)
class Drawing:
    """One figure of a report; stem: of its PNG and SVG file."""

    stem: str
    caption: str
    svg: bytes
    png: bytes
