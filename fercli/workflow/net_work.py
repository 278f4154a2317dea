"""What a run of `train-resnet` works on: data, folds, network and device, the same in each of its processes."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fercli.artifacts.store import Artifact, Store
from fercli.config.protocol import ProtocolConfig
from fercli.config.resnet import Architecture, ResNetConfig
from fercli.errors import UsageError
from fercli.records import Notify, Samples
from fercli.resnet import devices
from fercli.resnet.compiling import check_compiler
from fercli.resnet.distributed import World
from fercli.resnet.progress import Task
from fercli.resnet.variants import describe
from fercli.workflow.inputs import input_artifact
from fercli.workflow.net_start import NO_FILE, started_from, starts_of
from fercli.workflow.net_teachers import Teachers, teachers_of
from fercli.workflow.net_views import check_views
from fercli.workflow.plans import Planned, plan_for
from fercli.workflow.request import Request

_CHOOSING = "--patience and --keep best"


@dataclass(frozen=True)
class NetWork:
    """What every process of a run makes out of the options in the same way.

    weights_of: the run whose weights `--weights` gives, where it is known and saw no held-out row. doubts: what the
    teacher's tables say of its own start.
    """

    dataset: Artifact
    samples: Samples
    images: Any
    config: ResNetConfig
    protocol: ProtocolConfig
    planned: Planned
    architecture: Architecture
    device: Any
    teachers: Teachers | None = None
    weights_of: str | None = None
    doubts: tuple[str, ...] = ()

    @property
    def final(self) -> Task | None:
        """The task of one more model, fitted on all rows; the official split's own model is the one for use."""
        if not self.protocol.final_model or self.planned.plan.protocol.scheme == "official":
            return None
        none = np.empty(0, dtype=np.int64)
        return Task(self.samples.targets, self.planned.plan.rows, none, none, self.protocol.seed, ("final",))

    @property
    def tasks(self) -> list[Task]:
        """One task for each fold."""
        return [
            Task(self.samples.targets, fold.fit, fold.inner, fold.test, self.protocol.seed, (fold.repeat, fold.fold))
            for fold in self.planned.plan.folds
        ]


def prepared(
    config: ResNetConfig,
    protocol: ProtocolConfig,
    request: Request,
    store: Store,
    notify: Notify,
    world: World,
    device: str,
    asked: str,
) -> NetWork:
    """Resolve device, architecture and protocol, check what can be checked before any work, and say it.

    device: of this process. asked: what the user gave. Raises UsageError, InputError and EnvironmentFailure.
    """
    dataset = input_artifact(store, "dataset", request)
    chosen = devices.resolve(device)
    config = config.model_copy(update={"precision": devices.precision_on(chosen, config.precision)})
    if world.synchronised and (world.size == 1 or chosen.type != "cuda"):
        raise UsageError(
            "batch norm is synchronised between processes on GPUs only",
            where=f"--sync-batch-norm, {world.size} process{'es' if world.size > 1 else ''} on {chosen.type}",
            next_step="leave it out, or start several processes with torchrun and --device cuda",
        )
    if config.compile:
        if world.size > 1:
            raise UsageError(
                "a compiled pass is for one process",
                where=f"--compile, {world.size} processes",
                next_step="leave --compile out, or start without torchrun",
            )
        check_compiler(chosen)
    if config.needs_monitor and protocol.monitor == "none":
        raise UsageError(
            f"{_CHOOSING} choose an epoch, but --monitor none keeps no rows to choose on",
            where="--monitor none",
            next_step="take --monitor inner, or --patience 0 --keep last",
        )
    samples, images = dataset.samples(), dataset.array("images.npy")
    size, channels = (int(images.shape[1]), int(images.shape[2])), 3 if images.ndim == 4 else 1
    architecture = config.architecture(size, channels, len(samples.classes))
    check_views(config.views, architecture)
    facts = describe(architecture)
    where = (
        f"device {chosen}"
        + (" (auto)" if asked == "auto" else "")
        + (f", {world.size} processes" if world.size > 1 else "")
    )
    notify.say(
        f"{where}; {config.variant}: {facts.parameters:,} parameters, {facts.multiply_adds / 1e6:,.1f} M multiply-adds"
        f" a picture; recipe {config.recipe}, epochs {config.epochs}, batches of {config.batch_size},"
        f" {config.precision}{', compiled' if config.compile else ''}"
    )
    planned = plan_for(store, dataset, samples, protocol, request, notify)
    if not config.chooses and protocol.monitor == "inner":
        planned = _fitted_on_all(planned)
        notify.say("  nothing is chosen in training, so no rows are kept to choose on: all training rows are fitted on")
    weights_of = None
    if config.weights not in NO_FILE:
        planned, weights_of = started_from(config.weights, planned, store, dataset, samples, notify)
    work = NetWork(
        dataset, samples, images, world.alone(config), protocol, planned, architecture, chosen, weights_of=weights_of
    )
    if config.distil_from is None:
        return work
    if config.distil_from == (request.name or config.variant):
        raise UsageError(
            f"run/{config.distil_from} cannot learn from itself",
            where=f"--distil-from {config.distil_from}",
            next_step="give the new run a name of its own, --name",
        )
    return _taught(work, store, config.distil_from, notify)


def _taught(work: NetWork, store: Store, name: str, notify: Notify) -> NetWork:
    """The work with the run that is learned from: other networks there make another run here, and doubts about what
    it started from are doubts about this one."""
    folds, final = work.planned.plan.folds, work.final is not None
    teachers = teachers_of(store, name, work.dataset, folds, work.architecture, final=final)
    plan, doubts = work.planned.plan, starts_of(teachers.run)
    for doubt in doubts:
        notify.warn(f"leak: {doubt}")
    plan = replace(plan, protocol=replace(plan.protocol, leaks=(*plan.protocol.leaks, *doubts)))
    planned = replace(work.planned, plan=plan, parents=(*work.planned.parents, teachers.run.parent()))
    config = work.config.model_copy(update={"distil_from": teachers.run.name})
    return replace(work, planned=planned, config=config, teachers=teachers, doubts=doubts)


def _fitted_on_all(planned: Planned) -> Planned:
    none = np.empty(0, dtype=np.int64)
    folds = tuple(replace(fold, inner=none) for fold in planned.plan.folds)
    return replace(planned, plan=replace(planned.plan, folds=folds))
