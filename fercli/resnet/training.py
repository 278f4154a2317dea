"""Training of one network on one fold: a generator of epoch records that can be stopped and taken up again."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from fercli import seeds
from fercli.config.resnet import ResNetConfig
from fercli.errors import EnvironmentFailure, InputError, UsageError
from fercli.resnet import augmentation
from fercli.resnet.batches import Normalisation, Normaliser, Pictures, fit_normalisation
from fercli.resnet.determinism import deterministic, has_dropout, seeded
from fercli.resnet.optimizers import make_optimizer
from fercli.resnet.schedules import Plateau, rate
from fercli.resnet.scoring import loss_and_accuracy

# How a CPU and an Apple GPU say that memory ran out; CUDA has a class of its own for it.
_FULL = ("can't allocate memory", "out of memory")


@dataclass(frozen=True)
class Task:
    """What one network learns from: rows of a data set, each set of rows for one purpose only.

    targets: (N,) int64, -1 where unlabelled. fit: rows that weights and normalisation are fitted on. monitor: rows
    that early stopping and plateau read (may be empty). held_out: rows whose curve is drawn and that nothing reads.
    seed, path: where the randomness comes from, e.g. (repeat, fold).
    """

    targets: NDArray[np.int64]
    fit: NDArray[np.int64]
    monitor: NDArray[np.int64]
    held_out: NDArray[np.int64]
    seed: int = 0
    path: tuple[str | int, ...] = (0, 0)


@dataclass(frozen=True)
class EpochRecord:
    """One epoch, counted from 1. Losses are mean cross entropies; NaN where there are no rows.

    lr: of the last step. train_loss, train_accuracy: running means over the epoch, in training mode on augmented
    pictures, with label smoothing where that is on; the others in evaluation mode on the plain pictures.
    seconds: of the optimizer steps alone. pictures: seen in them.
    """

    epoch: int
    lr: float
    train_loss: float
    train_accuracy: float
    monitor_loss: float
    monitor_accuracy: float
    held_out_loss: float
    held_out_accuracy: float
    seconds: float
    pictures: int


@dataclass(frozen=True)
class StepRecord:
    """One optimizer step: `step` of `steps` (from 1) in `epoch` is done, with this many pictures."""

    epoch: int
    step: int
    steps: int
    pictures: int


@dataclass
class Progress:
    """What training remembers between steps, beside the weights and the optimizer's state.

    epoch: epochs done. step, totals, spent: steps done in the next one, their summed loss and correct answers, their
    seconds. best_state: weights of the epoch with the lowest monitored loss, kept only where the config asks for them.
    """

    epoch: int = 0
    step: int = 0
    totals: tuple[float, ...] = (0.0, 0.0)
    spent: float = 0.0
    plateau: Plateau = field(default_factory=Plateau)
    best_epoch: int = 0
    best_loss: float = math.inf
    stopped: bool = False
    history: list[EpochRecord] = field(default_factory=list)
    best_state: dict[str, Tensor] | None = None


class Training:
    """One network, its optimizer and its progress on one task.

    `steps()` and `epochs()` train from where `progress` stands; at each of their records the object may be saved
    (`checkpoints.save`) and the generator closed. Everything random in an epoch is a function of (seed, path, epoch,
    step), so what follows is the same whether or not it was interrupted: the same bytes on a CPU with the same number
    of threads; on a GPU to the rounding of its atomic sums.
    """

    def __init__(
        self,
        network: nn.Module,
        pictures: Pictures,
        task: Task,
        config: ResNetConfig,
        normalisation: Normalisation | None = None,
    ) -> None:
        """network: moved to the pictures' device. Raises InputError for unlabelled or too few rows, UsageError where
        the config chooses on monitored rows and there are none."""
        _check(task, config)
        self.device = pictures.device
        self.network = network.to(self.device).to(memory_format=torch.channels_last)
        self.pictures = pictures
        self.task = task
        self.config = config
        self.normalisation = normalisation or fit_normalisation(pictures.images, task.fit)
        self.optimizer = make_optimizer(self.network, config, self.device)
        self.progress = Progress()
        self._normalise = Normaliser(self.normalisation, self.device)
        self._targets = torch.from_numpy(task.targets).to(self.device)
        self._totals = torch.zeros(2, device=self.device)
        self._dropout = has_dropout(self.network)

    @property
    def chosen_epoch(self) -> int:
        """The epoch whose weights `chosen_state` holds."""
        return self.progress.best_epoch if self.config.keep == "best" else self.progress.epoch

    @property
    def chosen_state(self) -> dict[str, Tensor]:
        """Weights and batch-norm statistics to keep: of the last epoch, or of the best on the monitored rows."""
        if self.config.keep == "best" and self.progress.best_state is not None:
            return self.progress.best_state
        return copied(self.network.state_dict())

    def epochs(self) -> Iterator[EpochRecord]:
        """Train on, one record per epoch, until the last epoch or early stopping."""
        return (event for event in self.steps() if isinstance(event, EpochRecord))

    def steps(self) -> Iterator[StepRecord | EpochRecord]:
        """The same, with a record after each optimizer step before the record of the epoch."""
        while self.progress.epoch < self.config.epochs and not self.progress.stopped:
            yield from self._epoch(self.progress.epoch + 1)

    def _epoch(self, epoch: int) -> Iterator[StepRecord | EpochRecord]:
        fit, progress, work = self.task.fit, self.progress, self.task
        order = fit[seeds.generator(work.seed, "resnet.order", *work.path, epoch).permutation(len(fit))]
        draws = augmentation.draw(self.config, len(fit), self.pictures.size, work.seed, *work.path, epoch)
        draws, placed = draws.to(self.device), torch.from_numpy(order).to(self.device)
        rows = placed if self.pictures.resident else order
        totals = self._totals
        steps = step_slices(len(fit), self.config.batch_size, self.config.accumulate)
        lr = self.config.lr
        for step, pieces in enumerate(steps):
            lr = rate(self.config, progress.plateau.factor, epoch, step, len(steps))
            if step < progress.step:
                continue
            begun = time.perf_counter()
            try:
                totals = totals + self._step(rows, placed, draws, pieces, lr, (epoch, step))
            except RuntimeError as error:
                if not isinstance(error, torch.OutOfMemoryError) and not any(text in str(error) for text in _FULL):
                    raise
                raise self._out_of_memory() from error
            progress.step, self._totals = step + 1, totals
            progress.spent += time.perf_counter() - begun
            yield StepRecord(epoch, step + 1, len(steps), pieces[-1].stop - pieces[0].start)
        begun = time.perf_counter()
        loss, correct = (totals.cpu().double() / len(fit)).tolist()
        seconds = progress.spent + time.perf_counter() - begun
        if not math.isfinite(loss):
            raise self._diverged(epoch)
        monitor_loss, monitor_accuracy = self._measure(work.monitor)
        held_out_loss, held_out_accuracy = self._measure(work.held_out)
        record = EpochRecord(
            epoch=epoch,
            lr=lr,
            train_loss=loss,
            train_accuracy=correct,
            monitor_loss=monitor_loss,
            monitor_accuracy=monitor_accuracy,
            held_out_loss=held_out_loss,
            held_out_accuracy=held_out_accuracy,
            seconds=seconds,
            pictures=len(fit),
        )
        self._remember(record)
        yield record

    def restore_totals(self, totals: tuple[float, ...]) -> None:
        """Take up running totals that were saved."""
        self.progress.totals = totals
        self._totals = torch.tensor(totals, device=self.device)

    def settle(self) -> Progress:
        """The progress with the running totals fetched from the device, ready to be saved."""
        self.progress.totals = tuple(self._totals.tolist())
        return self.progress

    def _step(
        self,
        order: NDArray[np.int64] | Tensor,
        placed: Tensor,
        draws: augmentation.Draws,
        slices: list[slice],
        lr: float,
        place: tuple[int, int],
    ) -> Tensor:
        """One optimizer step over its micro-batches; returns (sum of losses, number correct), left on the device.

        order, placed: the epoch's rows where the pictures lie, and on the device.
        """
        self.network.train()
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.optimizer.zero_grad(set_to_none=True)
        seen = torch.zeros(2, device=self.device)
        rows = slices[-1].stop - slices[0].start
        with deterministic(self.device):
            for part, piece in enumerate(slices):
                inputs = self._normalise(self.pictures.raw(order[piece]), draws.part(piece.start, piece.stop))
                truth = self._targets[placed[piece]]
                name = ("resnet.dropout", *self.task.path, *place, part)
                with seeded(self.device, seeds.integer(self.task.seed, *name), self._dropout):
                    with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.precision == "bf16"):
                        logits = self.network(inputs)
                    loss = functional.cross_entropy(
                        logits.float(), truth, reduction="sum", label_smoothing=self.config.label_smoothing
                    )
                    (loss / rows).backward()
                seen += torch.stack([loss.detach(), (logits.detach().argmax(dim=1) == truth).sum(dtype=torch.float32)])
            self.optimizer.step()
        return seen

    def _diverged(self, epoch: int) -> UsageError:
        return UsageError(
            f"training diverged: the loss of epoch {epoch} is no finite number",
            where=f"--lr {self.config.lr:g} --optimizer {self.config.optimizer}, fold {self.task.path}",
            next_step=f"take a lower rate, --lr {self.config.lr / 10:g}",
        )

    def _out_of_memory(self) -> EnvironmentFailure:
        batch, accumulate = self.config.batch_size, self.config.accumulate
        return EnvironmentFailure(
            f"the memory of {self.device} is not enough for {batch} pictures at a time",
            where=f"--variant {self.config.variant}, {self.pictures.size[0]}x{self.pictures.size[1]} pixels",
            next_step=f"--batch-size {max(1, batch // 2)} --accumulate {accumulate * 2} makes the same steps"
            " (batch norm then sees smaller batches)",
        )

    def _measure(self, rows: NDArray[np.int64]) -> tuple[float, float]:
        return loss_and_accuracy(self.network, self.pictures, self._normalise, rows, self.task.targets)

    def _remember(self, record: EpochRecord) -> None:
        progress, config = self.progress, self.config
        progress.epoch, progress.step, progress.spent = record.epoch, 0, 0.0
        self.restore_totals((0.0, 0.0))
        progress.history.append(record)
        watched = record.monitor_loss if len(self.task.monitor) else record.train_loss
        if watched < progress.best_loss:
            progress.best_loss, progress.best_epoch = watched, record.epoch
            if config.keep == "best":
                progress.best_state = copied(self.network.state_dict())
        if config.schedule == "plateau":
            progress.plateau = progress.plateau.after(watched, config)
        if config.patience and record.epoch - progress.best_epoch >= config.patience:
            progress.stopped = True


def copied(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """A copy on the CPU, contiguous, as it is saved."""
    return {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in state.items()}


def step_slices(rows: int, batch: int, accumulate: int) -> list[list[slice]]:
    """The micro-batches of each optimizer step of an epoch; every row once.

    A last micro-batch of a single row joins the one before it: batch norm has no variance over one row.
    """
    starts = list(range(0, rows, batch))
    if rows % batch == 1 and len(starts) > 1 and batch > 1:
        starts.pop()
    pieces = [slice(start, stop) for start, stop in zip(starts, [*starts[1:], rows], strict=True)]
    return [pieces[i : i + accumulate] for i in range(0, len(pieces), accumulate)]


def _check(task: Task, config: ResNetConfig) -> None:
    if len(task.fit) < 2:
        raise InputError(
            f"a network cannot be trained on {len(task.fit)} rows",
            where=f"fold {task.path}",
            next_step="take fewer folds (--k), or more data",
        )
    for name, rows in (("training", task.fit), ("monitored", task.monitor)):
        if (missing := int((task.targets[rows] < 0).sum())) > 0:
            raise InputError(
                f"{missing} of {len(rows)} {name} rows have no label",
                where=f"fold {task.path}",
                next_step="leave unlabelled rows out of the folds",
            )
    if config.needs_monitor and not len(task.monitor):
        raise UsageError(
            "early stopping and --keep best choose an epoch, but no rows are kept to choose on",
            where="--monitor none",
            next_step="take --monitor inner, or --patience 0 --keep last",
        )
