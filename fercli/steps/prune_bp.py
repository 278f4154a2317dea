"""`fer prune-bp`: train on every fold, remove redundant hidden units one at a time, retrain, until none is left."""

from dataclasses import dataclass, field

import numpy as np

from fercli.artifacts.draft import Draft
from fercli.artifacts.store import Artifact, Store
from fercli.artifacts.tables import predictions_bytes, records_bytes
from fercli.bp.chunk import Rows
from fercli.bp.foldwise import final_fold, prune_rule_of, rule_of
from fercli.bp.network import NetworkStack
from fercli.bp.pruning import Pruned, PruneRecord, prune
from fercli.bp.sizes import SizeChoice
from fercli.bp.training import EpochRecord, Trained, finish
from fercli.config.bp import PruneBPConfig
from fercli.records import Fold, Notify, Outcome
from fercli.workflow.bp_base import BaseRun, base_run
from fercli.workflow.bp_runs import (
    BPInputs,
    Laps,
    Memo,
    all_scores,
    bp_inputs,
    final_rows,
    history_of,
    predictions_of,
    train_shown,
    with_default_pca,
    would_train,
    write_final_model,
    write_fold_models,
)
from fercli.workflow.bp_sizes import SIZE_COLUMNS, chosen_sizes, size_lines, sizes_of
from fercli.workflow.inputs import input_artifact
from fercli.workflow.ledger import note_test_scoring
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

ALGORITHM = 1
DEFAULT_NAME = "prune-bp"


@dataclass(frozen=True)
class _Running:
    """How it runs: threads, who is told, and what was trained already."""

    threads: int
    notify: Notify
    memo: Memo | None


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


def run(
    config: PruneBPConfig,
    request: Request,
    store: Store,
    notify: Notify,
    *,
    default_pca: bool = True,
    memo: Memo | None = None,
) -> Outcome:
    """Train (or take the networks of `--from`), prune, and score before, after and beside an unpruned control.

    default_pca: take the PCA that the features were stored with, instead of `config.preprocessing.pca`.
    memo: of the sweep that this run belongs to; runs that differ only in pruning share one training.
    With `request.inputs["run"]` the training options and the protocol are those of that run.
    """
    base = None
    if request.inputs.get("run") is not None:
        base = base_run(store, str(request.inputs["run"]), config)
        data, config = base.data, base.config
    else:
        data = input_artifact(store, "features", request)
        if default_pca:
            config = with_default_pca(config, data)
    inputs = bp_inputs(store, data, config, request, notify)
    name = request.name or DEFAULT_NAME
    if request.dry_run:
        return would_train(inputs, name, config)
    begun = store.begin(
        "run",
        name,
        algorithm=ALGORITHM,
        config={"command": "prune-bp", **config.stored()},
        parents=[*inputs.parents, *([base.artifact.parent()] if base else [])],
        seed=config.protocol.seed,
        command=request.command,
        execution=request.execution(),
        force=request.force,
    )
    if isinstance(begun, Artifact):
        notify.say(f"{begun.label} is up to date")
        return outcome(begun, "up-to-date")
    with begun as draft:
        _write(draft, inputs, config, base, _Running(request.threads, notify, memo))
        status = "resumed" if draft.resumed else "done"
    note_test_scoring(store, inputs.planned.plan, inputs.samples, name)
    return outcome(store.open("run", name), status)


def outcome(artifact: Artifact, status: str) -> Outcome:
    """What every trainer answers, and what pruning did."""
    return run_outcome(artifact, status, tables=(pruning_table(artifact.json("metrics.json")),))


def _write(draft: Draft, inputs: BPInputs, config: PruneBPConfig, base: BaseRun | None, how: _Running) -> None:
    folds, samples = inputs.planned.plan.folds, inputs.samples
    laps, log = Laps(), _Log()
    prepared = inputs.prepared(folds, config, how.memo)
    laps.lap("preparing")
    if base is None:
        classes = len(samples.classes)
        trained = train_shown(
            prepared.rows, classes, config, how.threads, how.notify, log.training.append, memo=how.memo
        )
    else:
        trained = base.networks(folds)
    laps.lap("training")
    choices: tuple[SizeChoice, ...] = ()
    if config.until_worse:
        choices = chosen_sizes(inputs, folds, config, how.threads, how.notify)
        draft.write_bytes("sizes.csv", records_bytes(size_lines(choices, folds), SIZE_COLUMNS))
        laps.lap("choosing sizes")
    pruned = _prune_shown(trained, prepared.rows, config, how, log, choices)
    laps.lap("training")
    write_fold_models(draft, pruned.stack, prepared, folds, samples.classes)
    if inputs.planned.plan.protocol.scheme == "official":
        write_final_model(draft, pruned.stack, prepared, samples.classes)
    elif config.protocol.final_model:
        _write_final(draft, inputs, config, base, trained, how)
    laps.lap("final model")
    scores = all_scores(pruned.stack, prepared.rows, config)
    more = pruning_metrics(trained.stack, pruned.stack, log.removals, pruned.rounds.tolist())
    for key, stack in (("before", trained.stack), ("control", pruned.control)):
        beside = all_scores(stack, prepared.rows, config)
        predictions = predictions_of(stack, prepared.rows, folds, samples)
        draft.write_bytes(f"predictions-{key}.csv", predictions_bytes(predictions))
        more[key] = scored_beside(
            predictions, [one.train_accuracy for one in beside], [one.train_loss for one in beside]
        )
    draft.write_bytes("receipts.csv", records_bytes([receipt_line(one) for one in log.removals], RECEIPT_COLUMNS))
    activations = activation_lines(trained.stack, pruned.stack, prepared.rows[0].x)
    draft.write_bytes("activations.csv", records_bytes(activations, ACTIVATION_COLUMNS))
    content = write_run(
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
        history=_history(log, folds, config.lr),
        seconds=laps.seconds,
        metrics_more={"hidden": config.hidden, **more},
    )
    draft.commit(content)


def _prune_shown(
    trained: Trained,
    rows: tuple[Rows, ...],
    config: PruneBPConfig,
    how: _Running,
    log: _Log,
    choices: tuple[SizeChoice, ...],
) -> Pruned:
    """Prune with a progress line; how many rounds there will be is not known beforehand."""
    run = prune(
        trained.stack,
        rows,
        rule_of(config),
        prune_rule_of(config),
        first_epoch=config.epochs,
        patience=config.patience,
        threads=how.threads,
        down_to=sizes_of(choices) if choices else None,
    )
    with how.notify.progress(f"pruning {len(rows)} networks", None, "epochs") as bar:

        def shown(record: EpochRecord | PruneRecord) -> None:
            log.see(record)
            if isinstance(record, EpochRecord):
                bar.advance(1, f"{float(np.mean(record.units)):.1f} units on average")

        return finish(run, shown)


def _write_final(
    draft: Draft,
    inputs: BPInputs,
    config: PruneBPConfig,
    base: BaseRun | None,
    trained: Trained,
    how: _Running,
) -> None:
    """One more network on all rows of the folds, trained and pruned alike."""
    everything, alone = final_rows(inputs, config, trained.epochs)
    final: NetworkStack | None = base.final_network() if base else None
    if final is None:
        classes = len(inputs.samples.classes)
        final = train_shown(
            everything.rows, classes, alone, how.threads, how.notify, lambda record: None, memo=how.memo
        ).stack
    start = Trained(final, np.array([alone.epochs]))
    choices: tuple[SizeChoice, ...] = ()
    if config.until_worse:
        fold = final_fold(inputs.planned.plan.rows)
        choices = chosen_sizes(inputs, [fold], config, how.threads, how.notify)
    pruned = _prune_shown(start, everything.rows, alone, how, _Log(), choices)
    write_final_model(draft, pruned.stack, everything, inputs.samples.classes)


def _history(log: _Log, folds: tuple[Fold, ...], rate: float) -> list[dict[str, object]]:
    return [
        line
        for phase, records in (("train", log.training), ("retrain", log.retraining))
        for record in records
        for line in history_of(record, folds, phase, rate)
    ]
