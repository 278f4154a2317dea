"""The one place where rows become folds: every trainer takes its protocol from `resolve`."""

import numpy as np
from numpy.typing import NDArray

from fercli.config.protocol import ProtocolConfig
from fercli.errors import InputError, LeakRefused
from fercli.protocol import leaks
from fercli.protocol.division import Division
from fercli.protocol.given import given_division
from fercli.protocol.inner import inner_rows
from fercli.protocol.made import made_division
from fercli.protocol.official import has_official_split, official_division
from fercli.protocol.participation import contents_of
from fercli.protocol.standing import StandingFolds
from fercli.records import Fold, FoldPlan, FoldProtocol, LeftOut, Samples


def resolve(samples: Samples, config: ProtocolConfig, *, standing: StandingFolds | None = None) -> FoldPlan:
    """The folds that a trainer runs over.

    standing: the folds that `config.folds` names, or the only ones of this data (see `is_official` for when to look
    for them). Without them: the official split if the rows have one and neither scheme nor k is given, else k folds
    of the train rows (all rows where there are no splits, or with `pool_splits`).
    The column `content` of `samples.extra` tells which rows are copies; without it none is.
    Raises InputError (k too large, nothing to divide), LeakRefused (a group or copy would be cut and nobody allowed
    it), UsageError (options that contradict each other).
    """
    return _plan(samples, config, _divided(samples, config, standing))


def left_out(samples: Samples, config: ProtocolConfig, *, standing: StandingFolds | None = None) -> tuple[LeftOut, ...]:
    """The rows that `resolve` leaves out of its plan, each with its reason; `source` holds the id."""
    return _divided(samples, config, standing).part.left_out(samples)


def is_official(samples: Samples, config: ProtocolConfig) -> bool:
    """Whether these options mean the official split of these rows, so that standing folds are not looked for."""
    if config.scheme is not None:
        return config.scheme == "official"
    asked = config.folds is not None or config.k is not None or config.pool_splits
    return not asked and has_official_split(samples)


def copy_free(plan: FoldPlan, fold: Fold) -> NDArray[np.int64]:
    """The held-out rows of a fold without those whose copy stands in its training rows."""
    return fold.test[~np.isin(plan.copies[fold.test], plan.copies[fold.train])]


def _divided(samples: Samples, config: ProtocolConfig, standing: StandingFolds | None) -> Division:
    if standing is not None:
        return given_division(samples, config, standing)
    if config.folds is not None:
        raise InputError(f"the folds {config.folds} were not loaded", next_step="pass them as `standing`")
    return (official_division if is_official(samples, config) else made_division)(samples, config)


def _plan(samples: Samples, config: ProtocolConfig, division: Division) -> FoldPlan:
    on_test = division.scheme == "official" and division.split_names[1] == "test"
    if config.monitor == "validation" and on_test:
        raise LeakRefused(
            "--monitor validation would choose on the test split: the rows have no validation split",
            where="--monitor validation",
            next_step="use --monitor inner, which chooses on a part of the train rows",
        )
    rows, copies = division.part.rows, contents_of(samples)
    labels, groups = samples.targets[rows], division.groups
    made = []
    for repeat, assigned in enumerate(division.folds):
        for number in range(int(assigned.max()) + 1):
            held_out = assigned == number
            train, test = rows[~held_out], rows[held_out]
            inner = np.empty(0, dtype=np.int64)
            if config.monitor == "validation":
                inner = test
            elif config.monitor == "inner":
                inner = rows[
                    inner_rows(
                        np.flatnonzero(~held_out),
                        labels,
                        groups,
                        copies[rows],
                        fraction=config.inner_fraction,
                        seed=config.seed,
                        repeat=repeat,
                        fold=number,
                    )
                ]
            made.append(Fold(repeat, number, train, test, inner))
    kept_back = np.isin(samples.splits, ("validation", "test"))
    protocol = FoldProtocol(
        scheme=division.scheme,
        k=int(division.folds.max()) + 1,
        repeats=len(division.folds),
        groups=division.group_count,
        seed=division.seed,
        duplicates=division.duplicates,
        leaks=division.leaks + ((leaks.SELECTED,) if config.monitor == "validation" else ()),
        pooled=any(bool(kept_back[fold.train].any()) for fold in made),
    )
    notes = division.part.notes + division.notes
    return FoldPlan(protocol, tuple(made), rows, copies, notes, division.split_names)
