"""What passes between the parts: plain, frozen records of arrays and facts, with no behaviour but their shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from typing import Protocol as TypingProtocol

if TYPE_CHECKING:
    # The command line builds `Outcome`s and must show its help without loading NumPy.
    import numpy as np
    from numpy.typing import NDArray

EXPRESSIONS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Samples:
    """The rows of a data set, one entry per row in every column.

    ids: (N,) str, unique. labels: (N,) str, "" where unlabelled. splits: (N,) str, one of `SPLITS` or "".
    groups: (N,) str (subject, film), "" where unknown. sources: (N,) str, relative path or row of the source.
    widths, heights: (N,) int64, of the source picture in pixels, 0 where there is none.
    classes: label names in their stored order. extra: further columns of the importer, each (N,) str.
    """

    ids: NDArray[np.str_]
    labels: NDArray[np.str_]
    splits: NDArray[np.str_]
    groups: NDArray[np.str_]
    sources: NDArray[np.str_]
    widths: NDArray[np.int64]
    heights: NDArray[np.int64]
    classes: tuple[str, ...]
    extra: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def targets(self) -> NDArray[np.int64]:
        """(N,) index of each label in `classes`; -1 where unlabelled."""
        import numpy as np

        lookup = {name: index for index, name in enumerate(self.classes)}
        return np.array([lookup.get(label, -1) for label in self.labels.tolist()], dtype=np.int64)

    def take(self, rows: NDArray[np.int64]) -> Samples:
        """The samples at `rows` (n,), in that order; the classes stay as they are."""
        return Samples(
            ids=self.ids[rows],
            labels=self.labels[rows],
            splits=self.splits[rows],
            groups=self.groups[rows],
            sources=self.sources[rows],
            widths=self.widths[rows],
            heights=self.heights[rows],
            classes=self.classes,
            extra={name: column[rows] for name, column in self.extra.items()},
        )


@dataclass(frozen=True)
class Picture:
    """One decoded picture on its way into a data set.

    pixels: (H, W) or (H, W, 3) uint8. width, height: of the source picture, before any crop or resize.
    """

    id: str
    label: str
    split: str
    group: str
    source: str
    pixels: NDArray[np.uint8]
    width: int
    height: int
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LeftOut:
    """One row or file of a source that did not become a sample, and why."""

    source: str
    reason: str


@dataclass(frozen=True)
class Block:
    """A run of feature columns from one descriptor: columns start:stop of the feature matrix."""

    name: str
    start: int
    stop: int
    columns: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True)
class Fold:
    """One fold: row indices into the samples. `inner` is the part of `train` that choices read (may be empty).

    fit: train without inner, what weights are fitted on; train: fit and inner together.
    """

    repeat: int
    fold: int
    train: NDArray[np.int64]
    test: NDArray[np.int64]
    inner: NDArray[np.int64]

    @property
    def fit(self) -> NDArray[np.int64]:
        """(n,) the training rows that weights are fitted on: train without inner."""
        import numpy as np

        return np.setdiff1d(self.train, self.inner) if len(self.inner) else self.train


@dataclass(frozen=True)
class FoldProtocol:
    """How rows were divided, as printed under every table and stored in `metrics.json`.

    leaks: one plain sentence per known way in which held-out rows could inform training.
    pooled: whether rows of the validation or test split train, as they do after --pool-splits.
    """

    scheme: str
    k: int
    repeats: int
    groups: int
    seed: int
    duplicates: str
    leaks: tuple[str, ...] = ()
    pooled: bool = False


@dataclass(frozen=True)
class FoldPlan:
    """The folds that a trainer runs over, with the protocol they came from.

    rows: (M,) sorted row indices that take part.
    copies: (N,) int64, rows with equal content share a number; on "official", test rows whose number stands
    in train are the copies that scores are given with and without.
    """

    protocol: FoldProtocol
    folds: tuple[Fold, ...]
    rows: NDArray[np.int64]
    copies: NDArray[np.int64]
    notes: tuple[str, ...] = ()
    split_names: tuple[str, str] = ("train", "test")


@dataclass(frozen=True)
class Predictions:
    """Scores of held-out rows, each row once per repeat.

    ids, splits: (M,) str. repeats, folds, truth: (M,) int64. probabilities: (M, C) float64, rows sum to 1.
    """

    ids: NDArray[np.str_]
    repeats: NDArray[np.int64]
    folds: NDArray[np.int64]
    splits: NDArray[np.str_]
    truth: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    classes: tuple[str, ...]

    @property
    def predicted(self) -> NDArray[np.int64]:
        """(M,) index of the most probable class, the first of equals."""
        import numpy as np

        return np.argmax(self.probabilities, axis=1)


@dataclass(frozen=True)
class Table:
    """A table for people: the console and the report draw it, the core only fills it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What a step gives back to the command line.

    status: done, up-to-date or resumed. artifact: "kind/name" or None. payload: the keys that `--json` adds.
    tables and lines: the same for people, on stdout. failure: an error to end with after everything was shown.
    """

    status: str = "done"
    artifact: str | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    lines: tuple[str, ...] = ()
    failure: Exception | None = None


class Notify(TypingProtocol):
    """How a step talks while it works; the command line gives one that prints to stderr, tests give a silent one."""

    def say(self, text: str) -> None:
        """One line of talk."""

    def warn(self, text: str) -> None:
        """One warning; it also ends up in `warnings` of the JSON answer."""

    def progress(self, what: str, total: int | None, unit: str) -> Progress:
        """A progress bar as a context manager."""


class Progress(TypingProtocol):
    """One running progress bar."""

    def __enter__(self) -> Progress: ...

    def __exit__(self, *exc: object) -> None: ...

    def advance(self, count: int = 1, note: str = "") -> None:
        """`count` more units are done; `note` is shown beside the bar."""


class Scorer(TypingProtocol):
    """The one seam through which any trained model scores samples; see `inference/scorers.py`."""

    classes: tuple[str, ...]
    input: str  # "pixels": (n, H, W[, 3]) uint8, or "columns": (n, D) float32

    def scores(self, batch: NDArray[Any]) -> NDArray[np.float32]:
        """(n, C) class probabilities of a batch."""
