"""Sets of rows that are copies of each other, and which of them lie across splits or disagree about the label."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from fercli.records import Samples


@dataclass(frozen=True)
class DuplicateSets:
    """members: one array of row indices (at least two, rising) per set, by first row.

    cross_split: (G,) bool, rows in two named splits or more. conflicting: (G,) bool, two labels or more; rows without
    a split or label take no side.
    """

    members: tuple[NDArray[np.int64], ...]
    cross_split: NDArray[np.bool_]
    conflicting: NDArray[np.bool_]

    @classmethod
    def of(cls, members: Sequence[NDArray[np.int64]], samples: Samples) -> Self:
        """The sets, judged by the splits and labels of their rows."""
        return cls(tuple(members), _several(members, samples.splits), _several(members, samples.labels))

    @property
    def groups(self) -> int:
        """Number of sets."""
        return len(self.members)

    @property
    def images(self) -> int:
        """Number of rows in all sets."""
        return sum(map(len, self.members))

    def counts(self) -> dict[str, int]:
        """groups, images, cross_split, conflicting; the last two count sets."""
        return {
            "groups": self.groups,
            "images": self.images,
            "cross_split": int(self.cross_split.sum()),
            "conflicting": int(self.conflicting.sum()),
        }

    def worst(self, most: int) -> list[int]:
        """Numbers of the sets to look at first: conflicting and across splits, then either, then the largest."""
        badness = [
            (-int(self.conflicting[at]) - int(self.cross_split[at]), -len(rows), int(rows[0]), at)
            for at, rows in enumerate(self.members)
        ]
        return [entry[-1] for entry in sorted(badness)[:most]]


def sets_of(numbers: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The rows that share a number with another row, one array per number, by first row. numbers: (N,)."""
    order = np.argsort(numbers, kind="stable")
    starts = np.flatnonzero(np.r_[True, numbers[order][1:] != numbers[order][:-1]]) if len(numbers) else order
    lengths = np.diff(np.r_[starts, len(numbers)])
    several = lengths > 1
    found = [order[start : start + length] for start, length in zip(starts[several], lengths[several], strict=True)]
    return sorted(found, key=lambda rows: int(rows[0]))


def _several(members: Sequence[NDArray[np.int64]], values: NDArray[np.str_]) -> NDArray[np.bool_]:
    return np.array([len(set(values[rows].tolist()) - {""}) > 1 for rows in members], dtype=bool)
