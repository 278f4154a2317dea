"""What every trainer leaves behind and answers: the model differs, the run does not."""

import csv
from collections.abc import Mapping, Sequence
from typing import Any

from fercli.artifacts.draft import Draft
from fercli.artifacts.store import Artifact
from fercli.artifacts.tables import predictions_bytes, records_bytes
from fercli.evaluation.summary import Kind, Measured, run_metrics
from fercli.records import Outcome, Predictions, Samples, Table
from fercli.workflow.plans import Planned, row_roles
from fercli.workflow.rows import left_out_json

HISTORY_COLUMNS = (
    "repeat",
    "fold",
    "phase",
    "epoch",
    "units",
    "learning_rate",
    "train_loss",
    "train_accuracy",
    "test_loss",
    "test_accuracy",
    "monitor_loss",
    "monitor_accuracy",
)


def fold_folder(repeat: int, fold: int) -> str:
    """Folder of one fold in a run."""
    return f"folds/{repeat}/{fold:02d}"


def write_roles(draft: Draft, planned: Planned, count: int) -> None:
    """`rows.npy` of every fold: which row of the data was fitted on, inner, held out."""
    for index, fold in enumerate(planned.plan.folds):
        draft.write_array(f"{fold_folder(fold.repeat, fold.fold)}/rows.npy", row_roles(planned.plan, index, count))


def write_run(
    draft: Draft,
    *,
    kind: Kind,
    data: Artifact,
    samples: Samples,
    planned: Planned,
    predictions: Predictions,
    train_accuracy: Measured,
    train_loss: Measured,
    test_loss: Measured,
    loss_name: str,
    history: Sequence[Mapping[str, Any]],
    seconds: Mapping[str, float],
    metrics_more: Mapping[str, Any] | None = None,
    content_more: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Write metrics.json, predictions.csv, history.csv, timing.csv and the roles; the content for `draft.commit`.

    history: records under `HISTORY_COLUMNS`. seconds: by step, `training` among them; they stay out of the hashes.
    metrics_more: further keys of metrics.json. content_more: further facts of the artifact.
    """
    data_leaks = list(data.content.get("leaks", []))
    metrics = run_metrics(
        name=draft.name,
        kind=kind,
        on=data.name,
        samples=samples,
        plan=planned.plan,
        predictions=predictions,
        train_accuracy=train_accuracy,
        train_loss=train_loss,
        test_loss=test_loss,
        loss_name=loss_name,
    )
    metrics["protocol"]["leaks"] += data_leaks
    metrics.update(metrics_more or {})
    draft.write_json("metrics.json", metrics)
    draft.write_bytes("predictions.csv", predictions_bytes(predictions))
    draft.write_bytes("history.csv", records_bytes(history, HISTORY_COLUMNS))
    draft.write_csv("timing.csv", ("step", "seconds"), seconds.items())
    write_roles(draft, planned, len(samples))
    accuracy = metrics["test"]["accuracy"]["pooled"]
    return {
        "summary": f"{kind} on {data.name}: accuracy {accuracy:.4f}; {planned.line}",
        "run_kind": kind,
        "on": data.name,
        "data_kind": data.kind,
        "classes": list(samples.classes),
        "protocol_line": planned.line,
        "notes": list(planned.plan.notes),
        "left_out": left_out_json(planned.left_out) + list(data.content.get("left_out", [])),
        **(content_more or {}),
    }


def training_seconds(artifact: Artifact) -> float | None:
    """Seconds of training alone, from `timing.csv`."""
    with artifact.file("timing.csv").open(newline="", encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            if row["step"] == "training":
                return float(row["seconds"])
    return None


def run_outcome(artifact: Artifact, status: str, *, tables: Sequence[Table] = ()) -> Outcome:
    """What every trainer answers: the metrics contract, the run's name, what was left out, seconds of training."""
    metrics = artifact.json("metrics.json")
    payload = {
        **metrics,
        "run": artifact.name,
        "left_out": artifact.content["left_out"],
        "seconds": training_seconds(artifact),
    }
    return Outcome(
        status=status,
        artifact=artifact.label,
        payload=payload,
        tables=(score_table(artifact, metrics), *tables),
        lines=(f"run {artifact.name}: {artifact.path}",),
    )


def score_table(artifact: Artifact, metrics: Mapping[str, Any]) -> Table:
    """Train and held-out scores beside the majority, with protocol, leaks and copies under them."""

    def row(name: str, value: Mapping[str, Any]) -> tuple[Any, ...]:
        return (name, value.get("mean"), value.get("sd"), value.get("pooled"))

    test_loss = metrics["test"]["loss"]
    rows = [
        row("train accuracy", metrics["train"]["accuracy"]),
        row("test accuracy", metrics["test"]["accuracy"]),
        row("majority of the training rows", metrics["majority"]["accuracy"]),
        row(f"train loss ({test_loss['name']})", metrics["train"]["loss"]),
        row(f"test loss ({test_loss['name']})", test_loss),
        ("macro-F1", None, None, metrics["macro_f1"]),
        ("log loss", None, None, metrics["log_loss"]),
    ]
    notes = [f"protocol: {artifact.content['protocol_line']}"]
    notes += [f"leak: {leak}" for leak in metrics["protocol"]["leaks"]]
    without = metrics.get("without_copies")
    if without:
        notes.append(
            f"{metrics['copies_in_training']:,} of {metrics['rows']:,} scored rows have an equal copy in training; "
            f"without them accuracy {without['accuracy']:.4f} on {without['rows']:,} rows"
        )
    return Table(
        f"{artifact.label}: {metrics['kind']} on {metrics['on']}",
        ("", "mean", "sd", "pooled"),
        tuple(rows),
        tuple(notes),
    )
