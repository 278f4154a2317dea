"""`fer train-resnet`: one network per fold of a data set, and one for use."""

import sys
from dataclasses import asdict, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from fercli.artifacts.store import Artifact, Store
from fercli.artifacts.tables import records_bytes
from fercli.config.protocol import ProtocolConfig
from fercli.config.resnet import SHAPING, VARIANTS, Architecture, ResNetConfig
from fercli.errors import UsageError
from fercli.records import Fold, Notify, Outcome, Predictions, Samples, Table
from fercli.resnet import devices, distributed
from fercli.resnet.batches import Pictures
from fercli.resnet.distributed import World
from fercli.resnet.event_files import EventFiles
from fercli.resnet.pretrained import read_weights
from fercli.resnet.progress import EpochRecord
from fercli.resnet.starting import seconds_per_picture, start, use_threads
from fercli.resnet.variants import Described, describe
from fercli.resnet.views import SETS
from fercli.workflow.ledger import note_test_scoring
from fercli.workflow.net_following import BEGIN, END, follow, waits_for_rank_0
from fercli.workflow.net_training import Nets, TrainedNet
from fercli.workflow.net_views import view_scores, view_tables
from fercli.workflow.net_work import NetWork, prepared
from fercli.workflow.request import Request
from fercli.workflow.runs import HISTORY_COLUMNS, fold_folder, run_outcome, write_run
from fercli.workflow.silence import Silent

ALGORITHM = 1
LOSS = "cross entropy"
CHANNELS = {"gray": 1, "rgb": 3}
FOLLOWED = "followed"


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
    config: ResNetConfig,
    protocol: ProtocolConfig,
    request: Request,
    store: Store,
    notify: Notify,
    *,
    device: str,
    synchronised: bool = False,
    tensorboard: Path | None = None,
) -> Outcome:
    """Train on every fold, score what it holds out, fit the final model; a killed run goes on where it was saved.

    Where torchrun started several processes, rank 0 does all this and the others help it to train; their outcome has
    the status FOLLOWED. synchronised: batch norm over the micro-batches of all processes. tensorboard: a folder for
    event files beside `history.csv`.
    """
    own = distributed.local_device(device)
    with distributed.joined(own, synchronised=synchronised) as world:
        if not world.leads:
            return _follow(config, protocol, request, store, world, own)
        try:
            return _lead(config, protocol, request, store, notify, world, own, device, tensorboard)
        finally:
            # After a failure the others notice the closed connection.
            if sys.exception() is None:
                world.tell(END)


def _follow(
    config: ResNetConfig, protocol: ProtocolConfig, request: Request, store: Store, world: World, device: str
) -> Outcome:
    if waits_for_rank_0(world):
        # Rank 0 has made the folds: here they are only read.
        work = prepared(config, protocol, replace(request, dry_run=True), store, Silent(), world, device, device)
        use_threads(request.threads)
        weights = None if config.weights == "none" else read_weights(config.weights, config.variant)
        tasks = [*work.tasks, *([work.final] if work.final else [])]
        follow(world, Pictures(work.images, work.device), tasks, work.config, work.architecture, weights, work.teachers)
    return Outcome(status=FOLLOWED)


def _lead(
    config: ResNetConfig,
    protocol: ProtocolConfig,
    request: Request,
    store: Store,
    notify: Notify,
    world: World,
    own: str,
    device: str,
    tensorboard: Path | None,
) -> Outcome:
    event_files = None if tensorboard is None else EventFiles(tensorboard)
    use_threads(request.threads)
    work = prepared(config, protocol, request, store, notify, world, own, device)
    config, planned, architecture = work.config, work.planned, work.architecture
    name = request.name or config.variant
    if request.dry_run:
        return _would(name, work)
    stored = _stored(config, architecture, protocol, work.device.type)
    begun = store.begin(
        "run",
        name,
        algorithm=ALGORITHM,
        config={**stored, "synchronised": world.size} if world.synchronised else stored,
        parents=planned.parents,
        seed=protocol.seed,
        command=request.command,
        execution=request.execution(
            device=str(work.device), device_name=_device_name(str(work.device)), processes=world.size
        ),
        force=request.force,
    )
    if isinstance(begun, Artifact):
        notify.say(f"{begun.label} is up to date")
        return _answer(begun, "up-to-date")
    with begun as draft:
        world.tell(BEGIN)
        nets = Nets(
            draft=draft,
            disk=store.disk,
            pictures=Pictures(work.images, work.device),
            config=config,
            architecture=architecture,
            classes=work.samples.classes,
            weights=None if config.weights == "none" else read_weights(config.weights, config.variant),
            notify=notify,
            world=world,
            event_files=event_files,
            teachers=work.teachers,
        )
        content = _train(nets, work, notify)
        note_test_scoring(store, planned.plan, work.samples, name)
        facts = describe(architecture)
        path = draft.commit({**content, "parameters": facts.parameters, "multiply_adds": facts.multiply_adds})
        status = "resumed" if draft.resumed else "done"
    return _answer(store.read(path, "run"), status)


def _train(nets: Nets, work: NetWork, notify: Notify) -> dict[str, Any]:
    """All folds, then the final model; the content of the artifact."""
    planned, samples, tasks, final = work.planned, work.samples, work.tasks, work.final
    folds, config, draft = planned.plan.folds, nets.config, nets.draft
    official = planned.plan.protocol.scheme == "official"
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
    halved = {folder: net.micro_batch for folder, net in zip(folders, trained, strict=True) if net.micro_batch}
    if final is not None:
        epochs = round(median(net.chosen_epoch for net in trained)) if config.needs_monitor else config.epochs
        notify.say(f"the final model: all {len(final.fit):,} rows of the folds, {epochs} epochs")
        with notify.progress("final model", epochs * len(final.fit), "images") as bar:
            last = nets.train(final, "model", "final model", bar, epochs=epochs)
        draft.write_bytes("model/history.csv", records_bytes(_history(last, None), HISTORY_COLUMNS))
        seconds["final model"] = last.seconds
        halved |= {"model": last.micro_batch} if last.micro_batch else {}
    elif official:
        for file in ("weights.safetensors", "model.json"):
            draft.write_bytes(f"model/{file}", (draft.folder / folders[0] / file).read_bytes())
    more = {"architecture": nets.architecture.stored(), "has_model": final is not None or official}
    if work.weights_of is not None:
        more["weights_of"] = work.weights_of
    if work.doubts:
        more["starts_of_teachers"] = list(work.doubts)
    if halved:
        # Memory ran out there: smaller micro-batches made the same steps, but for batch norm.
        more["micro_batches"] = halved
    by_views = {kind: _predictions(samples, folds, trained, place) for place, kind in enumerate(SETS[config.views])}
    return write_run(
        draft,
        kind="resnet",
        data=work.dataset,
        samples=samples,
        planned=planned,
        predictions=by_views[config.views],
        train_accuracy=[net.train_accuracy for net in trained],
        train_loss=[net.train_loss for net in trained],
        test_loss=[net.test_loss for net in trained],
        loss_name=LOSS,
        history=[record for fold, net in zip(folds, trained, strict=True) for record in _history(net, fold)],
        seconds=seconds,
        metrics_more={
            "epochs": [net.chosen_epoch for net in trained],
            **view_scores(by_views, planned.plan, samples),
        },
        content_more=more,
    )


def _answer(artifact: Artifact, status: str) -> Outcome:
    """The run's scores, by each set of views where there are several, and the gap between training and held-out rows:
    it is what both papers call over-fitting."""
    metrics = artifact.json("metrics.json")
    outcome = run_outcome(artifact, status, tables=view_tables(metrics))
    # Training rows are scored by one view, so that is what they are compared with.
    held_out = metrics["views"]["none"]["accuracy"] if "views" in metrics else metrics["accuracy"]
    gap = metrics["train"]["accuracy"]["mean"] - held_out
    line = f"training rows minus held-out rows: {100 * gap:+.1f} points of accuracy (over-fitting where it is large)"
    return replace(outcome, payload={**outcome.payload, "gap": gap}, lines=(line, *outcome.lines))


def _predictions(samples: Samples, folds: tuple[Fold, ...], trained: list[TrainedNet], place: int) -> Predictions:
    """By the set of views at this place among those that the run was scored by."""
    rows = np.concatenate([fold.test for fold in folds])
    scored = np.concatenate([net.probabilities[place] for net in trained]).astype(np.float64)
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


def _would(name: str, work: NetWork) -> Outcome:
    """What a run would make, and how long it would take by a few steps of it."""
    fits = [*work.tasks, *([work.final] if work.final else [])]
    total = work.config.epochs * sum(len(task.fit) for task in fits)
    pictures = Pictures(work.images, work.device)
    teacher = work.teachers.of(fits[0]) if work.teachers else None
    seconds = total * seconds_per_picture(start(pictures, fits[0], work.config, work.architecture, teacher=teacher))
    folds = len(work.planned.plan.folds)
    return Outcome(
        payload={"would_make": f"run/{name}", "folds": folds, "images": total, "seconds": seconds},
        lines=(
            f"would train {work.config.variant} on {folds} fold{'s' if folds > 1 else ''} into run/{name}: "
            f"{total:,} images forward and backward, about {seconds / 60:,.1f} minutes on {pictures.device}",
        ),
    )


def _device_name(name: str) -> str:
    return next((found.model for found in devices.available() if found.name == name), name)
