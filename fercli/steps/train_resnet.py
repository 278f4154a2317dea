"""`fer train-resnet`: one network per fold of a data set, and one for use."""

from dataclasses import asdict, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from fercli.artifacts.disk import sha256_of
from fercli.artifacts.schema import Parent
from fercli.artifacts.store import Artifact, Store
from fercli.artifacts.tables import records_bytes
from fercli.config.protocol import ProtocolConfig
from fercli.config.resnet import SHAPING, VARIANTS, Architecture, ResNetConfig
from fercli.errors import InputError, UsageError
from fercli.records import Fold, Notify, Outcome, Predictions, Samples, Table
from fercli.resnet import devices
from fercli.resnet.batches import Pictures
from fercli.resnet.pretrained import read_weights
from fercli.resnet.starting import seconds_per_picture, start, use_threads
from fercli.resnet.training import EpochRecord, Task
from fercli.resnet.variants import Described, describe
from fercli.workflow.inputs import input_artifact
from fercli.workflow.ledger import note_test_scoring
from fercli.workflow.net_training import Nets, TrainedNet
from fercli.workflow.plans import Planned, plan_for
from fercli.workflow.request import Request
from fercli.workflow.runs import HISTORY_COLUMNS, fold_folder, run_outcome, write_run

ALGORITHM = 1
LOSS = "cross entropy"
CHANNELS = {"gray": 1, "rgb": 3}
_CHOOSING = "--patience and --keep best"


def list_variants(size: tuple[int, int], color: str, classes: int) -> Outcome:
    """Every variant with its source, options, parameters and multiply-adds for `gray` or `rgb` pictures."""
    if color not in CHANNELS:
        raise UsageError(
            f"--color is gray or rgb, not {color!r}", where=f"--color {color}", next_step="take one of them"
        )
    channels = CHANNELS[color]
    found = [describe(Architecture.of_variant(name, size, channels, classes)) for name in VARIANTS]
    table = Table(
        f"variants for {size[0]}x{size[1]} {color} pictures, {classes} classes",
        ("variant", "parameters", "multiply-adds", "options", "source"),
        tuple(_variant_row(entry) for entry in found),
        ("multiply-adds of one picture, forward; training costs about three times that",),
    )
    payload = {"variants": [{**asdict(entry), "options": sorted(VARIANTS[entry.name].options)} for entry in found]}
    return Outcome(payload=payload, tables=(table,))


def _variant_row(entry: Described) -> tuple[Any, ...]:
    options = ", ".join(f"--{option.replace('_', '-')}" for option in VARIANTS[entry.name].options)
    return (entry.name, entry.parameters, f"{entry.multiply_adds / 1e6:,.1f} M", options, entry.source)


def run(
    config: ResNetConfig, protocol: ProtocolConfig, request: Request, store: Store, notify: Notify, *, device: str
) -> Outcome:
    """Train on every fold, score what it holds out, fit the final model; a killed run goes on where it was saved."""
    dataset = input_artifact(store, "dataset", request)
    chosen = devices.resolve(device)
    if config.needs_monitor and protocol.monitor == "none":
        raise UsageError(
            f"{_CHOOSING} choose an epoch, but --monitor none keeps no rows to choose on",
            where="--monitor none",
            next_step="take --monitor inner, or --patience 0 --keep last",
        )
    use_threads(request.threads)
    samples, images = dataset.samples(), dataset.array("images.npy")
    size, channels = (int(images.shape[1]), int(images.shape[2])), 3 if images.ndim == 4 else 1
    architecture = config.architecture(size, channels, len(samples.classes))
    facts = describe(architecture)
    where = f"device {chosen}" + (" (auto)" if device == "auto" else "")
    notify.say(
        f"{where}; {config.variant}: {facts.parameters:,} parameters, {facts.multiply_adds / 1e6:,.1f} M multiply-adds"
        f" a picture; recipe {config.recipe}, epochs {config.epochs}, batches of {config.batch_size}"
    )
    planned = plan_for(store, dataset, samples, protocol, request, notify)
    if not config.chooses and protocol.monitor == "inner":
        planned = _fitted_on_all(planned)
        notify.say("  nothing is chosen in training, so no rows are kept to choose on: all training rows are fitted on")
    if config.weights not in ("none", "imagenet"):
        planned = _with_weights(planned, config.weights)
    name = request.name or config.variant
    tasks = _tasks(samples, planned, protocol)
    if request.dry_run:
        rows = sum(len(task.fit) for task in tasks) + (len(planned.plan.rows) if _fits_final(planned, protocol) else 0)
        return _would(name, planned, config, architecture, Pictures(images, chosen), tasks[0], config.epochs * rows)
    begun = store.begin(
        "run",
        name,
        algorithm=ALGORITHM,
        config=_stored(config, architecture, protocol, chosen.type),
        parents=planned.parents,
        seed=protocol.seed,
        command=request.command,
        execution=request.execution(device=str(chosen), device_name=_device_name(str(chosen))),
        force=request.force,
    )
    if isinstance(begun, Artifact):
        notify.say(f"{begun.label} is up to date")
        return run_outcome(begun, "up-to-date")
    with begun as draft:
        nets = Nets(
            draft=draft,
            disk=store.disk,
            pictures=Pictures(images, chosen),
            config=config,
            architecture=architecture,
            classes=samples.classes,
            weights=None if config.weights == "none" else read_weights(config.weights, config.variant),
        )
        content = _train(nets, dataset, samples, planned, protocol, tasks, notify)
        note_test_scoring(store, planned.plan, name)
        path = draft.commit({**content, "parameters": facts.parameters, "multiply_adds": facts.multiply_adds})
        status = "resumed" if draft.resumed else "done"
    return run_outcome(store.read(path, "run"), status)


def _tasks(samples: Samples, planned: Planned, protocol: ProtocolConfig) -> list[Task]:
    return [
        Task(samples.targets, fold.fit, fold.inner, fold.test, protocol.seed, (fold.repeat, fold.fold))
        for fold in planned.plan.folds
    ]


def _fits_final(planned: Planned, protocol: ProtocolConfig) -> bool:
    """Whether one more model is fitted on all rows; the official split's own model is the one for use."""
    return protocol.final_model and planned.plan.protocol.scheme != "official"


def _train(
    nets: Nets,
    dataset: Artifact,
    samples: Samples,
    planned: Planned,
    protocol: ProtocolConfig,
    tasks: list[Task],
    notify: Notify,
) -> dict[str, Any]:
    """All folds, then the final model; the content of the artifact."""
    folds, config, draft = planned.plan.folds, nets.config, nets.draft
    none = np.empty(0, dtype=np.int64)
    official, final = planned.plan.protocol.scheme == "official", _fits_final(planned, protocol)
    draft.keep_partial()
    folders = [fold_folder(fold.repeat, fold.fold) for fold in folds]
    total = config.epochs * sum(len(task.fit) for task in tasks)
    total -= sum(nets.rows_done(task, folder) for task, folder in zip(tasks, folders, strict=True))
    if draft.resumed:
        notify.say("going on from the checkpoint that an interrupted run left")
    trained: list[TrainedNet] = []
    with notify.progress("training", total, "images") as bar:
        for index, (folder, task) in enumerate(zip(folders, tasks, strict=True)):
            label = f"fold {index + 1} of {len(folds)}" if len(folds) > 1 else config.variant
            trained.append(nets.train(task, folder, label, bar))
    seconds = {"training": sum(net.seconds for net in trained)}
    if final:
        epochs = round(median(net.chosen_epoch for net in trained)) if config.needs_monitor else config.epochs
        everything = Task(samples.targets, planned.plan.rows, none, none, protocol.seed, ("final",))
        notify.say(f"the final model: all {len(planned.plan.rows):,} rows of the folds, {epochs} epochs")
        with notify.progress("final model", epochs * len(planned.plan.rows), "images") as bar:
            last = nets.train(everything, "model", "final model", bar, epochs=epochs)
        draft.write_bytes("model/history.csv", records_bytes(_history(last, None), HISTORY_COLUMNS))
        seconds["final model"] = last.seconds
    elif official:
        for file in ("weights.safetensors", "model.json"):
            draft.write_bytes(f"model/{file}", (draft.folder / folders[0] / file).read_bytes())
    return write_run(
        draft,
        kind="resnet",
        data=dataset,
        samples=samples,
        planned=planned,
        predictions=_predictions(samples, folds, trained),
        train_accuracy=[net.train_accuracy for net in trained],
        train_loss=[net.train_loss for net in trained],
        test_loss=[net.test_loss for net in trained],
        loss_name=LOSS,
        history=[record for fold, net in zip(folds, trained, strict=True) for record in _history(net, fold)],
        seconds=seconds,
        metrics_more={"epochs": [net.chosen_epoch for net in trained]},
        content_more={"architecture": nets.architecture.stored(), "has_model": final or official},
    )


def _predictions(samples: Samples, folds: tuple[Fold, ...], trained: list[TrainedNet]) -> Predictions:
    rows = np.concatenate([fold.test for fold in folds])
    scored = np.concatenate([net.probabilities for net in trained]).astype(np.float64)
    return Predictions(
        ids=samples.ids[rows],
        repeats=np.concatenate([np.full(len(fold.test), fold.repeat) for fold in folds]),
        folds=np.concatenate([np.full(len(fold.test), fold.fold) for fold in folds]),
        splits=samples.splits[rows],
        truth=samples.targets[rows],
        probabilities=scored / scored.sum(axis=1, keepdims=True),
        classes=samples.classes,
    )


def _history(net: TrainedNet, fold: Fold | None) -> list[dict[str, Any]]:
    place = {} if fold is None else {"repeat": fold.repeat, "fold": fold.fold}
    return [{**place, "phase": "train", **_epoch(record)} for record in net.history]


def _epoch(record: EpochRecord) -> dict[str, Any]:
    return {
        "epoch": record.epoch,
        "learning_rate": record.lr,
        "train_loss": record.train_loss,
        "train_accuracy": record.train_accuracy,
        "test_loss": record.held_out_loss,
        "test_accuracy": record.held_out_accuracy,
        "monitor_loss": record.monitor_loss,
        "monitor_accuracy": record.monitor_accuracy,
    }


def _stored(config: ResNetConfig, shape: Architecture, protocol: ProtocolConfig, device: str) -> dict[str, Any]:
    """Every value in force: options that were left out as the variant's defaults, a file of weights by its name."""
    options = {name: getattr(shape, name) for name in SHAPING}
    weights = config.weights if config.weights in ("none", "imagenet") else Path(config.weights).name
    return {**config.stored(), **options, "weights": weights, "device": device, "protocol": protocol.stored()}


def _fitted_on_all(planned: Planned) -> Planned:
    none = np.empty(0, dtype=np.int64)
    folds = tuple(replace(fold, inner=none) for fold in planned.plan.folds)
    return replace(planned, plan=replace(planned.plan, folds=folds))


def _with_weights(planned: Planned, weights: str) -> Planned:
    """The plan with the file of weights as a further parent: other contents make another run."""
    path = Path(weights)
    if not path.is_file():
        raise InputError(
            "there is no such file of weights", where=f"--weights {weights}", next_step="give none, imagenet or a file"
        )
    parent = Parent(kind="source", name=path.name, fingerprint=sha256_of(path))
    return replace(planned, parents=(*planned.parents, parent))


def _would(
    name: str,
    planned: Planned,
    config: ResNetConfig,
    architecture: Architecture,
    pictures: Pictures,
    task: Task,
    total: int,
) -> Outcome:
    """What a run would make, and how long it would take by a few steps of it."""
    training = start(pictures, task, config, architecture)
    seconds = total * seconds_per_picture(training)
    folds = len(planned.plan.folds)
    return Outcome(
        payload={"would_make": f"run/{name}", "folds": folds, "images": total, "seconds": seconds},
        lines=(
            f"would train {config.variant} on {folds} fold{'s' if folds > 1 else ''} into run/{name}: "
            f"{total:,} images forward and backward, about {seconds / 60:,.1f} minutes on {pictures.device}",
        ),
    )


def _device_name(name: str) -> str:
    return next((found.model for found in devices.available() if found.name == name), name)
