"""Training of one network on one fold: a generator of epoch records that can be stopped and taken up again."""

import math
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fercli import seeds
from fercli.config.resnet import ResNetConfig
from fercli.errors import EnvironmentFailure, InputError, UsageError
from fercli.resnet import augmentation
from fercli.resnet.averaging import WeightAverage
from fercli.resnet.batches import Normalisation, Normaliser, Pictures, fit_normalisation
from fercli.resnet.compiling import compiled
from fercli.resnet.determinism import deterministic, has_dropout, seeded
from fercli.resnet.distillation import Teacher
from fercli.resnet.distributed import World
from fercli.resnet.fitted import FittedNet
from fercli.resnet.losses import Criterion
from fercli.resnet.memory import ran_out, release
from fercli.resnet.microbatches import LEAST, divided, step_slices
from fercli.resnet.mixing import draw_mixture
from fercli.resnet.optimizers import make_optimizer
from fercli.resnet.progress import EpochRecord, Halved, Progress, StepRecord, Task
from fercli.resnet.schedules import rate
from fercli.resnet.scoring import loss_and_accuracy
from fercli.resnet.statistics import RunningStatistics
from fercli.resnet.views import views_of


class Training:
    """One network, its optimizer and its progress on one task.

    `steps()` and `epochs()` train from where `progress` stands; at each of their records the object may be saved
    (`checkpoints.save`) and the generator closed. Everything random in an epoch is a function of (seed, path, epoch,
    step), so what follows is the same whether or not it was interrupted: the same bytes on a CPU with the same number
    of threads; on a GPU to the rounding of its atomic sums.

    Where memory runs out, a step is made again from smaller micro-batches: the same pictures and the same gradient but
    for batch norm, mixup and cutmix, which then see fewer of them at a time.
    """

    def __init__(
        self,
        network: nn.Module,
        pictures: Pictures,
        task: Task,
        config: ResNetConfig,
        normalisation: Normalisation | None = None,
        world: World | None = None,
        teacher: FittedNet | None = None,
    ) -> None:
        """network: moved to the pictures' device. world: the processes that train it together. teacher: a network that
        has seen no row which this one must not see, where the config distils from one.

        Raises InputError for unlabelled or too few rows, UsageError where the config chooses on monitored rows and
        there are none.
        """
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
        self._criterion = Criterion(config, task.targets[task.fit], self.device)
        self._teacher = None if teacher is None else Teacher(teacher, self.normalisation, self.device)
        self._totals = torch.zeros(2, device=self.device)
        self._dropout = has_dropout(self.network)
        self._world = world or World()
        (self.view,) = views_of("none", pictures.size, config.crop)
        steps = len(self._steps())
        self.average = WeightAverage(self.network, config.ema * steps) if config.ema else None
        self._trained = self._world.wrapped(self.network, self.device)
        self._compiled = compiled(self._trained) if config.compile else None
        self._statistics = RunningStatistics(self.network)

    @property
    def scored_network(self) -> nn.Module:
        """What is monitored, kept and scored: the average of the weights where one is kept, else the network."""
        return self.network if self.average is None else self.average.network

    @property
    def chosen_epoch(self) -> int:
        """The epoch whose weights `chosen_state` holds."""
        return self.progress.best_epoch if self.config.keep == "best" else self.progress.epoch

    @property
    def chosen_state(self) -> dict[str, Tensor]:
        """Weights and batch-norm statistics to keep: of the last epoch, or of the best on the monitored rows."""
        if self.config.keep == "best" and self.progress.best_state is not None:
            return self.progress.best_state
        return copied(self.scored_network.state_dict())

    def epochs(self) -> Iterator[EpochRecord]:
        """Train on, one record per epoch, until the last epoch or early stopping."""
        return (event for event in self.steps() if isinstance(event, EpochRecord))

    def steps(self) -> Iterator[StepRecord | EpochRecord | Halved]:
        """The same, with a record after each optimizer step, and one each time that memory ran out."""
        while self.progress.epoch < self.config.epochs and not self.progress.stopped:
            yield from self._epoch(self.progress.epoch + 1)

    def _epoch(self, epoch: int) -> Iterator[StepRecord | EpochRecord | Halved]:
        fit, progress, work = self.task.fit, self.progress, self.task
        order = fit[seeds.generator(work.seed, "resnet.order", *work.path, epoch).permutation(len(fit))]
        draws = augmentation.draw(self.config, len(fit), self.pictures.size, work.seed, *work.path, epoch)
        draws, placed = draws.to(self.device), torch.from_numpy(order).to(self.device)
        rows = placed if self.pictures.resident else order
        totals = self._totals
        steps = self._steps()
        lr = self.config.lr
        for step, pieces in enumerate(steps):
            lr = rate(self.config, progress.plateau.factor, epoch, step, len(steps))
            if step < progress.step:
                continue
            begun = time.perf_counter()
            while (seen := self._attempt(rows, placed, draws, pieces, lr, (epoch, step))) is None:
                yield Halved(epoch, progress.micro_batch)
            if self.average is not None:
                self.average.update((epoch - 1) * len(steps) + step + 1)
            totals = totals + self._world.summed(seen)
            progress.step, self._totals = step + 1, totals
            progress.spent += time.perf_counter() - begun
            yield StepRecord(epoch, step + 1, len(steps), pieces[-1].stop - pieces[0].start)
        begun = time.perf_counter()
        loss, correct = (totals.cpu().double() / len(fit)).tolist()
        seconds = progress.spent + time.perf_counter() - begun
        if not math.isfinite(loss):
            raise self._diverged(epoch)
        measured = (*self._measure(work.monitor), *self._measure(work.held_out))
        monitor_loss, monitor_accuracy, held_out_loss, held_out_accuracy = self._world.numbers(measured)
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

    def _steps(self) -> list[list[slice]]:
        least = LEAST * self._world.size if self._world.synchronised else LEAST
        return step_slices(len(self.task.fit), self.config.batch_size, self.config.accumulate, least)

    def restore_totals(self, totals: tuple[float, ...]) -> None:
        """Take up running totals that were saved."""
        self.progress.totals = totals
        self._totals = torch.tensor(totals, device=self.device)

    def settle(self) -> Progress:
        """The progress with the running totals fetched from the device, ready to be saved."""
        self.progress.totals = tuple(self._totals.tolist())
        return self.progress

    def _attempt(self, *step: Any) -> Tensor | None:
        """`_step`; None where memory ran out and the next attempt takes smaller micro-batches."""
        self._statistics.remember()
        try:
            return self._step(*step)
        except RuntimeError as error:
            if not ran_out(error):
                raise
            fits = (self.progress.micro_batch or self.config.batch_size) // 2
            # Another process may already have averaged a part of this step's gradients.
            if fits < LEAST or self._world.size > 1:
                raise self._out_of_memory() from error
        self.progress.micro_batch = fits
        self._statistics.put_back()
        self.optimizer.zero_grad(set_to_none=True)
        release(self.device)
        return None

    def _step(
        self,
        order: NDArray[np.int64] | Tensor,
        placed: Tensor,
        draws: augmentation.Draws,
        slices: list[slice],
        lr: float,
        place: tuple[int, int],
    ) -> Tensor:
        """One optimizer step over its micro-batches; returns this rank's (sum of losses, number correct), left on the
        device.

        order, placed: the epoch's rows where the pictures lie, and on the device.
        """
        self.network.train()
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.optimizer.zero_grad(set_to_none=True)
        seen, world = torch.zeros(2, device=self.device), self._world
        rows = slices[-1].stop - slices[0].start
        first, mine = world.share_of(slices, self.config.accumulate)
        if self.progress.micro_batch:
            mine = divided(mine, self.progress.micro_batch)
        # Averaging waits for every rank, so one without rows of its own gives zeros; their statistics do not count.
        weight = world.size / rows if mine else 0.0
        with deterministic(self.device):
            for part, piece in enumerate(mine or slices[:1], first):
                raw, drawn = self.pictures.raw(order[piece]), draws.part(piece.start, piece.stop)
                inputs = self._normalise(raw, drawn, self.config.crop)
                truth = self._targets[placed[piece]]
                name = ("resnet.dropout", *self.task.path, *place, part)
                more = part + 1 < first + len(mine)
                with (
                    seeded(self.device, seeds.integer(self.task.seed, *name), self._dropout),
                    world.kept_apart(self._trained, more),
                ):
                    size = (inputs.shape[2], inputs.shape[3])
                    mixture = draw_mixture(self.config, size, self.task.seed, *self.task.path, *place, part)
                    if mixture is not None:
                        inputs = mixture.of(inputs)
                    with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.precision == "bf16"):
                        logits = self._pass_for(len(inputs))(inputs)
                        taught = None if self._teacher is None else self._teacher(inputs).float()
                    loss = self._criterion(logits.float(), truth, mixture, taught)
                    (loss * weight).backward()
                if mine:
                    if mixture is not None and mixture.share < 0.5:
                        truth = truth.flip(0)
                    correct = (logits.detach().argmax(dim=1) == truth).sum(dtype=torch.float32)
                    seen += torch.stack([loss.detach(), correct])
            self.optimizer.step()
        if world.size > 1 and not world.synchronised:
            self._statistics.bring_together(world, world.shares(slices, self.config.accumulate))
        return seen

    def _pass_for(self, pictures: int) -> nn.Module:
        """The compiled pass, where one is wanted, for whole micro-batches alone.

        What is left of an epoch has another size in every fold, and torch gives up compiling after a few: the same
        training would then be rounded otherwise, depending on what its process had trained before.
        """
        if self._compiled is None or pictures != (self.progress.micro_batch or self.config.batch_size):
            return self._trained
        return self._compiled

    def _diverged(self, epoch: int) -> UsageError:
        return UsageError(
            f"training diverged: the loss of epoch {epoch} is no finite number",
            where=f"--lr {self.config.lr:g} --optimizer {self.config.optimizer}, fold {self.task.path}",
            next_step=f"take a lower rate, --lr {self.config.lr / 10:g}",
        )

    def _out_of_memory(self) -> EnvironmentFailure:
        fits, size = self.progress.micro_batch or self.config.batch_size, self._world.size
        height, width = self.pictures.size
        if size > 1:
            batch, accumulate = fits // size if self._world.synchronised else fits, self.config.accumulate // size
            remedy = f"--batch-size {max(LEAST, batch // 2)} --accumulate {max(1, accumulate) * 2} makes the same steps"
        else:
            remedy = "take a smaller --variant, --stem imagenet, or pictures of a smaller --size"
        return EnvironmentFailure(
            f"the memory of {self.device} is not enough for {fits} pictures at a time",
            where=f"--variant {self.config.variant}, {height}x{width} pixels",
            next_step=remedy,
        )

    def _measure(self, rows: NDArray[np.int64]) -> tuple[float, float]:
        if not self._world.leads:
            return math.nan, math.nan
        network, targets = self.scored_network, self.task.targets
        return loss_and_accuracy(network, self.pictures, self._normalise, rows, targets, self.view)

    def _remember(self, record: EpochRecord) -> None:
        progress, config = self.progress, self.config
        progress.epoch, progress.step, progress.spent = record.epoch, 0, 0.0
        self.restore_totals((0.0, 0.0))
        progress.history.append(record)
        watched = record.monitor_loss if len(self.task.monitor) else record.train_loss
        if watched < progress.best_loss:
            progress.best_loss, progress.best_epoch = watched, record.epoch
            if config.keep == "best":
                progress.best_state = copied(self.scored_network.state_dict())
        if config.schedule == "plateau":
            progress.plateau = progress.plateau.after(watched, config)
        if config.patience and record.epoch - progress.best_epoch >= config.patience:
            progress.stopped = True


def copied(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """A copy on the CPU, contiguous, as it is saved."""
    return {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in state.items()}


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
