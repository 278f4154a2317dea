"""`fer prune-bp`: train on every fold, remove redundant hidden units one at a time, retrain, until none is left."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fercli.artifacts.store import Artifact, Store
from fercli.artifacts.tables import predictions_bytes, records_bytes
from fercli.bp.chunk import Rows
from fercli.bp.foldwise import Prepared, final_fold, prune_rule_of, rule_of
from fercli.bp.network import NetworkStack
from fercli.bp.pruning import Pruned, PruneRecord, pruning
from fercli.bp.sizes import SizeChoice
from fercli.bp.training import EpochRecord, Trained
from fercli.config.bp import PruneBPConfig
from fercli.records import Fold, Notify, Outcome
from fercli.workflow.bp_base import BaseRun, base_run
from fercli.workflow.bp_devices import bp_device
from fercli.workflow.bp_inputs import BPInputs, bp_inputs, with_default_pca
from fercli.workflow.bp_results import all_scores, history_of, predictions_of, write_final_model, write_fold_models
from fercli.workflow.bp_runs import BPRun, make_run
from fercli.workflow.bp_sizes import SIZE_COLUMNS, chosen_sizes, size_lines, sizes_of
from fercli.workflow.bp_together import Answer, Asked, Together, Work, run_alone
from fercli.workflow.inputs import input_artifact
from fercli.workflow.receipts import (
    ACTIVATION_COLUMNS,
    RECEIPT_COLUMNS,
    activation_lines,
    pruning_metrics,
    pruning_table,
    receipt_line,
    scored_beside,
)
from fercli.workflow.request import Request
from fercli.workflow.runs import run_outcome, write_run

ALGORITHM = 2
DEFAULT_NAME = "prune-bp"


@dataclass
class _Log:
    """What was seen while networks were trained and pruned."""

    training: list[EpochRecord] = field(default_factory=list)
    retraining: list[EpochRecord] = field(default_factory=list)
    removals: list[PruneRecord] = field(default_factory=list)

    def see(self, record: EpochRecord | PruneRecord) -> None:
        if isinstance(record, PruneRecord):
            self.removals.append(record)
        else:
            self.retraining.append(record)

    def history(self, folds: Sequence[Fold], rate: float) -> list[dict[str, Any]]:
        return [
            line
            for phase, records in (("train", self.training), ("retrain", self.retraining))
            for record in records
            for line in history_of(record, folds, phase, rate)
        ]


def run(
    config: PruneBPConfig,
    request: Request,
    store: Store,
    notify: Notify,
    *,
    default_pca: bool = True,
    device: str = "cpu",
) -> Outcome:
    """Train (or take the networks of `--from`), prune, and score before, after and beside an unpruned control.

    default_pca: take the PCA that the features were stored with, instead of `config.preprocessing.pca`.
    With `request.inputs["run"]` the training options and the protocol are those of that run.
    """
    together = Together(request.threads, notify, bp_device(device))
    return run_alone(work(config, request, store, together, default_pca=default_pca), together)


def work(
    config: PruneBPConfig, request: Request, store: Store, together: Together, *, default_pca: bool = True
) -> Work:
    """`run` as one of several that are trained and pruned together, as the runs of a sweep are."""
    base = None
    if request.inputs.get("run") is not None:
        base = base_run(store, str(request.inputs["run"]), config)
        data, config = base.data, base.config
    else:
        data = input_artifact(store, "features", request)
        if default_pca:
            config = with_default_pca(config, data)
    inputs = bp_inputs(store, data, config, request, together.notify)
    return (
        yield from make_run(
            "prune-bp",
            request.name or DEFAULT_NAME,
            ALGORITHM,
            config,
            inputs,
            [*inputs.parents, *([base.artifact.parent()] if base else [])],
            request,
            store,
            together,
            lambda run: _fill(run, inputs, config, base),
            outcome,
        )
    )


def outcome(artifact: Artifact, status: str) -> Outcome:
    """What every trainer answers, and what pruning did."""
    return run_outcome(artifact, status, tables=(pruning_table(artifact.json("metrics.json")),))


def _fill(
    run: BPRun, inputs: BPInputs, config: PruneBPConfig, base: BaseRun | None
) -> Generator[Asked, Answer, dict[str, Any]]:
    """Train, prune and write; the content of the artifact."""
    draft, folds, samples = run.draft, inputs.folds, inputs.samples
    log = _Log()
    prepared = run.together.prepared(inputs, folds, config)
    run.laps.lap("preparing")
    if base is None:
        trained = yield from run.train(prepared.rows, len(samples.classes), config, log.training.append)
    else:
        trained = base.networks(folds)
    choices: tuple[SizeChoice, ...] = ()
    if config.until_worse:
        choices = yield from chosen_sizes(run, inputs, folds, config)
        draft.write_bytes("sizes.csv", records_bytes(size_lines(choices, folds), SIZE_COLUMNS))
    pruned = yield from _pruned(run, trained, prepared.rows, config, log, choices)
    run.laps.lap("training")
    write_fold_models(draft, pruned.stack, prepared, folds, samples.classes)
    if inputs.planned.plan.protocol.scheme == "official":
        write_final_model(draft, pruned.stack, prepared, samples.classes)
    elif config.protocol.final_model:
        yield from _write_final(run, inputs, config, base, trained)
    run.laps.lap("final model")
    more = pruning_metrics(trained.stack, pruned.stack, log.removals, pruned.rounds.tolist())
    more |= _written_beside(run, inputs, config, prepared, {"before": trained.stack, "control": pruned.control})
    draft.write_bytes("receipts.csv", records_bytes([receipt_line(one) for one in log.removals], RECEIPT_COLUMNS))
    activations = activation_lines(trained.stack, pruned.stack, prepared.rows[0].x)
    draft.write_bytes("activations.csv", records_bytes(activations, ACTIVATION_COLUMNS))
    scores = all_scores(pruned.stack, prepared.rows, config)
    return write_run(
        draft,
        kind="pruned-bp",
        data=inputs.data,
        samples=samples,
        planned=inputs.planned,
        predictions=predictions_of(pruned.stack, prepared.rows, folds, samples),
        train_accuracy=[one.train_accuracy for one in scores],
        train_loss=[one.train_loss for one in scores],
        test_loss=[one.test_loss for one in scores],
        loss_name=config.loss,
        history=log.history(folds, config.lr),
        seconds=run.laps.seconds,
        metrics_more={"hidden": config.hidden, **more},
    )


def _written_beside(
    run: BPRun, inputs: BPInputs, config: PruneBPConfig, prepared: Prepared, stacks: dict[str, NetworkStack]
) -> dict[str, Any]:
    """Predictions of the networks that stand beside those of the run, written; their scores by name."""
    scored = {}
    for key, stack in stacks.items():
        beside = all_scores(stack, prepared.rows, config)
        predictions = predictions_of(stack, prepared.rows, inputs.folds, inputs.samples)
        run.draft.write_bytes(f"predictions-{key}.csv", predictions_bytes(predictions))
        scored[key] = scored_beside(
            predictions, [one.train_accuracy for one in beside], [one.train_loss for one in beside]
        )
    return scored


def _pruned(
    run: BPRun,
    trained: Trained,
    rows: tuple[Rows, ...],
    config: PruneBPConfig,
    log: _Log,
    choices: tuple[SizeChoice, ...],
    step: str = "training",
) -> Generator[Asked, Answer, Pruned]:
    steps = pruning(
        trained.stack,
        rows,
        rule_of(config),
        prune_rule_of(config),
        first_epoch=config.epochs,
        patience=config.patience,
        down_to=sizes_of(choices) if choices else None,
    )
    return (yield from run.prune(steps, log.see, step=step))


def _write_final(
    run: BPRun, inputs: BPInputs, config: PruneBPConfig, base: BaseRun | None, trained: Trained
) -> Generator[Asked, Answer, None]:
    """One more network on all rows of the folds, trained and pruned alike."""
    everything, alone = run.final_rows(inputs, config, trained.epochs)
    final: NetworkStack | None = base.final_network() if base else None
    if final is None:
        classes = len(inputs.samples.classes)
        final = (yield from run.train(everything.rows, classes, alone, step="final model")).stack
    start = Trained(final, np.array([alone.epochs]))
    choices: tuple[SizeChoice, ...] = ()
    if config.until_worse:
        choices = yield from chosen_sizes(run, inputs, [final_fold(inputs.planned.plan.rows)], config)
    pruned = yield from _pruned(run, start, everything.rows, alone, _Log(), choices, "final model")
    write_final_model(run.draft, pruned.stack, everything, inputs.samples.classes)
