"""A run's models on pictures made worse, level by level, and the proof that level 0 is the run's own score."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.config.robustness import GRADES, Kind, RobustnessConfig
from fercli.descriptors.extraction import extract_chunks
from fercli.errors import ArtifactError
from fercli.evaluation.elsewhere import by_name
from fercli.evaluation.rescore import rescore
from fercli.evaluation.row_means import row_means
from fercli.inference.corruptions import corrupted
from fercli.records import Notify, Predictions
from fercli.workflow.examined import Examined, Part

CLOSE = 1e-5
BATCH_BYTES = 2**27
BATCH = 4096
TIMED = 64
Grade = tuple[Kind | None, int]
SCORES = ("accuracy", "balanced_accuracy", "macro_f1", "log_loss")


@dataclass(frozen=True)
class Scored:
    """Predictions of clean pictures, and of each kind and level. largest: difference of level 0 from the run's own
    probabilities, None on other data."""

    clean: Predictions
    graded: Mapping[tuple[Kind, int], Predictions]
    largest: float | None


def scored_levels(what: Examined, config: RobustnessConfig, notify: Notify, *, device: str, jobs: int) -> Scored:
    """Score every part's rows at every kind and level, the model of one part in memory at a time.

    Raises ArtifactError where the clean pictures do not give the run's own predictions.
    """
    grades: list[Grade] = [(None, 0), *((kind, level) for kind in config.kinds for level in config.graded)]
    found: dict[Grade, list[NDArray[np.float64]]] = {grade: [] for grade in grades}
    total = len(grades) * sum(len(part.rows) for part in what.parts)
    largest: float | None = None
    with notify.progress(f"scoring {what.run.name}", total, "pictures") as bar:
        for part in what.parts:
            scorer = what.scorer(part, device)
            for grade in grades:
                scores = []
                for batch in _batches(what, part, grade, config.seed, jobs):
                    scores.append(scorer.scores(batch))
                    bar.advance(len(batch), note=grade_words(*grade))
                found[grade].append(by_name(np.concatenate(scores), len(what.classes)))
                if grade[0] is None and part.stored is not None:
                    largest = max(largest or 0.0, _difference(what, part, found[grade][-1], part.stored))
    predictions = {grade: what.predictions(parts) for grade, parts in found.items()}
    clean = predictions.pop((None, 0))
    return Scored(clean, {(kind, level): p for (kind, level), p in predictions.items() if kind is not None}, largest)


def seconds_per_picture(what: Examined, config: RobustnessConfig, *, device: str) -> float:
    """How long one picture takes, corrupted and scored in one process, by a few of the first part; nothing is kept."""
    part = replace(what.parts[0], rows=what.parts[0].rows[:TIMED])
    scorer = what.scorer(part, device)
    grades: list[Grade] = [(None, 0), *((kind, max(config.graded, default=0)) for kind in config.kinds)]
    for warm in (True, False):  # first calls load libraries and choose algorithms
        started = time.perf_counter()
        for grade in grades[:1] if warm else grades:
            for batch in _batches(what, part, grade, config.seed, 1):
                scorer.scores(batch)
    return (time.perf_counter() - started) / (len(grades) * len(part.rows))


def grade_words(kind: Kind | None, level: int) -> str:
    """`clean`, or `noise 3`."""
    return "clean" if kind is None else f"{kind} {level}"


def _batches(what: Examined, part: Part, grade: Grade, seed: int, jobs: int) -> Iterator[NDArray[Any]]:
    """The model's inputs of the part's rows at one grade, a few at a time."""
    kind, level = grade
    images = what.data.array("images.npy")
    step = max(1, min(BATCH, BATCH_BYTES // images[0].nbytes))
    for start in range(0, len(part.rows), step):
        rows = part.rows[start : start + step]
        pictures = np.asarray(images[rows])
        if kind is not None:
            pictures = corrupted(pictures, what.samples.ids[rows].tolist(), kind, level, seed=seed)
        if what.descriptors is None:
            yield pictures
        else:
            for _, columns in extract_chunks(pictures, what.descriptors, jobs=jobs):
                yield columns


def _difference(what: Examined, part: Part, found: NDArray[np.float64], stored: NDArray[np.float64]) -> float:
    """The largest difference from the stored probabilities; ArtifactError unless they and the labels are the same."""
    differs = np.abs(found - stored).max(axis=1)
    wrong = (differs > CLOSE) | (found.argmax(axis=1) != stored.argmax(axis=1))
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise ArtifactError(
            f"the clean pictures do not give the predictions of {what.run.label}: {int(wrong.sum()):,} of "
            f"{len(wrong):,} rows of {part.folder} differ, the largest probability by {differs.max():.2g}",
            where=f"{what.run.path / 'predictions.csv'}, row {what.samples.ids[part.rows[first]]}",
            next_step="a net trained on a GPU may need --device cuda here; else train the run again with --force",
        )
    return float(differs.max())


def curves(what: Examined, scored: Scored, config: RobustnessConfig) -> dict[str, Any]:
    """`clean` and `curves` of the JSON answer: scores with intervals at each level, and the accuracy lost with its own.

    Intervals are those of `evaluate`: by the bootstrap over groups where rows have them, else Wilson's for accuracy.
    `lost` is paired: clean minus corrupted on the same rows.
    """
    clean = _level(what, scored.clean, config, 0, None)
    right = scored.clean.predicted == scored.clean.truth
    keys = [(kind, level) for kind in config.kinds for level in config.graded]
    lost: Sequence[Any] = ()
    if keys:
        differences = [
            right.astype(np.float64) - (scored.graded[key].predicted == scored.graded[key].truth) for key in keys
        ]
        lost = row_means(
            np.stack(differences, axis=1),
            scored.clean.ids,
            what.groups,
            seed=config.seed,
            draws=config.draws,
            level=config.confidence,
        )
    by_key = dict(zip(keys, lost, strict=True))
    found = []
    for kind in config.kinds:
        levels = [{**clean, "lost": None}]
        for level in config.graded:
            mean, interval = by_key[kind, level]
            entry = _level(what, scored.graded[kind, level], config, level, GRADES[kind].strengths[level - 1])
            levels.append({**entry, "lost": {"accuracy": mean, "interval": interval and interval.as_json()}})
        found.append({"kind": kind, "what": GRADES[kind].what, "levels": levels})
    return {"clean": clean, "curves": found}


def _level(
    what: Examined, predictions: Predictions, config: RobustnessConfig, level: int, strength: float | None
) -> dict[str, Any]:
    scores = rescore({}, predictions, what.groups, seed=config.seed, draws=config.draws, level=config.confidence)
    return {
        "level": level,
        "strength": strength,
        "rows": scores["rows"],
        **{key: scores[key] for key in SCORES},
        "intervals": scores["intervals"],
        "per_class": {name: entry["recall"] for name, entry in scores["per_class"].items()},
    }
