"""Evaluations on other data: which rows, labels, leaks and scores there are, by the run's stored model."""

from typing import Any

import numpy as np

from fercli.artifacts.store import Artifact, Store
from fercli.artifacts.tables import read_predictions
from fercli.config.evaluate import EvaluateConfig
from fercli.evaluation.elsewhere import by_name, joined_classes
from fercli.records import Predictions
from fercli.seeds import generator
from fercli.workflow.other_data import Planned, entry_metrics, planned
from fercli.workflow.scored_runs import RunInput
from fercli.workflow.silence import Silent
from fercli.workflow.verification import Difference
from fercli.workflow.verification_fits import TOLERANCE
from fercli.workflow.verification_predictions import answers
from fercli.workflow.verification_runs import How

SCORED_AGAIN = 64


def entry_elsewhere(
    store: Store, evaluation: Artifact, entry: RunInput, config: EvaluateConfig, how: How
) -> tuple[dict[str, Any] | None, list[Difference]]:
    """A run's entry from the predictions that the evaluation stored, and what of these is not right.

    None instead of the entry where rows or classes are others: it would then differ everywhere. Raises LeakRefused for
    training rows among those scored, by an evaluation that has no leave for them.
    """
    # What planning warns of was said when the evaluation was made.
    plan = planned(store, entry, _named(evaluation, config), Silent(), device=how.device)
    file = f"predictions/{entry.run.name}.csv"
    predictions = read_predictions(evaluation.file(file))
    found = _others(plan, file, predictions)
    if found:
        return None, found
    found = [*answers(evaluation, file, predictions), *_labels(plan, file, predictions)]
    found += _scores(plan, evaluation, file, predictions, how)
    return entry_metrics(plan, predictions, config), found


def _named(evaluation: Artifact, config: EvaluateConfig) -> EvaluateConfig:
    """`--on` by a name of this workspace: a path meant a place in the folder that the command was given in."""
    labels = {f"{parent.kind}/{parent.name}" for parent in evaluation.manifest.parents}
    on = str(config.on)
    return config if on in labels else config.model_copy(update={"on": on.rstrip("/").split("/")[-1]})


def _others(plan: Planned, file: str, predictions: Predictions) -> list[Difference]:
    """Rows or classes that are not those that were asked for, in their order."""
    found = []
    ids, wanted = np.unique(predictions.ids), plan.samples.ids[plan.rows]
    if len(ids) < len(predictions.ids):
        found.append(Difference("a row is scored more than once", file, len(predictions.ids), len(ids)))
    for what, names, stored, expected in (
        ("a row is scored that was not asked for", np.setdiff1d(ids, wanted), "scored", "not scored"),
        ("a row that was asked for is not scored", np.setdiff1d(wanted, ids), "nothing", "scored"),
    ):
        if len(names):
            more = f"; {len(names):,} rows in all" if len(names) > 1 else ""
            found.append(Difference(what, f"{file}, {names[0]}{more}", stored, expected))
    classes = joined_classes(plan.scorer.classes, plan.samples.classes)
    if predictions.classes != classes:
        what = "the classes are not those of model and data in their order"
        found.append(Difference(what, f"{file}, header", list(predictions.classes), list(classes)))
    if not found and not np.array_equal(predictions.ids, wanted):
        found.append(Difference("the rows are not in the order of the data", file, predictions.ids[0], wanted[0]))
    return found


def _labels(plan: Planned, file: str, predictions: Predictions) -> list[Difference]:
    truth, labels = np.array(predictions.classes)[predictions.truth], plan.samples.labels[plan.rows]
    off = np.flatnonzero(truth != labels)
    if not len(off):
        return []
    more = f"; {len(off):,} rows in all" if len(off) > 1 else ""
    place = f"{file}, {predictions.ids[off[0]]}, column truth{more}"
    return [Difference("truth is not that of the data's row", place, str(truth[off[0]]), str(labels[off[0]]))]


def _scores(plan: Planned, evaluation: Artifact, file: str, predictions: Predictions, how: How) -> list[Difference]:
    """A few drawn rows, scored again by the run's model."""
    drawn = generator(how.config.seed, "verify.elsewhere", plan.run.name).permutation(len(plan.rows))[:SCORED_AGAIN]
    chosen = np.sort(drawn)
    tolerance = TOLERANCE
    if plan.scorer.input == "pixels":
        from fercli.resnet import devices
        from fercli.resnet.starting import use_threads
        from fercli.workflow.verification_nets import OTHER_DEVICE

        use_threads(how.threads)
        same = devices.resolve(how.device).type == evaluation.config.get("device")
        tolerance = TOLERANCE if same else OTHER_DEVICE
    width = len(predictions.classes)
    parts = [plan.scorer.scores(batch) for batch in plan.target.batches(plan.rows[chosen], 1)]
    again, stored = by_name(np.concatenate(parts), width), predictions.probabilities[chosen]
    away = np.abs(again - stored).max(axis=1)
    off = ~(away <= tolerance)
    if not off.any():
        return []
    row = int(np.argmax(np.where(off, away, -1.0)))
    column = int(np.argmax(np.abs(again[row] - stored[row])))
    more = f"; {int(off.sum()):,} of {len(chosen):,} drawn rows in all" if off.sum() > 1 else ""
    place = f"{file}, {predictions.ids[chosen[row]]}, p_{predictions.classes[column]}{more}"
    values = float(stored[row, column]), float(again[row, column])
    return [Difference("a prediction is not what the run's model gives", place, *values)]
