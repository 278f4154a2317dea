"""The official split of a data set as one fold."""

import numpy as np
from numpy.typing import NDArray

from fercli.config.protocol import ProtocolConfig
from fercli.errors import InputError, UsageError
from fercli.protocol import leaks
from fercli.protocol.division import Division
from fercli.protocol.duplicates import group_numbers
from fercli.protocol.participation import contents_of, official_splits, participation
from fercli.records import FoldPlan, Samples


def has_official_split(samples: Samples) -> bool:
    """Whether there are train rows and rows of a second split to score."""
    return bool(np.any(samples.splits == "train") and np.any(np.isin(samples.splits, ("validation", "test"))))


def rows_of_test_split(samples: Samples) -> NDArray[np.int64]:
    """Sorted row indices of the labelled rows of the test split; scoring them belongs into the ledger."""
    return np.flatnonzero((samples.splits == "test") & (samples.targets >= 0))


def held_out_test_rows(plan: FoldPlan, samples: Samples) -> NDArray[np.int64]:
    """Sorted rows of the test split that a trainer scores when it runs this plan.

    Empty where the official split has validation rows. Otherwise the trainer's own scoring is one for the ledger.
    """
    held_out = np.unique(np.concatenate([fold.test for fold in plan.folds]))
    return np.intersect1d(held_out, rows_of_test_split(samples))


def official_division(samples: Samples, config: ProtocolConfig) -> Division:
    """Fit on train, score validation; test is scored only where there is no validation, and through the ledger."""
    for option, given in (
        ("--k", config.k is not None),
        ("--repeats", config.repeats > 1),
        ("--pool-splits", config.pool_splits),
    ):
        if given:
            raise UsageError(
                f"{option} has no meaning on the official split, which is one fold",
                next_step=f"leave {option} away, or make folds with --scheme auto",
            )
    if not has_official_split(samples):
        raise InputError(
            "the rows have no official split: train rows and validation or test rows are needed",
            next_step="use --scheme auto, which makes folds",
        )
    part = participation(samples, official=True, pool_splits=False, drop=config.duplicates == "drop")
    names = official_splits(samples)
    split = samples.splits[part.rows]
    for name in names:
        if not np.any(split == name):
            raise InputError(f"the {name} split has no labelled rows", next_step="use --scheme auto --pool-splits")
    made = np.where(split == "train", -1, 0)[None, :]
    held_out = split != "train"
    same = contents_of(samples)[part.rows]
    copied = int(np.isin(same[held_out], same[~held_out]).sum())
    notes = (f"{copied:,} of {int(held_out.sum()):,} {names[1]} rows are copies of train rows",)
    known = samples.groups[part.rows] != ""
    groups = group_numbers(samples.groups[part.rows])
    total = len(np.unique(groups[known]))
    cut = leaks.cut_groups(groups[known], made[:, known])
    sentences = (leaks.group_sentence(cut, total),) if cut else ()
    return Division(part, groups, total, "official", config.duplicates, config.seed, made, sentences, notes, names)
