"""A network's scores by each set of views, so that one run tells what the views bring."""

from collections.abc import Mapping, Sequence
from typing import Any

from fercli.config.resnet import Architecture, ViewSet
from fercli.errors import UsageError
from fercli.evaluation.metrics import score
from fercli.evaluation.summary import copies_in_training
from fercli.records import FoldPlan, Predictions, Samples, Table
from fercli.resnet.variants import describe
from fercli.resnet.views import views_of


def check_views(kind: ViewSet, architecture: Architecture) -> None:
    """Raises UsageError where the network cannot take views of another size than it was built for."""
    view = views_of(kind, architecture.size, architecture.crop)[0]
    if (view.height, view.width) == architecture.input_size:
        return
    seen = architecture.model_copy(update={"size": (view.height, view.width), "crop": 0})
    if describe(seen).parameters != describe(architecture).parameters:
        height, width = architecture.size
        raise UsageError(
            f"the fully connected blocks of {architecture.variant} take whole pictures of {height}x{width}, not views"
            f" of {view.height}x{view.width}",
            where=f"--views {kind}",
            next_step=f"train on crops too, --crop {min(view.height, view.width)}, or take --views flip",
        )


def view_scores(by_views: Mapping[ViewSet, Predictions], plan: FoldPlan, samples: Samples) -> dict[str, Any]:
    """`views` of metrics.json: a scored set under each name, and the same without rows that have a copy in training.

    Empty for a single set: its scores are the run's own.
    """
    if len(by_views) < 2:
        return {}
    found: dict[str, Any] = {}
    for name, predictions in by_views.items():
        copied = copies_in_training(predictions, plan, samples)
        without = score(predictions, ~copied).as_json() if copied.any() else None
        found[name] = {**score(predictions).as_json(), "without_copies": without}
    return {"views": found}


def view_tables(metrics: Mapping[str, Any]) -> Sequence[Table]:
    """One row per set of views, for a run that was scored by more than one."""
    if "views" not in metrics:
        return ()
    copies = any(scored["without_copies"] for scored in metrics["views"].values())
    rows = tuple(
        (name, scored["accuracy"], scored["balanced_accuracy"], scored["macro_f1"], scored["log_loss"])
        + (((scored["without_copies"] or {}).get("accuracy"),) if copies else ())
        for name, scored in metrics["views"].items()
    )
    columns = ("views", "accuracy", "balanced accuracy", "macro-F1", "log loss")
    note = f"the run's predictions and its stored models use {rows[-1][0]}: the mean of the probabilities"
    return (Table("by views", columns + (("accuracy without copies",) if copies else ()), rows, (note,)),)
