"""`evaluate --on`: what each run's `model/` is to score, looked at before any work, and its scores."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.artifacts.schema import Parent
from fercli.artifacts.store import Artifact, Store
from fercli.config.evaluate import EvaluateConfig
from fercli.errors import InputError, LeakRefused
from fercli.evaluation.elsewhere import by_name, joined_classes, model_metrics
from fercli.inference.scorers import scorer_of
from fercli.records import LeftOut, Notify, Predictions, Samples, Scorer
from fercli.workflow.model_files import model_files
from fercli.workflow.rows import left_out_json
from fercli.workflow.scored_runs import RunInput
from fercli.workflow.targets import Target, named_data, target_for
from fercli.workflow.trained_rows import Overlap, fitted_rows, overlap

ALL_ROWS = "all"


@dataclass(frozen=True)
class Planned:
    """One run's part of `evaluate --on`. rows: sorted, of the target. in_training: (n,) of those rows, see `Overlap`.

    majority: commonest class of the training rows by name, None where they are not known. leaks: sentences about
    the rows, for every table.
    """

    run: Artifact
    stored: dict[str, Any]
    scorer: Scorer
    target: Target
    samples: Samples
    rows: NDArray[np.int64]
    left_out: tuple[LeftOut, ...]
    in_training: NDArray[np.bool_]
    majority: str | None
    leaks: tuple[str, ...]
    parents: tuple[Parent, ...]

    @property
    def test_rows(self) -> int:
        """Rows of a test split among them: scoring those belongs into the ledger."""
        return int(np.sum(self.samples.splits[self.rows] == "test"))


def planned(store: Store, entry: RunInput, config: EvaluateConfig, notify: Notify, *, device: str) -> Planned:
    """What `--on` means for one run. Raises InputError, LeakRefused or ArtifactError before anything is scored."""
    run, stored = entry.run, entry.run.json("metrics.json")
    scorer = scorer_of(model_files(run), device=device)
    features = entry.data if entry.data is not None and entry.data.kind == "features" else None
    target = target_for(run, features, scorer.input, named_data(store, str(config.on)))
    samples = target.artifact.samples()
    rows, left_out = _rows(run, scorer, target.artifact, samples, config.split, notify)
    majority: str | None = None
    leaks: list[str] = []
    in_training = np.zeros(len(rows), dtype=np.bool_)
    if entry.data is None:
        _refuse_unknown(run, config)
        leaks.append("the rows that the model was fitted on are not in this workspace: some may be scored here")
    else:
        fitted = fitted_rows(run, stored["protocol"]["scheme"] == "official")
        found = overlap(entry.data, fitted, target.artifact, samples)
        leaks += _refused(run, target.artifact, found, rows, config, samples)
        in_training = (found.same | found.copies)[rows]
        own = entry.data.samples()
        majority = own.classes[int(np.argmax(np.bincount(own.targets[fitted], minlength=len(own.classes))))]
    parents = [*entry.parents, target.artifact.parent()]
    unique = tuple({(parent.kind, parent.name): parent for parent in parents}.values())
    return Planned(run, stored, scorer, target, samples, rows, left_out, in_training, majority, tuple(leaks), unique)


def score_planned(
    plan: Planned, *, config: EvaluateConfig, jobs: int, notify: Notify
) -> tuple[dict[str, Any], Predictions]:
    """The run's entry in `runs[]` and its predictions, in the order of the target's rows."""
    classes = joined_classes(plan.scorer.classes, plan.samples.classes)
    place = {name: index for index, name in enumerate(classes)}
    parts = []
    with notify.progress(f"scoring {plan.run.name}", len(plan.rows), "rows") as bar:
        for batch in plan.target.batches(plan.rows, jobs):
            parts.append(plan.scorer.scores(batch))
            bar.advance(len(batch))
    nothing = np.zeros(len(plan.rows), dtype=np.int64)
    predictions = Predictions(
        ids=plan.samples.ids[plan.rows],
        repeats=nothing,
        folds=nothing,
        splits=plan.samples.splits[plan.rows],
        truth=np.array([place[label] for label in plan.samples.labels[plan.rows].tolist()], dtype=np.int64),
        probabilities=by_name(np.concatenate(parts), len(classes)),
        classes=classes,
    )
    return entry_metrics(plan, predictions, config), predictions


def entry_metrics(plan: Planned, predictions: Predictions, config: EvaluateConfig) -> dict[str, Any]:
    """The run's entry in `runs[]`, from its predictions of the planned rows in their order."""
    metrics = model_metrics(
        {**plan.stored, "name": plan.run.name},
        predictions,
        plan.samples.groups[plan.rows],
        on=plan.target.artifact.name,
        split=config.split or ALL_ROWS,
        in_training=plan.in_training,
        majority=None if plan.majority is None else predictions.classes.index(plan.majority),
        leaks=plan.leaks,
        seed=config.seed,
        draws=config.draws,
        level=config.level,
    )
    return {**metrics, "left_out": left_out_json(plan.left_out)}


def _rows(
    run: Artifact, scorer: Scorer, data: Artifact, samples: Samples, split: str | None, notify: Notify
) -> tuple[NDArray[np.int64], tuple[LeftOut, ...]]:
    """Labelled rows of the split whose label the model knows by name; the others are counted and named."""
    wanted = np.ones(len(samples), dtype=np.bool_) if split is None else samples.splits == split
    if not wanted.any():
        counts = Counter(samples.splits.tolist())
        there = ", ".join(f"{name or 'no split'} {count:,}" for name, count in sorted(counts.items()))
        raise InputError(
            f"{data.label} has no rows of the {split} split" if split else f"{data.label} has no rows",
            where=f"--split {split}" if split else data.label,
            next_step=f"its rows: {there}" if there else "import data with rows",
        )
    known = np.isin(samples.labels, np.array(scorer.classes))
    strangers = wanted & ~known
    left_out = tuple(
        LeftOut(name, f"label {label}, which {run.label} does not know" if label else "no label")
        for name, label in zip(samples.ids[strangers].tolist(), samples.labels[strangers].tolist(), strict=True)
    )
    for reason, count in sorted(Counter(item.reason for item in left_out).items()):
        notify.warn(f"{data.label}: {count:,} rows left out: {reason}")
    rows = np.flatnonzero(wanted & known)
    if not len(rows):
        raise InputError(
            f"no row of {data.label} has a label that {run.label} knows",
            where=f"labels {', '.join(sorted(set(samples.labels[wanted].tolist()) - {''})) or '(none)'}",
            next_step=f"the model's classes are {', '.join(scorer.classes)}",
        )
    return rows, left_out


def _refuse_unknown(run: Artifact, config: EvaluateConfig) -> None:
    if not config.allow_train_rows:
        raise LeakRefused(
            f"the data that {run.label} was fitted on is not in this workspace or has changed, "
            "so nobody can tell whether these rows were among it",
            where=f"--on {config.on}",
            next_step="bring the data back, or say --allow-train-rows: every table will then say so",
        )


def _refused(
    run: Artifact, data: Artifact, found: Overlap, rows: NDArray[np.int64], config: EvaluateConfig, samples: Samples
) -> Sequence[str]:
    """The sentence for the tables where training rows are scored by leave; LeakRefused without it."""
    same = rows[found.same[rows]]
    if not len(same):
        return ()
    told = f"{len(same):,} of {len(rows):,} scored rows are rows that the model was fitted on"
    if config.allow_train_rows:
        return (f"{told} (--allow-train-rows)",)
    splits = sorted(set(samples.splits[~found.same].tolist()) - {""})
    other = f"score others, e.g. --split {splits[0]}; or " if splits and config.split is None else ""
    raise LeakRefused(
        f"{told.replace('the model', run.label)}, by the hash of their content",
        where=f"{data.label}, the first: {samples.ids[same[0]]}",
        next_step=f"{other}say --allow-train-rows: every table will then say so",
    )
