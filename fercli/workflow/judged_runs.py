"""Runs as the comparison takes them, and the best of each set of comparable runs tested against the others."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fercli.artifacts.store import Artifact
from fercli.artifacts.tables import read_predictions
from fercli.errors import InputError
from fercli.evaluation.comparison import Comparison, compare
from fercli.evaluation.intervals import LEVEL
from fercli.evaluation.pairing import Judged
from fercli.evaluation.significance import holm
from fercli.records import Predictions
from fercli.report.material import AgainstBest, Standing
from fercli.workflow.runs import fold_folder
from fercli.workflow.scored_runs import RunInput, groups_of


def judged(entry: RunInput) -> Judged:
    """A run's held-out answers with the groups of its rows."""
    predictions = read_predictions(entry.run.file("predictions.csv"))
    return Judged(entry.run.name, predictions, groups_of(entry, predictions), _train_rows(entry.run, predictions))


def _train_rows(run: Artifact, predictions: Predictions) -> float | None:
    """Mean number of rows that a fold was trained on, inner rows among them, as its `rows.npy` says."""
    folds = np.unique(np.column_stack([predictions.repeats, predictions.folds]), axis=0).tolist()
    files = [f"{fold_folder(repeat, fold)}/rows.npy" for repeat, fold in folds]
    if not all(run.has(file) for file in files):
        return None
    return float(np.mean([np.isin(run.array(file), (1, 2)).sum() for file in files]))


def against_best(
    sets: Sequence[Sequence[Mapping[str, Any]]], inputs: Sequence[RunInput], *, draws: int, seed: int
) -> dict[str, AgainstBest]:
    """By name: the best of each run's set against that run, corrected over the set.

    sets: comparable runs, best first, as `ranked` gives them. Runs of one set hold out the same rows, but may divide
    them into other folds or repeat them more often: they are paired on the repeats that both have.
    """
    by_name = {entry.run.name: entry for entry in inputs}
    tests: dict[str, AgainstBest] = {}
    for members in sets:
        if len(members) < 2:
            continue
        best, *others = (judged(by_name[str(run["name"])]) for run in members)
        pairs, partly = [], []
        for other in others:
            try:
                shared, (pair,) = compare([best, other], common_rows=True, draws=draws, seed=seed)
            except InputError:
                continue  # as many rows, but other ones: there is nothing to pair
            pairs.append(pair)
            partly.append(any(shared.left_out))
        tested = iter(holm([pair.p for pair in pairs if pair.p is not None]))
        for pair, some in zip(pairs, partly, strict=True):
            p = None if pair.p is None else next(tested)
            tests[pair.second] = replace(_told(pair, p, len(pairs)), partly=some)
    return tests


def _told(pair: Comparison, p: float | None, pairs: int) -> AgainstBest:
    verdict: Standing = "undecided"
    if p is not None:
        verdict = "not distinguishable" if p > 1 - LEVEL else "better" if pair.difference > 0 else "worse"
    interval = None if pair.bootstrap is None else pair.bootstrap.interval
    return AgainstBest(
        best=pair.first,
        other=pair.second,
        rows=pair.rows,
        difference=pair.difference,
        lower=None if interval is None else interval.lower,
        upper=None if interval is None else interval.upper,
        level=LEVEL,
        p=p,
        pairs=pairs,
        decided_by=pair.decided_by,
        verdict=verdict,
    )
