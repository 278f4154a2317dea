"""`fer train-bp`: a sigmoid back-propagation network on every fold, all of them trained as one stack."""

from collections.abc import Generator
from typing import Any

from fercli.artifacts.store import Store
from fercli.bp.training import EpochRecord
from fercli.config.bp import TrainBPConfig
from fercli.records import Notify, Outcome
from fercli.workflow.bp_devices import bp_device
from fercli.workflow.bp_inputs import BPInputs, bp_inputs, with_default_pca
from fercli.workflow.bp_results import all_scores, history_of, predictions_of, write_final_model, write_fold_models
from fercli.workflow.bp_runs import BPRun, make_run
from fercli.workflow.bp_together import Answer, Asked, Together, Work, run_alone
from fercli.workflow.inputs import input_artifact
from fercli.workflow.request import Request
from fercli.workflow.runs import run_outcome, write_run

ALGORITHM = 2
DEFAULT_NAME = "train-bp"


def run(
    config: TrainBPConfig,
    request: Request,
    store: Store,
    notify: Notify,
    *,
    default_pca: bool = True,
    device: str = "cpu",
) -> Outcome:
    """Train one network per fold and repeat, score its held-out rows, fit one more on all rows.

    default_pca: take the PCA that the features were stored with, instead of `config.preprocessing.pca`.
    """
    together = Together(request.threads, notify, bp_device(device))
    return run_alone(work(config, request, store, together, default_pca=default_pca), together)


def work(
    config: TrainBPConfig, request: Request, store: Store, together: Together, *, default_pca: bool = True
) -> Work:
    """`run` as one of several that are trained together, as the runs of a sweep are."""
    data = input_artifact(store, "features", request)
    if default_pca:
        config = with_default_pca(config, data)
    inputs = bp_inputs(store, data, config, request, together.notify)
    return (
        yield from make_run(
            "train-bp",
            request.name or DEFAULT_NAME,
            ALGORITHM,
            config,
            inputs,
            inputs.parents,
            request,
            store,
            together,
            lambda run: _fill(run, inputs, config),
            run_outcome,
        )
    )


def _fill(run: BPRun, inputs: BPInputs, config: TrainBPConfig) -> Generator[Asked, Answer, dict[str, Any]]:
    """Train and write; the content of the artifact."""
    draft, folds, samples = run.draft, inputs.folds, inputs.samples
    prepared = run.together.prepared(inputs, folds, config)
    run.laps.lap("preparing")
    history: list[EpochRecord] = []
    trained = yield from run.train(prepared.rows, len(samples.classes), config, history.append)
    scores = all_scores(trained.stack, prepared.rows, config)
    write_fold_models(draft, trained.stack, prepared, folds, samples.classes)
    if inputs.planned.plan.protocol.scheme == "official":
        write_final_model(draft, trained.stack, prepared, samples.classes)
    elif config.protocol.final_model:
        everything, alone = run.final_rows(inputs, config, trained.epochs)
        final = yield from run.train(everything.rows, len(samples.classes), alone, step="final model")
        write_final_model(draft, final.stack, everything, samples.classes)
    run.laps.lap("final model")
    return write_run(
        draft,
        kind="bp",
        data=inputs.data,
        samples=samples,
        planned=inputs.planned,
        predictions=predictions_of(trained.stack, prepared.rows, folds, samples),
        train_accuracy=[one.train_accuracy for one in scores],
        train_loss=[one.train_loss for one in scores],
        test_loss=[one.test_loss for one in scores],
        loss_name=config.loss,
        history=[line for record in history for line in history_of(record, folds, "train", config.lr)],
        seconds=run.laps.seconds,
        metrics_more={"hidden": config.hidden, "epochs": trained.epochs.tolist()},
    )
