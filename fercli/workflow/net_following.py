"""A process that torchrun started beside rank 0: it makes the same steps, and neither decides, writes nor speaks."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fercli.config.resnet import Architecture, ResNetConfig
from fercli.errors import EnvironmentFailure
from fercli.resnet import checkpoints
from fercli.resnet.batches import Pictures
from fercli.resnet.distributed import World
from fercli.resnet.progress import Task
from fercli.resnet.starting import start
from fercli.workflow.interrupts import HeldSignals
from fercli.workflow.net_teachers import Teachers
from fercli.workflow.net_training import for_epochs

# What rank 0 tells before the first network, and after the last.
BEGIN, END = "begin", "end"


def waits_for_rank_0(world: World) -> bool:
    """Whether there is anything to train: False where rank 0 has nothing to do, or has failed and said why."""
    try:
        return world.tell() == BEGIN
    except RuntimeError:
        # How a connection that the other side has closed shows itself.
        return False


def follow(
    world: World,
    pictures: Pictures,
    tasks: Sequence[Task],
    config: ResNetConfig,
    architecture: Architecture,
    weights: Mapping[str, Any] | None,
    teachers: Teachers | None = None,
) -> None:
    """Train every network that rank 0 names, from the checkpoint that it names, until it says that it is done.

    Raises EnvironmentFailure where this process does not see rank 0's checkpoint.
    """
    by_path = {task.path: task for task in tasks}
    with HeldSignals() as held:
        while held.pending is None and (told := world.tell()) != END:
            order = json.loads(told)
            chosen = for_epochs(config, order["epochs"])
            task = by_path[tuple(order["path"])]
            teacher = teachers.of(task) if teachers else None
            training = start(pictures, task, chosen, architecture, weights, world=world, teacher=teacher)
            if checkpoints.resume(training, Path(order["folder"])) != order["resumes"]:
                raise EnvironmentFailure(
                    "the processes do not see the same workspace",
                    where=order["folder"],
                    next_step="put the workspace on a disk that all of them share",
                )
            for _ in training.steps():
                pass
