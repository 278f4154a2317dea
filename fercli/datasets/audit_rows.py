"""What the rows alone say: groups per class and across splits, files left out, copies of training rows, whole crops."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.datasets.duplicate_sets import DuplicateSets
from fercli.records import LeftOut, Samples

# Reasons of files that an importer could read but was told, or had good cause, not to take. Any other reason counts as
# unreadable: a gate must not pass because a reason is new.
_BY_CHOICE = re.compile(
    r"not the name of a picture|in no class folder|not listed in |not named |not in |without an annotation"
    r"|expression \S+ is not |expression (8: none|9: uncertain|10: no face)|no emotion |most votes for |no face found"
    r"|no-face"
    r"|[\d,]+ frames between |[\d,]+ pictures whose "
)


@dataclass(frozen=True)
class ClassGroups:
    """How many known groups hold rows of a class, and how many of its rows one group holds."""

    label: str
    groups: int
    smallest: int
    median: float
    largest: int


def groups_per_class(samples: Samples) -> list[ClassGroups]:
    """One entry per class in their order; empty where no row has a group."""
    if not (samples.groups != "").any():
        return []
    found = []
    for label in samples.classes:
        names = samples.groups[(samples.labels == label) & (samples.groups != "")]
        sizes = np.unique(names, return_counts=True)[1]
        least, most = (int(sizes.min()), int(sizes.max())) if len(sizes) else (0, 0)
        found.append(ClassGroups(label, len(sizes), least, float(np.median(sizes)) if len(sizes) else 0.0, most))
    return found


def groups_across_splits(samples: Samples) -> list[str]:
    """Names of the groups with rows in two named splits or more, sorted."""
    known = (samples.groups != "") & (samples.splits != "")
    names, number = np.unique(samples.groups[known], return_inverse=True)
    pairs = np.unique(np.stack([number, np.unique(samples.splits[known], return_inverse=True)[1]], axis=1), axis=0)
    return [str(names[at]) for at in np.flatnonzero(np.bincount(pairs[:, 0], minlength=len(names)) > 1)]


def unreadable(left_out: Sequence[LeftOut]) -> list[LeftOut]:
    """What was left out because it could not be read, not because it does not belong to the data."""
    return [item for item in left_out if not _BY_CHOICE.match(item.reason)]


def copies_of_training_rows(samples: Samples, sets: DuplicateSets) -> dict[str, int]:
    """{split: how many of its rows equal a row of `train`} for the splits that hold rows to score."""
    held_out = {str(name): 0 for name in ("validation", "test") if (samples.splits == name).any()}
    for rows in sets.members:
        splits = samples.splits[rows]
        if (splits == "train").any():
            for name in held_out:
                held_out[name] += int((splits == name).sum())
    return held_out if (samples.splits == "train").any() else {}


def whole_frame_crops(samples: Samples) -> NDArray[np.int64] | None:
    """Rows whose face box covers the whole source picture, so that nothing was cut; None where no box is recorded.

    The importer writes the box as `left,top,width,height` in pixels to the column `face`.
    """
    if "face" not in samples.extra:
        return None
    found = []
    for row, text in enumerate(samples.extra["face"].tolist()):
        if not re.fullmatch(r"-?\d+,-?\d+,\d+,\d+", text):
            continue
        left, top, width, height = map(int, text.split(","))
        covers = left <= 0 and top <= 0 and left + width >= samples.widths[row] and top + height >= samples.heights[row]
        if covers and samples.widths[row] > 0:
            found.append(row)
    return np.array(found, dtype=np.int64)
