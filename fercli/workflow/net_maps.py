"""Where a run's nets look: Grad-CAM maps of the rows that they are judged on, averaged by class, and some to show."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.config.explain import PREDICTED, TRUTH, ExplainConfig
from fercli.errors import UsageError
from fercli.evaluation.elsewhere import by_name
from fercli.records import Notify
from fercli.seeds import generator
from fercli.workflow.examined import Examined, Part
from fercli.workflow.model_files import model_files

BATCH_BYTES = 2**26
BATCH = 1024


@dataclass(frozen=True)
class Shown:
    """One picture with its map. classes as numbers; probability: of the predicted class."""

    id: str
    picture: NDArray[np.uint8]
    map: NDArray[np.float32]
    truth: int
    predicted: int
    target: int
    probability: float


@dataclass(frozen=True)
class Looked:
    """Maps of many rows. averages: (C, H, W) float64, the mean share of each pixel over the maps of a class, which sums
    to 1 (0 without maps). faces: (C, H, W) float64, the mean gray picture of the same rows. rows, empty: (C,) maps of
    each class, and those of them without any evidence, which the averages leave out.
    """

    averages: NDArray[np.float64]
    faces: NDArray[np.float64]
    rows: NDArray[np.int64]
    empty: NDArray[np.int64]
    shown: tuple[Shown, ...]


def looked(what: Examined, config: ExplainConfig, notify: Notify, *, device: str) -> Looked:
    """Maps of every row for the class that `config.target` names.

    Averages are by that class; where one class is named, by the true class. The rows to show are drawn from the seed:
    of each true class, `config.samples` right ones and as many wrong ones. Raises UsageError for an unknown class.
    """
    # torch takes seconds to load, and models on columns do without it
    from fercli.inference.cam import grad_cam, shares

    fixed = target_class(what.classes, config.target)
    probabilities = [_probabilities(what, part, device) for part in what.parts]
    drawn = _drawn(what, probabilities, config)
    height, width = what.data.array("images.npy").shape[1:3]
    classes = len(what.classes)
    averages, faces = np.zeros((classes, height, width)), np.zeros((classes, height, width))
    rows, empty = np.zeros(classes, dtype=np.int64), np.zeros(classes, dtype=np.int64)
    shown: dict[int, Shown] = {}
    place = 0
    with notify.progress(f"maps of {what.run.name}", sum(len(part.rows) for part in what.parts), "pictures") as bar:
        for part, scores in zip(what.parts, probabilities, strict=True):
            cam = grad_cam(model_files(what.run, part.folder), device=device)
            for own in _slices(what, part):
                truth, predicted = what.truth(part.rows[own]), scores[own].argmax(axis=1)
                targets = {PREDICTED: predicted, TRUTH: truth}.get(config.target, np.full(len(truth), fixed))
                by = truth if fixed is not None else targets
                pictures = np.asarray(what.data.array("images.npy")[part.rows[own]])
                maps = cam.maps(pictures, targets)
                np.add.at(averages, by, shares(maps))
                np.add.at(faces, by, pictures if pictures.ndim == 3 else pictures.mean(axis=3))
                np.add.at(rows, by, 1)
                np.add.at(empty, by, ~maps.any(axis=(1, 2)))
                for at in np.flatnonzero(np.isin(np.arange(place, place + len(truth)), drawn)).tolist():
                    shown[place + at] = Shown(
                        id=str(what.samples.ids[part.rows[own][at]]),
                        picture=pictures[at],
                        map=maps[at],
                        truth=int(truth[at]),
                        predicted=int(predicted[at]),
                        target=int(targets[at]),
                        probability=float(scores[own][at].max()),
                    )
                place += len(truth)
                bar.advance(len(truth))
    totals = averages.sum(axis=(1, 2), keepdims=True)
    averages = np.divide(averages, totals, out=np.zeros_like(averages), where=totals > 0)
    faces /= np.maximum(rows, 1)[:, None, None]
    return Looked(averages, faces, rows, empty, tuple(shown[at] for at in drawn))


def target_class(classes: tuple[str, ...], target: str) -> int | None:
    """The class that `--target` names; None for `predicted` and `truth`."""
    if target in (PREDICTED, TRUTH):
        return None
    if target not in classes:
        raise UsageError(
            f"--target: the model has no class {target}",
            where=f"--target {target}",
            next_step=f"take {PREDICTED}, {TRUTH} or one of {', '.join(classes)}",
        )
    return classes.index(target)


def _probabilities(what: Examined, part: Part, device: str) -> NDArray[np.float64]:
    """The run's own predictions, on other data those of its model."""
    if part.stored is not None:
        return part.stored
    scorer, images = what.scorer(part, device), what.data.array("images.npy")
    scores = [scorer.scores(np.asarray(images[part.rows[own]])) for own in _slices(what, part)]
    return by_name(np.concatenate(scores), len(what.classes))


def _slices(what: Examined, part: Part) -> Iterator[slice]:
    images = what.data.array("images.npy")
    step = max(1, min(BATCH, BATCH_BYTES // images[0].nbytes))
    for start in range(0, len(part.rows), step):
        yield slice(start, start + step)


def _drawn(what: Examined, probabilities: list[NDArray[np.float64]], config: ExplainConfig) -> list[int]:
    """Places among all predictions: class by class, the right ones first."""
    predictions = what.predictions(probabilities)
    right = predictions.predicted == predictions.truth
    found: list[int] = []
    for index in range(len(what.classes)):
        for answer in (True, False):
            own = np.flatnonzero((predictions.truth == index) & (right == answer))
            random = generator(config.seed, "explain.samples", index, int(answer))
            found += sorted(random.permutation(own)[: config.samples].tolist())
    return found


def mass(found: Looked, classes: tuple[str, ...]) -> list[dict[str, Any]]:
    """Per class: maps, empty ones, and the share of the average map's mass in each quadrant and in the middle ninth.

    A row or column of pixels in the middle counts half to either side.
    """
    height, width = found.averages.shape[1:]
    top, left = (np.clip(side / 2 - np.arange(side), 0, 1) for side in (height, width))
    middle_rows, middle_columns = (_middle(side) for side in (height, width))
    entries = []
    for index, name in enumerate(classes):
        average = found.averages[index]
        has = bool(average.any())
        parts = {
            "top_left": top @ average @ left,
            "top_right": top @ average @ (1 - left),
            "bottom_left": (1 - top) @ average @ left,
            "bottom_right": (1 - top) @ average @ (1 - left),
            "middle": middle_rows @ average @ middle_columns,
        }
        entries.append(
            {
                "class": name,
                "maps": int(found.rows[index]),
                "empty": int(found.empty[index]),
                **{key: float(value) if has else None for key, value in parts.items()},
            }
        )
    return entries


def _middle(side: int) -> NDArray[np.float64]:
    """(side,) how much of each pixel lies in the middle third."""
    low, high = side / 3, 2 * side / 3
    starts = np.arange(side)
    return np.clip(np.minimum(starts + 1, high) - np.maximum(starts, low), 0, 1)
