"""From a config to a training that stands at its beginning."""

import statistics
import time
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from fercli.config.resnet import Architecture, ResNetConfig
from fercli.resnet.batches import Pictures
from fercli.resnet.devices import wait_for
from fercli.resnet.distributed import World
from fercli.resnet.fitted import FittedNet
from fercli.resnet.pretrained import load_weights
from fercli.resnet.progress import StepRecord, Task
from fercli.resnet.training import Training
from fercli.resnet.variants import build


def start(
    pictures: Pictures,
    task: Task,
    config: ResNetConfig,
    architecture: Architecture,
    weights: Mapping[str, Tensor] | None = None,
    *,
    world: World | None = None,
    teacher: FittedNet | None = None,
) -> Training:
    """A network with initial weights from (seed, path), or from `weights` where they fit, ready to be trained.

    world: the processes that train it together. teacher: see `Training`. Raises InputError for weights, pictures or
    rows that do not fit, UsageError where nothing can be chosen on.
    """
    network = build(architecture, task.seed, *task.path)
    if weights is not None:
        load_weights(network, weights, where=f"--weights {config.weights}")
    if world is not None and world.synchronised:
        network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
    return Training(network, pictures, task, config, world=world, teacher=teacher)


def fitted(training: Training, architecture: Architecture, classes: tuple[str, ...]) -> FittedNet:
    """The network as it is kept: the chosen epoch's weights with the fold's own normalisation."""
    views = training.config.views
    return FittedNet(architecture, classes, training.normalisation, training.chosen_state, views)


def use_threads(count: int) -> None:
    """Let arithmetic on the CPU use `count` threads; results are the same bytes only for the same count."""
    torch.set_num_threads(count)


def seconds_per_picture(training: Training, steps: int = 4) -> float:
    """Seconds that one picture costs in an optimizer step, by the median of a few; the training is used up by it.

    A GPU is waited for after each step: the host is done with one long before.
    """
    spent: list[float] = []
    begun = time.perf_counter()
    for event in training.steps():
        wait_for(training.device)
        if isinstance(event, StepRecord):
            spent.append((time.perf_counter() - begun) / event.pictures)
        if len(spent) == steps:
            break
        begun = time.perf_counter()
    return statistics.median(spent)
