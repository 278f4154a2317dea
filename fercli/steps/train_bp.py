"""`fer train-bp`: a sigmoid back-propagation network on every fold, all of them trained as one stack."""

from fercli.artifacts.store import Artifact, Store
from fercli.bp.training import EpochRecord
from fercli.config.bp import TrainBPConfig
from fercli.records import Notify, Outcome
from fercli.workflow.bp_runs import (
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
from fercli.workflow.inputs import input_artifact
from fercli.workflow.ledger import note_test_scoring
from fercli.workflow.request import Request
from fercli.workflow.runs import run_outcome, write_run

ALGORITHM = 1
DEFAULT_NAME = "train-bp"


def run(
    config: TrainBPConfig,
    request: Request,
    store: Store,
    notify: Notify,
    *,
    default_pca: bool = True,
    memo: Memo | None = None,
) -> Outcome:
    """Train one network per fold and repeat, score its held-out rows, fit one more on all rows.

    default_pca: take the PCA that the features were stored with, instead of `config.preprocessing.pca`.
    memo: of the sweep that this run belongs to; runs with the same preprocessing share it.
    """
    data = input_artifact(store, "features", request)
    if default_pca:
        config = with_default_pca(config, data)
    inputs = bp_inputs(store, data, config, request, notify)
    folds, classes = inputs.planned.plan.folds, inputs.samples.classes
    name = request.name or DEFAULT_NAME
    if request.dry_run:
        return would_train(inputs, name, config)
    begun = store.begin(
        "run",
        name,
        algorithm=ALGORITHM,
        config={"command": "train-bp", **config.stored()},
        parents=inputs.parents,
        seed=config.protocol.seed,
        command=request.command,
        execution=request.execution(),
        force=request.force,
    )
    if isinstance(begun, Artifact):
        notify.say(f"{begun.label} is up to date")
        return run_outcome(begun, "up-to-date")
    with begun as draft:
        laps = Laps()
        prepared = inputs.prepared(folds, config, memo)
        laps.lap("preparing")
        history: list[EpochRecord] = []
        trained = train_shown(prepared.rows, len(classes), config, request.threads, notify, history.append)
        laps.lap("training")
        scores = all_scores(trained.stack, prepared.rows, config)
        write_fold_models(draft, trained.stack, prepared, folds, classes)
        if inputs.planned.plan.protocol.scheme == "official":
            write_final_model(draft, trained.stack, prepared, classes)
        elif config.protocol.final_model:
            everything, alone = final_rows(inputs, config, trained.epochs)
            final = train_shown(everything.rows, len(classes), alone, request.threads, notify, lambda record: None)
            write_final_model(draft, final.stack, everything, classes)
        laps.lap("final model")
        content = write_run(
            draft,
            kind="bp",
            data=data,
            samples=inputs.samples,
            planned=inputs.planned,
            predictions=predictions_of(trained.stack, prepared.rows, folds, inputs.samples),
            train_accuracy=[one.train_accuracy for one in scores],
            train_loss=[one.train_loss for one in scores],
            test_loss=[one.test_loss for one in scores],
            loss_name=config.loss,
            history=[line for record in history for line in history_of(record, folds, "train", config.lr)],
            seconds=laps.seconds,
            metrics_more={"hidden": config.hidden, "epochs": trained.epochs.tolist()},
        )
        note_test_scoring(store, inputs.planned.plan, inputs.samples, name)
        path = draft.commit(content)
        status = "resumed" if draft.resumed else "done"
    return run_outcome(store.read(path, "run"), status)
