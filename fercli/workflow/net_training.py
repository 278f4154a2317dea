"""One network trained to its end in a draft: checkpoints on the way, what is finished is never done twice."""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.artifacts.arrays import read_array
from fercli.artifacts.disk import Disk
from fercli.artifacts.draft import Draft
from fercli.config.resnet import Architecture, ResNetConfig
from fercli.records import Notify, Progress
from fercli.resnet import checkpoints
from fercli.resnet.batches import Normaliser, Pictures
from fercli.resnet.distributed import World
from fercli.resnet.event_files import EventFiles
from fercli.resnet.memory import most_used
from fercli.resnet.progress import EpochRecord, Halved, Task
from fercli.resnet.scoring import cross_entropy, loss_and_accuracy, set_probabilities
from fercli.resnet.starting import fitted, start
from fercli.resnet.training import Training
from fercli.resnet.views import SETS, views_of
from fercli.workflow.interrupts import HeldSignals
from fercli.workflow.net_teachers import Teachers

# A killed run repeats at most this many seconds, or twenty times what saving takes where that is longer.
SAVE_SECONDS = 20.0
SAVING_SHARE = 20.0


@dataclass(frozen=True)
class TrainedNet:
    """What is left of a training once its weights are stored.

    probabilities: (S, n, C) float32 of the task's held-out rows by each set of views up to the config's own, which is
    the last. train_loss, train_accuracy: of the kept weights over the rows they were fitted on, in evaluation mode, by
    one view. test_loss: over the held-out rows, by the config's views. seconds: of training alone.
    micro_batch: pictures that fitted into memory at a time, 0 where it never ran out.
    """

    history: tuple[EpochRecord, ...]
    chosen_epoch: int
    train_loss: float
    train_accuracy: float
    test_loss: float | None
    seconds: float
    probabilities: NDArray[np.float32]
    micro_batch: int = 0


@dataclass(frozen=True)
class Nets:
    """What all networks of a run share."""

    draft: Draft
    disk: Disk
    pictures: Pictures
    config: ResNetConfig
    architecture: Architecture
    classes: tuple[str, ...]
    weights: Mapping[str, Any] | None
    notify: Notify
    world: World = field(default_factory=World)
    event_files: EventFiles | None = None
    teachers: Teachers | None = None

    def train(self, task: Task, folder: str, label: str, bar: Progress, *, epochs: int | None = None) -> TrainedNet:
        """Train, store `weights.safetensors` and `model.json` in `folder`, and give the rest.

        epochs: a fixed number, with nothing to choose (the final model). A checkpoint that an interrupted process
        left is taken up; a network that it finished is read back.
        """
        done, result = self.draft.scratch(f"{folder}/done.json"), self.draft.scratch(f"{folder}/probabilities.npy")
        if done.exists():
            return _finished(done, result)
        checkpoint = done.with_name(checkpoints.NAME)
        resumes = checkpoint.exists()
        order = {"path": task.path, "epochs": epochs, "folder": str(checkpoint.parent.absolute()), "resumes": resumes}
        self.world.tell(json.dumps(order))
        chosen = for_epochs(self.config, epochs)
        teacher = self.teachers.of(task) if self.teachers else None
        training = start(
            self.pictures,
            task,
            chosen,
            self.architecture,
            self.weights,
            world=self.world,
            teacher=teacher,
        )
        checkpoints.resume(training, checkpoint.parent)
        self._run(training, checkpoint, label, bar, folder)
        trained, net = self._measured(training), fitted(training, self.architecture, self.classes)
        self.draft.write_bytes(f"{folder}/weights.safetensors", net.weights())
        self.draft.write_json(f"{folder}/model.json", net.record())
        with result.open("wb") as file:
            np.save(file, trained.probabilities, allow_pickle=False)
        facts = {**asdict(trained), "probabilities": None}
        self.disk.replace_file(done, json.dumps(facts).encode())
        checkpoint.unlink(missing_ok=True)
        return trained

    def rows_done(self, task: Task, folder: str) -> int:
        """Pictures that an interrupted process has already trained on, which progress need not count again."""
        done = self.draft.scratch(f"{folder}/done.json")
        epochs = self.config.epochs if done.exists() else checkpoints.epochs_done(done.parent)
        return epochs * len(task.fit)

    def _run(self, training: Training, checkpoint: Path, label: str, bar: Progress, folder: str) -> None:
        rows, epochs = len(training.task.fit), training.config.epochs
        saved, pause, note = time.monotonic(), SAVE_SECONDS, label
        with HeldSignals() as held:
            for event in training.steps():
                if isinstance(event, Halved):
                    self.notify.warn(_halved(event, label, training.config))
                elif isinstance(event, EpochRecord):
                    note = f"{label}, {_line(event, epochs, most_used(training.device))}"
                    bar.advance(0, note)
                    if self.event_files is not None:
                        self.event_files.add(f"{self.draft.name}/{folder}", event)
                else:
                    bar.advance(event.pictures, note)
                begun = time.monotonic()
                if held.pending is not None or begun - saved > pause:
                    self.disk.replace_file(checkpoint, checkpoints.dump(training))
                    saved = time.monotonic()
                    pause = max(SAVE_SECONDS, SAVING_SHARE * (saved - begun))
                if held.pending is not None:
                    held.deliver()
        if training.progress.stopped:
            bar.advance((epochs - training.progress.epoch) * rows, f"{note}, stopped early")

    def _measured(self, training: Training) -> TrainedNet:
        task, progress = training.task, training.progress
        network = training.scored_network
        network.load_state_dict(training.chosen_state)
        normaliser = Normaliser(training.normalisation, training.device)
        train_loss, train_accuracy = loss_and_accuracy(
            network, self.pictures, normaliser, task.fit, task.targets, training.view
        )
        sets = SETS[self.config.views]
        scored = np.zeros((len(sets), 0, len(self.classes)), dtype=np.float32)
        test_loss = None
        if len(task.held_out):
            views = [views_of(kind, self.pictures.size, self.config.crop) for kind in sets]
            scored = set_probabilities(network, self.pictures, normaliser, task.held_out, views)
            if len(sets) > 1:
                test_loss = cross_entropy(scored[-1], task.targets[task.held_out])
            else:
                # The number that stands in the curve.
                kept = progress.history[training.chosen_epoch - 1].held_out_loss
                test_loss = kept if np.isfinite(kept) else None
        return TrainedNet(
            history=tuple(progress.history),
            chosen_epoch=training.chosen_epoch,
            train_loss=train_loss,
            train_accuracy=train_accuracy,
            test_loss=test_loss,
            seconds=sum(record.seconds for record in progress.history),
            probabilities=scored,
            micro_batch=progress.micro_batch,
        )


def for_epochs(config: ResNetConfig, epochs: int | None) -> ResNetConfig:
    """The config for a fixed number of epochs with nothing to choose; as it is for None."""
    if epochs is None:
        return config
    return config.model_copy(update={"epochs": epochs, "patience": 0, "keep": "last"})


def _halved(event: Halved, label: str, config: ResNetConfig) -> str:
    steps = -(-config.batch_size // event.micro_batch) * config.accumulate
    return (
        f"{label}, epoch {event.epoch}: memory ran out, so that from here {event.micro_batch} pictures at a time make"
        f" the same steps (--batch-size {event.micro_batch} --accumulate {steps}); batch norm sees smaller batches"
    )


def _finished(done: Path, result: Path) -> TrainedNet:
    """A network that an interrupted process finished; the draft's key says that it belongs to this run."""
    facts = json.loads(done.read_text())
    history = tuple(EpochRecord(**record) for record in facts.pop("history"))
    return replace(TrainedNet(**facts, history=history), probabilities=read_array(result, mmap=False))


def _line(record: EpochRecord, epochs: int, memory: int) -> str:
    parts = [f"epoch {record.epoch}/{epochs}: loss {record.train_loss:.3f}, accuracy {record.train_accuracy:.3f}"]
    if np.isfinite(record.held_out_accuracy):
        parts.append(f"held out {record.held_out_accuracy:.3f}")
    if memory:
        parts.append(f"at most {memory / 2**30:.1f} GiB")
    return ", ".join(parts)
