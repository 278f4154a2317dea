"""The checks of a run beyond its hashes, in their order: folds and rows, classes, predictions, scores, fits."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from fercli.artifacts.store import Artifact, Store
from fercli.config.verify import VerifyConfig
from fercli.errors import ArtifactError
from fercli.workflow.baseline_models import HEAVY
from fercli.workflow.parents import parent_of
from fercli.workflow.verification import Book
from fercli.workflow.verification_fits import TOLERANCE, columns_as_fitted, scores_as_stored, training_scores_as_stated
from fercli.workflow.verification_plan import RunView, roles_as_planned, run_view
from fercli.workflow.verification_predictions import (
    classes_as_stored,
    metrics_alone,
    metrics_as_predicted,
    predictions_as_held_out,
)
from fercli.workflow.verification_pruning import receipts_as_saved, units_as_pruned
from fercli.workflow.verification_retraining import weights_as_trained, why_not

BESIDE = ("predictions-before.csv", "predictions-control.csv")


@dataclass(frozen=True)
class How:
    """How much is fitted again, and on which device nets are scored."""

    config: VerifyConfig
    device: str
    threads: int


def check_run(store: Store, run: Artifact, how: How, book: Book) -> None:
    """Enter every check of a run into the book; those that need a parent which is not there are said to be left out."""
    data = parent_of(store, run, "dataset", "features")
    folds = parent_of(store, run, "folds")
    missing = [parent for parent in run.manifest.parents if parent.kind == "folds" and folds is None]
    if data is None or missing:
        reason = f"its {'data' if data is None else 'folds'} changed since or are gone"
        book.attempt(run.label, "metrics", lambda: metrics_alone(run))
        for check in ("folds and rows", "predictions", "fits"):
            book.skip(run.label, check, reason)
        return
    try:
        view = run_view(run, data, folds)
    except (ArtifactError, LookupError, TypeError, ValueError) as error:
        failure = error

        def fail() -> Any:
            raise failure

        book.attempt(run.label, "folds and rows", fail)
        return
    _check_view(view, how, book)


def _check_view(view: RunView, how: How, book: Book) -> None:
    label, sampled = view.run.label, view.sampled(how.config.folds_sampled, how.config.seed)
    book.attempt(label, "folds and rows", lambda: roles_as_planned(view))
    book.attempt(label, "classes", lambda: classes_as_stored(view))
    covered = book.attempt(label, "predictions", lambda: predictions_as_held_out(view))
    for file in (name for name in BESIDE if view.run.has(name)):
        covered &= book.attempt(label, file.removesuffix(".csv"), partial(predictions_as_held_out, view, file))
    # Scores against the folds need the folds' rows; without them the predictions still have scores of their own.
    book.attempt(label, "metrics", lambda: metrics_as_predicted(view) if covered else metrics_alone(view.run))
    if view.data.kind == "features":
        _check_columns(view, sampled, book)
    else:
        _check_net(view, sampled, how, book)
    if how.config.retrain:
        reason = why_not(view)
        if reason is not None:
            book.skip(label, "trained again", reason)
        else:
            book.attempt(label, "trained again", lambda: weights_as_trained(view, sampled, how.threads))


def _check_columns(view: RunView, sampled: list[int], book: Book) -> None:
    label, every = view.run.label, range(len(view.plan.folds))
    book.attempt(label, "log shift, scaler, PCA", lambda: columns_as_fitted(view, sampled))
    if view.run.config.get("model") in HEAVY:
        for check in ("scores by stored models", "training scores"):
            book.skip(label, check, f"the {view.run.config['model']} of a fold is not stored; --retrain fits it anew")
    else:
        book.attempt(label, "scores by stored models", lambda: scores_as_stored(view, every, device="cpu"))
        book.attempt(label, "training scores", lambda: training_scores_as_stated(view, sampled))
    if view.command == "prune-bp":
        book.attempt(label, "pruning receipts", lambda: receipts_as_saved(view))
        book.attempt(label, "pruning statistics", lambda: units_as_pruned(view, sampled))


def _check_net(view: RunView, sampled: list[int], how: How, book: Book) -> None:
    # Only here: torch takes seconds to load, and columns do without it.
    from fercli.resnet import devices
    from fercli.resnet.starting import use_threads
    from fercli.workflow.verification_nets import OTHER_DEVICE, normalisation_as_fitted

    use_threads(how.threads)
    same = devices.resolve(how.device).type == view.run.config.get("device")
    tolerance = TOLERANCE if same else OTHER_DEVICE
    book.attempt(view.run.label, "normalisation", lambda: normalisation_as_fitted(view, sampled))
    book.attempt(
        view.run.label,
        "scores by stored models",
        lambda: scores_as_stored(view, sampled, device=how.device, tolerance=tolerance),
    )
