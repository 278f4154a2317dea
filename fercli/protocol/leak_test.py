"""The leak test: change every held-out row of a fold, and everything fitted for that fold must stay the same bytes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.records import Fold

Fit = Callable[[NDArray[Any], NDArray[np.int64], Fold], Mapping[str, NDArray[Any] | bytes]]


@dataclass(frozen=True)
class Leak:
    """One fitted thing that followed the held-out rows. alteration: what was done to them; fitted: its name."""

    alteration: str
    fitted: str


def leak_test(fit: Fit, features: NDArray[Any], labels: NDArray[np.int64], fold: Fold) -> tuple[Leak, ...]:
    """Everything that `fit` gives back and that depends on rows outside `fold.train`; () when nothing leaks.

    fit: (features (N, ...), labels (N,), fold) -> what was fitted, by name, as arrays or bytes: weights, scalers,
    components, thresholds, stopping epochs. It is called once on the data as it is, once more to see that it repeats
    itself (alteration "nothing"), and once per alteration of `alterations`. Times and log lines do not belong in it.
    """
    reference = dict(fit(features, labels, fold))
    found = []
    for name, (changed, relabelled) in {"nothing": (features, labels), **alterations(features, labels, fold)}.items():
        result = dict(fit(changed, relabelled, fold))
        for key in sorted(reference.keys() | result.keys()):
            if key not in reference or key not in result or not _same(reference[key], result[key]):
                found.append(Leak(name, key))
    return tuple(found)


def alterations(
    features: NDArray[Any], labels: NDArray[np.int64], fold: Fold
) -> dict[str, tuple[NDArray[Any], NDArray[np.int64]]]:
    """The data with every row outside `fold.train` changed, one way at a time; training rows stay as they are.

    Floating-point values are multiplied by 1000, or one of them becomes NaN; integer pixels are inverted. Labels of
    held-out rows move to the next class, so that each is wrong.
    """
    held_out = np.setdiff1d(np.arange(len(features)), fold.train)
    relabelled = labels.copy()
    relabelled[held_out] = (labels[held_out] + 1) % (int(labels.max()) + 1)
    found = {"held-out labels permuted": (features, relabelled)}
    changed = features.copy()
    if np.issubdtype(features.dtype, np.integer):
        changed[held_out] = np.iinfo(features.dtype).max - features[held_out]
        found["held-out pixels inverted"] = (changed, labels)
        return found
    changed[held_out] *= 1000
    found["held-out values x 1000"] = (changed, labels)
    spoiled = features.copy()
    spoiled[(held_out[0], *([0] * (features.ndim - 1)))] = np.nan
    found["one held-out value NaN"] = (spoiled, labels)
    return found


def _same(first: NDArray[Any] | bytes, second: NDArray[Any] | bytes) -> bool:
    if isinstance(first, bytes) or isinstance(second, bytes):
        return first == second
    same_form = first.dtype == second.dtype and first.shape == second.shape
    return same_form and np.ascontiguousarray(first).tobytes() == np.ascontiguousarray(second).tobytes()
