"""Predictions against the folds and the labels, and every score of `metrics.json` taken again from them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fercli.artifacts.schema import MANIFEST
from fercli.artifacts.store import Artifact
from fercli.artifacts.tables import read_csv, read_predictions
from fercli.evaluation.metrics import score
from fercli.evaluation.summary import Kind, rows_in_samples, run_metrics
from fercli.protocol.describe import describe
from fercli.records import Fold, Predictions, Samples
from fercli.workflow.net_start import told_of_start
from fercli.workflow.verification import Covered, Difference
from fercli.workflow.verification_plan import RunView
from fercli.workflow.verification_values import difference_list

FILE = "predictions.csv"
METRICS = "metrics.json"
KINDS: Mapping[str, Kind] = {
    "train-bp": "bp",
    "prune-bp": "pruned-bp",
    "train-baseline": "baseline",
    "train-resnet": "resnet",
}
# Of BP networks the config says it.
LOSSES: Mapping[str, str] = {"train-baseline": "log_loss", "train-resnet": "cross entropy"}
# Probabilities are stored with all their digits; their sum is off by rounding alone.
SUM_TOLERANCE = 1e-6


def classes_as_stored(view: RunView) -> Covered:
    """The class order is that of the data everywhere: manifest, metrics, predictions, every model."""
    run, expected = view.run, list(view.samples.classes)
    told = {
        "artifact.json, classes": run.content.get("classes"),
        f"{METRICS}, classes": run.json(METRICS).get("classes"),
    }
    tables = [name for name in run.manifest.files if name.startswith("predictions") and name.endswith(".csv")]
    told |= {f"{name}, header": list(read_predictions(run.file(name)).classes) for name in tables}
    models = [name for name in run.manifest.files if name.endswith("/model.json")]
    told |= {f"{name}, classes": run.json(name).get("classes") for name in models}
    found = [
        Difference(f"the classes are not those of {view.data.label} in their order", where, stored, expected)
        for where, stored in told.items()
        if stored != expected
    ]
    return Covered(len(told), "lists", found)


def predictions_as_held_out(view: RunView, file: str = FILE) -> Covered:
    """Exactly the rows that a fold holds out, each once, with their label, their split and the likeliest class."""
    predictions = read_predictions(view.run.file(file))
    found = [*answers(view.run, file, predictions), *_coverage(view, file, predictions)]
    known = np.isin(predictions.ids, view.samples.ids)
    rows = rows_in_samples(_part(predictions, known), view.samples)
    names = np.array(predictions.classes)
    for what, stored, expected in (
        ("truth", names[predictions.truth[known]], view.samples.labels[rows]),
        ("split", predictions.splits[known], view.samples.splits[rows]),
    ):
        off = np.flatnonzero(stored != expected)
        if len(off):
            place = f"{file}, {predictions.ids[known][off[0]]}, column {what}{_more(len(off))}"
            told = f"{what} is not that of the data's row"
            found.append(Difference(told, place, str(stored[off[0]]), str(expected[off[0]])))
    return Covered(len(predictions.ids), "rows", found)


def _part(predictions: Predictions, mask: Any) -> Predictions:
    return Predictions(
        ids=predictions.ids[mask],
        repeats=predictions.repeats[mask],
        folds=predictions.folds[mask],
        splits=predictions.splits[mask],
        truth=predictions.truth[mask],
        probabilities=predictions.probabilities[mask],
        classes=predictions.classes,
    )


def _more(count: int) -> str:
    return f"; {count:,} rows in all" if count > 1 else ""


def answers(run: Artifact, file: str, predictions: Predictions) -> list[Difference]:
    """`predicted` is the most probable class, and probabilities are such."""
    header, lines = read_csv(run.file(file))
    column = header.index("predicted")
    stored = np.array([line[column] for line in lines], dtype=np.str_)
    likeliest = np.array(predictions.classes)[predictions.predicted] if len(stored) else stored
    found = []
    off = np.flatnonzero(stored != likeliest)
    if len(off):
        place = f"{file}, {predictions.ids[off[0]]}, column predicted{_more(len(off))}"
        found.append(
            Difference("predicted is not the most probable class", place, str(stored[off[0]]), str(likeliest[off[0]]))
        )
    sums = predictions.probabilities.sum(axis=1)
    off = np.flatnonzero(~(np.abs(sums - 1) <= SUM_TOLERANCE) | ~(predictions.probabilities >= 0).all(axis=1))
    if len(off):
        place = f"{file}, {predictions.ids[off[0]]}{_more(len(off))}"
        found.append(Difference("probabilities do not sum to 1, or are below 0", place, float(sums[off[0]]), 1.0))
    return found


def _coverage(view: RunView, file: str, predictions: Predictions) -> list[Difference]:
    found = []
    planned = {(fold.repeat, fold.fold): fold for fold in view.plan.folds}
    pairs = np.unique(np.column_stack([predictions.repeats, predictions.folds]), axis=0)
    strange = [f"{repeat}/{fold}" for repeat, fold in pairs.tolist() if (repeat, fold) not in planned]
    if strange:
        found.append(Difference("a fold that does not exist is predicted", f"{file}, fold {strange[0]}", None, None))
    for fold in view.plan.folds:
        found += _fold_coverage(view.samples, fold, file, predictions)
    return found


def _fold_coverage(samples: Samples, fold: Fold, file: str, predictions: Predictions) -> list[Difference]:
    here = (predictions.repeats == fold.repeat) & (predictions.folds == fold.fold)
    ids, counts = np.unique(predictions.ids[here], return_counts=True)
    expected = samples.ids[fold.test]
    place = f"{file}, fold {fold.repeat}/{fold.fold}"
    found = []
    for what, names, stored, wanted in (
        ("a row is predicted more than once", ids[counts > 1], "twice or more", "once"),
        ("a row is predicted that the fold does not hold out", np.setdiff1d(ids, expected), "held out", "not held out"),
        ("a row that the fold holds out is not predicted", np.setdiff1d(expected, ids), "nothing", "held out"),
    ):
        if len(names):
            found.append(Difference(what, f"{place}, {names[0]}{_more(len(names))}", stored, wanted))
    return found


def metrics_as_predicted(view: RunView) -> Covered:
    """`metrics.json` from predictions, folds and rows: pooled, per class, per fold, majority, copies, protocol.

    And the few facts of these that the manifest repeats.
    """
    run, stored = view.run, view.run.json(METRICS)
    # Runs of an earlier form do not say whether splits were pooled, which then reads as no.
    stored["protocol"] = {"pooled": False, **stored["protocol"]}
    predictions = read_predictions(run.file(FILE))
    folds = stored["folds"]
    # A copied run may have been renamed: the name in the file is that of its making.
    again = run_metrics(
        name=stored["name"],
        kind=KINDS[view.command],
        on=view.data.name,
        samples=view.samples,
        plan=view.plan,
        predictions=predictions,
        train_accuracy=[entry["train_accuracy"] for entry in folds],
        train_loss=[entry["train_loss"] for entry in folds],
        test_loss=[entry["test_loss"] for entry in folds],
        loss_name=_loss_name(view),
    )
    again["protocol"]["leaks"] += told_of_start(run.config, run.content)
    again["protocol"]["leaks"] += list(view.data.content.get("leaks", []))
    found = difference_list("a score is not what the predictions give:", METRICS, stored, again)
    for part in ("before", "control"):
        if part in stored:
            beside = score(read_predictions(run.file(f"predictions-{part}.csv"))).as_json()
            found += difference_list(
                f"a score of {part} is not what its predictions give:", METRICS, stored[part], beside
            )
    facts = _facts(view, again)
    found += difference_list("the manifest says otherwise than the run's files:", MANIFEST, run.content, facts)
    return Covered(_leaves(again) + len(facts), "values", found)


def _loss_name(view: RunView) -> str:
    """What a trainer calls the loss that it has lowered."""
    return LOSSES.get(view.command) or str(view.bp_config.loss)


def _facts(view: RunView, metrics: Mapping[str, Any]) -> dict[str, Any]:
    """What lists of runs show of one, and the manifest therefore holds."""
    kind, line = KINDS[view.command], describe(view.plan)
    accuracy = metrics["test"]["accuracy"]["pooled"]
    return {
        "summary": f"{kind} on {view.data.name}: accuracy {accuracy:.4f}; {line}",
        "run_kind": kind,
        "on": view.data.name,
        "data_kind": view.data.kind,
        "protocol_line": line,
    }


def metrics_alone(run: Artifact) -> Covered:
    """The scores that need neither data nor folds, where those are gone."""
    stored, predictions = run.json(METRICS), read_predictions(run.file(FILE))
    again: dict[str, Any] = score(predictions).as_json()
    again["folds"] = []
    for entry in stored["folds"]:
        here = (predictions.repeats == entry["repeat"]) & (predictions.folds == entry["fold"])
        own = score(predictions, here)
        keys = {key: getattr(own, key) for key in ("rows", "accuracy", "log_loss", "macro_f1")}
        again["folds"].append({"repeat": entry["repeat"], "fold": entry["fold"], **keys})
    found = [
        *answers(run, FILE, predictions),
        *difference_list("a score is not what the predictions give:", METRICS, stored, again),
    ]
    return Covered(_leaves(again), "values", found)


def _leaves(value: Any) -> int:
    if isinstance(value, Mapping):
        return sum(_leaves(one) for one in value.values())
    if isinstance(value, list):
        return sum(_leaves(one) for one in value)
    return 1
