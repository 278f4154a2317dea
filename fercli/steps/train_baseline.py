"""`fer train-baseline`: a yardstick from scikit-learn on the same folds, with the same run as any net."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fercli.artifacts.draft import Draft
from fercli.artifacts.store import Artifact, Store
from fercli.artifacts.tables import csv_bytes
from fercli.baselines.training import FoldResult, Rows, final_fold, train_folds
from fercli.config.baseline import GRIDS, TrainBaselineConfig
from fercli.protocol.duplicates import group_numbers
from fercli.records import Notify, Outcome, Predictions, Samples, Table
from fercli.workflow.baseline_models import FINAL_FOLDER, HEAVY, write_baseline_model
from fercli.workflow.features import blocks_of
from fercli.workflow.inputs import input_artifact
from fercli.workflow.ledger import note_test_scoring
from fercli.workflow.plans import Planned, plan_for
from fercli.workflow.request import Request
from fercli.workflow.runs import fold_folder, run_outcome, write_run
from fercli.workflow.sweeps import shared_notes

ALGORITHM = 1
DEFAULT_NAME = "baseline"
TRIED_COLUMNS = ("repeat", "fold", "parameters", "rows", "accuracy", "log_loss", "scale", "chosen")
SWEEP_COLUMNS = ("run", "model", "accuracy", "macro_f1", "log_loss", "train_accuracy", "majority")


def run(
    configs: Sequence[TrainBaselineConfig],
    request: Request,
    store: Store,
    notify: Notify,
    *,
    default_pca: bool = True,
) -> Outcome:
    """Train one run per config; several are a sweep over `model`.

    default_pca: take the PCA that the features were stored with, instead of `preprocessing.pca` of the configs.
    """
    data = input_artifact(store, "features", request)
    samples = data.samples()
    if default_pca:
        configs = [_with_pca(config, data.content["pca"]) for config in configs]
    planned = plan_for(store, data, samples, configs[0].protocol, request, notify)
    # No yardstick stops early, so the rows set apart for that are fitted on, and `rows.npy` says so.
    none = np.empty(0, dtype=np.int64)
    plan = replace(planned.plan, folds=tuple(replace(fold, inner=none) for fold in planned.plan.folds))
    planned = replace(planned, plan=plan)
    names = run_names(configs, request)
    if request.dry_run:
        return _would_train(names, planned)
    outcomes = [
        _train(config, name, data, samples, planned, request, store, notify)
        for config, name in zip(configs, names, strict=True)
    ]
    return outcomes[0] if len(outcomes) == 1 else _sweep(store, request.name or DEFAULT_NAME, configs, outcomes)


def run_names(configs: Sequence[TrainBaselineConfig], request: Request) -> list[str]:
    """`NAME`, by default `baseline-MODEL`; in a sweep `NAME.model-MODEL`, by default after `baseline`."""
    if len(configs) == 1:
        return [request.name or f"{DEFAULT_NAME}-{configs[0].model}"]
    return [f"{request.name or DEFAULT_NAME}.model-{config.model}" for config in configs]


def _with_pca(config: TrainBaselineConfig, pca: int | float | None) -> TrainBaselineConfig:
    return config.model_copy(update={"preprocessing": config.preprocessing.model_copy(update={"pca": pca})})


def _would_train(names: Sequence[str], planned: Planned) -> Outcome:
    made = [f"run/{name}" for name in names]
    folds = len(planned.plan.folds)
    return Outcome(
        payload={"would_make": made[0] if len(made) == 1 else made, "folds": folds},
        lines=tuple(f"would fit {folds} folds into runs/{name}" for name in names),
    )


def _train(
    config: TrainBaselineConfig,
    name: str,
    data: Artifact,
    samples: Samples,
    planned: Planned,
    request: Request,
    store: Store,
    notify: Notify,
) -> Outcome:
    begun = store.begin(
        "run",
        name,
        algorithm=ALGORITHM,
        config={"command": "train-baseline", **config.stored(), "grid": _grid(config)},
        parents=planned.parents,
        seed=config.protocol.seed,
        command=request.command,
        execution=request.execution(),
        force=request.force,
    )
    if isinstance(begun, Artifact):
        notify.say(f"{begun.label} is up to date")
        return run_outcome(begun, "up-to-date")
    with begun as draft:
        rows = Rows(
            features=data.array("features.npy"),
            blocks=blocks_of(data),
            targets=samples.targets,
            groups=group_numbers(samples.groups),
            copies=planned.plan.copies,
            classes=len(samples.classes),
        )
        started = time.perf_counter()
        folds = planned.plan.folds
        results = []
        with notify.progress(f"fitting {config.model}", len(folds), "folds") as bar:
            for result in train_folds(rows, folds, config, jobs=request.jobs, threads=request.threads):
                results.append(result)
                bar.advance()
        trained = time.perf_counter()
        write_model(draft, results, rows, samples, planned, config, request)
        seconds = {"training": trained - started, "final model": time.perf_counter() - trained}
        for result in results:
            folder = fold_folder(result.fold.repeat, result.fold.fold)
            write_baseline_model(draft, folder, result.fitted, samples.classes, weights=config.model not in HEAVY)
        draft.write_bytes("grid.csv", csv_bytes(TRIED_COLUMNS, _tried(results)))
        content = write_run(
            draft,
            kind="baseline",
            data=data,
            samples=samples,
            planned=planned,
            predictions=_predictions(results, samples),
            train_accuracy=[result.train_accuracy for result in results],
            train_loss=[result.train_loss for result in results],
            test_loss=[result.test_loss for result in results],
            loss_name="log_loss",
            history=[_history(result) for result in results],
            seconds=seconds,
            metrics_more={"model": config.model},
        )
        note_test_scoring(store, planned.plan, samples, name)
        path = draft.commit(content)
    return run_outcome(store.read(path, "run"), "done", tables=_choices(config, results))


def write_model(
    draft: Draft,
    results: Sequence[FoldResult],
    rows: Rows,
    samples: Samples,
    planned: Planned,
    config: TrainBaselineConfig,
    request: Request,
) -> None:
    """`model/`: on the official split what was trained there, else one more fitted on all rows of the folds."""
    if planned.plan.protocol.scheme == "official":
        write_baseline_model(draft, FINAL_FOLDER, results[0].fitted, samples.classes)
    elif config.protocol.final_model:
        final = next(train_folds(rows, [final_fold(planned.plan.rows)], config, threads=request.threads))
        write_baseline_model(draft, FINAL_FOLDER, final.fitted, samples.classes)


def _grid(config: TrainBaselineConfig) -> dict[str, list[float]]:
    if config.protocol.monitor == "none":
        return {name: [value] for name, value in config.fallback().items()}
    return {name: list(values) for name, values in GRIDS.get(config.model, {}).items()}


def _predictions(results: Sequence[FoldResult], samples: Samples) -> Predictions:
    rows = np.concatenate([result.fold.test for result in results])

    def each(number: Any) -> Any:
        return np.concatenate([np.full(len(result.fold.test), number(result.fold)) for result in results])

    return Predictions(
        ids=samples.ids[rows],
        repeats=each(lambda fold: fold.repeat),
        folds=each(lambda fold: fold.fold),
        splits=samples.splits[rows],
        truth=samples.targets[rows],
        probabilities=np.concatenate([result.held_out for result in results]),
        classes=samples.classes,
    )


def _history(result: FoldResult) -> dict[str, Any]:
    return {
        "repeat": result.fold.repeat,
        "fold": result.fold.fold,
        "phase": "fit",
        "epoch": 1,
        "train_loss": result.train_loss,
        "train_accuracy": result.train_accuracy,
        "test_loss": result.test_loss,
        "test_accuracy": result.test_accuracy,
    }


def _words(parameters: Mapping[str, float]) -> str:
    return " ".join(f"{name}={value:g}" for name, value in parameters.items()) or "–"


def _tried(results: Sequence[FoldResult]) -> list[tuple[Any, ...]]:
    return [
        (
            result.fold.repeat,
            result.fold.fold,
            _words(tried.parameters),
            tried.rows,
            tried.accuracy,
            tried.log_loss,
            tried.scale,
            tried.parameters == result.fitted.choice.parameters,
        )
        for result in results
        for tried in result.fitted.choice.tried
    ]


def _choices(config: TrainBaselineConfig, results: Sequence[FoldResult]) -> tuple[Table, ...]:
    """How often each candidate was chosen; nothing for a model without a grid."""
    if config.model not in GRIDS:
        return ()
    chosen = [_words(result.fitted.choice.parameters) for result in results]
    rows = tuple((words, chosen.count(words)) for words in sorted(set(chosen)))
    note = "by accuracy on inner folds of each fold's training rows; all candidates stand in grid.csv"
    return (Table("Chosen", ("parameters", "folds"), rows, (note,)),)


def _sweep(store: Store, name: str, configs: Sequence[TrainBaselineConfig], outcomes: Sequence[Outcome]) -> Outcome:
    """One table over the runs of a sweep, also as `runs/NAME.sweep.csv`."""
    rows = tuple(
        (
            outcome.payload["run"],
            config.model,
            outcome.payload["accuracy"],
            outcome.payload["macro_f1"],
            outcome.payload["log_loss"],
            outcome.payload["train"]["accuracy"]["mean"],
            outcome.payload["majority"]["accuracy"]["pooled"],
        )
        for config, outcome in zip(configs, outcomes, strict=True)
    )
    path = store.folder("run") / f"{name}.sweep.csv"
    store.disk.replace_file(path, csv_bytes(SWEEP_COLUMNS, rows))
    notes = tuple(shared_notes({str(outcome.payload["run"]): outcome for outcome in outcomes}))
    fresh = any(outcome.status == "done" for outcome in outcomes)
    return Outcome(
        status="done" if fresh else "up-to-date",
        payload={
            "runs": [dict(outcome.payload) for outcome in outcomes],
            "sweep": [dict(zip(SWEEP_COLUMNS, row, strict=True)) for row in rows],
        },
        tables=(Table(f"Sweep {name}", SWEEP_COLUMNS, rows, notes),),
        lines=(f"sweep: {path}",),
    )
