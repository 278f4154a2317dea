"""Which rows a run's `model/` was fitted on, and which rows of other data are the same or copies of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.artifacts.store import Artifact
from fercli.records import Samples
from fercli.workflow.inputs import folds_base

FITTED, INNER, HELD_OUT = 1, 2, 3


@dataclass(frozen=True)
class Overlap:
    """Rows of a target against those that a model was fitted on.

    same: (N,) fitted on, or equal to a row that was, by the hash of its content. copies: (N,) equal to one as well,
    but a row of another official split of the very data: that is a flaw of the data, which is counted, not refused.
    """

    same: NDArray[np.bool_]
    copies: NDArray[np.bool_]


def fitted_rows(run: Artifact, official: bool) -> NDArray[np.int64]:
    """Sorted rows of the run's data that `model/` was fitted or chosen on, as the folds' `rows.npy` say.

    On the official split those are the training rows, with k folds all rows of the folds.
    """
    wanted = (FITTED, INNER) if official else (FITTED, INNER, HELD_OUT)
    files = [name for name in run.manifest.files if name.startswith("folds/") and name.endswith("/rows.npy")]
    return np.unique(np.concatenate([np.flatnonzero(np.isin(run.array(name), wanted)) for name in files]))


def overlap(data: Artifact, fitted: NDArray[np.int64], target: Artifact, samples: Samples) -> Overlap:
    """Compare the rows `fitted` of `data` with all rows of `target`, whose samples are given."""
    own = data.samples().take(fitted)
    contents = _contents(own)
    equal = np.isin(_contents(samples), contents) & (_contents(samples) != "")
    first, second = folds_base(data), folds_base(target)
    if (first.kind, first.fingerprint) != (second.kind, second.fingerprint):
        return Overlap(equal, np.zeros(len(samples), dtype=np.bool_))
    itself = np.isin(samples.ids, own.ids)
    elsewhere = (samples.splits != "") & ~np.isin(samples.splits, own.splits)
    copies = equal & ~itself & elsewhere
    return Overlap((itself | equal) & ~copies, copies)


def _contents(samples: Samples) -> NDArray[np.str_]:
    """(N,) content hashes; "" where unknown, which equals nothing."""
    return samples.extra.get("content", np.full(len(samples), "", dtype=np.str_))
