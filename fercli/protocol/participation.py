"""Which rows take part in the folds, and why the others do not."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.errors import InputError
from fercli.protocol.duplicates import copies, repeated
from fercli.records import LeftOut, Samples


@dataclass(frozen=True)
class Participation:
    """rows: (M,) sorted row indices that take part. reasons: (N,) str, why a row does not, "" where it does."""

    rows: NDArray[np.int64]
    reasons: NDArray[np.str_]

    @property
    def notes(self) -> tuple[str, ...]:
        """One line per reason, with the number of rows."""
        reasons, counts = np.unique(self.reasons[self.reasons != ""], return_counts=True)
        return tuple(f"left out, {reason}: {count:,}" for reason, count in zip(reasons, counts, strict=True))

    def left_out(self, samples: Samples) -> tuple[LeftOut, ...]:
        """Every row that does not take part, by id, in the order of the samples."""
        return tuple(
            LeftOut(str(samples.ids[row]), str(self.reasons[row])) for row in np.flatnonzero(self.reasons != "")
        )


def contents_of(samples: Samples) -> NDArray[np.int64]:
    """(N,) int64 copy numbers from the column `content` of the samples; without it no row is a copy of another."""
    return copies(samples.extra.get("content", samples.ids))


def participation(
    samples: Samples, *, official: bool, pool_splits: bool, drop: bool, listed: NDArray[np.bool_] | None = None
) -> Participation:
    """The labelled rows that the splits, the folds table and the copies leave in.

    official: train and validation rows (train and test where there is no validation). pool_splits: all splits enter
    the folds. drop: later copies go; on the official split only among train rows, so that held-out rows never decide
    what is trained on. listed: (N,) bool, rows of a standing folds table. Raises InputError when nothing is left.
    """
    reasons = np.full(len(samples), "", dtype=object)

    def leave_out(mask: NDArray[np.bool_], reason: str) -> None:
        reasons[mask & (reasons == "")] = reason

    targets = samples.targets
    leave_out((targets < 0) & (samples.labels == ""), "no label")
    leave_out(targets < 0, "label not among the classes")
    if listed is not None:
        leave_out(~listed, "not in the folds table")
    elif official:
        names = official_splits(samples)
        if "test" not in names:
            leave_out(samples.splits == "test", "test split (scored by evaluate, through the ledger)")
        leave_out(~np.isin(samples.splits, names), "in no split")
    elif not pool_splits and np.any(samples.splits != ""):
        for split in ("validation", "test"):
            leave_out(samples.splits == split, f"{split} split (--pool-splits takes it into the folds)")
        leave_out(samples.splits != "train", "in no split")
    if drop:
        candidates = np.flatnonzero((reasons == "") & (samples.splits == "train" if official else True))
        later = np.zeros(len(samples), dtype=bool)
        later[candidates[repeated(contents_of(samples)[candidates])]] = True
        leave_out(later, "copy of an earlier row (--duplicates drop)")
    rows = np.flatnonzero(reasons == "")
    result = Participation(rows, reasons.astype(str))
    if len(rows) == 0:
        raise InputError(
            f"none of the {len(samples)} rows can take part" + "".join(f"; {note}" for note in result.notes),
            next_step="give rows with labels; --pool-splits takes every split into the folds",
        )
    return result


def official_splits(samples: Samples) -> tuple[str, str]:
    """The names of the split to fit on and the split to score: validation, or test where there is no validation."""
    return ("train", "validation" if np.any(samples.splits == "validation") else "test")
