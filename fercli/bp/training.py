"""Training of many networks at once, each as if it were alone."""

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import repeat
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from fercli.bp.chunk import Member, Rows, Rule
from fercli.bp.engines import CPU, AnyChunk, chunks_of
from fercli.bp.network import NetworkStack
from fercli.bp.stopping import EarlyStopping
from fercli.errors import InputError, UsageError

R = TypeVar("R")
T = TypeVar("T")


@dataclass(frozen=True)
class EpochRecord:
    """One epoch of all networks, every array (S,), NaN where a network has stopped or has no such rows.

    epoch: number from 0, going on over retraining. train_*: over the epoch's batches, each before its update.
    test_*: on held-out rows after the epoch, for the eye only. monitor_loss: on inner rows, what stopping reads.
    units: hidden units alive.
    """

    epoch: int
    units: NDArray[np.int64]
    trained: NDArray[np.bool_]
    train_loss: NDArray[np.float64]
    train_accuracy: NDArray[np.float64]
    test_loss: NDArray[np.float64]
    test_accuracy: NDArray[np.float64]
    monitor_loss: NDArray[np.float64]


@dataclass(frozen=True)
class Trained:
    """Networks after training. epochs: (S,) how many epochs the kept weights have seen in this training."""

    stack: NetworkStack
    epochs: NDArray[np.int64]


@dataclass(frozen=True)
class Training:
    """A training that is asked for.

    stack: networks to start from, which stay as they are. rows: one entry per network. patience: with inner rows, a
    network stops after so many epochs without a lower inner loss and keeps its weights from the lowest; None trains
    all epochs and keeps the last weights. first_epoch: the number of the first epoch.

    enough: from the epoch's training losses (S,), NaN for networks that stopped, which networks (S,) need no further
    epoch; they stop with the weights that they have, or with patience their best so far.
    """

    stack: NetworkStack
    rows: Sequence[Rows]
    rule: Rule
    epochs: int
    first_epoch: int = 0
    patience: int | None = None
    enough: Callable[[NDArray[np.float64]], NDArray[np.bool_]] | None = None

    def check(self) -> None:
        """Raise InputError for rows that cannot be learned from, UsageError for patience without inner rows."""
        check_rows(self.rows, self.stack.classes)
        if self.patience is not None and any(len(one.inner_y) == 0 for one in self.rows):
            raise UsageError(
                "early stopping needs inner rows, and a network has none",
                next_step="use --monitor inner, or train a fixed number of epochs",
            )


def check_rows(rows: Sequence[Rows], classes: int) -> None:
    """Refuse rows no network can learn from: none at all, values that are not finite, targets outside the classes."""
    for one in rows:
        where = f"repeat {one.key.repeat}, fold {one.key.fold}"
        if len(one.y) == 0:
            raise InputError("a network has no training rows", where=where, next_step="use fewer folds")
        for x, part in ((one.x, "training"), (one.inner_x, "inner")):
            if not np.isfinite(x).all():
                row, column = np.argwhere(~np.isfinite(x))[0]
                raise InputError(
                    f"{part} features hold a value that is not a finite number",
                    where=f"{where}, {part} row {row}, column {column}",
                    next_step="leave the row out or fill the value in before training",
                )
        if one.y.min() < 0 or one.y.max() >= classes:
            raise InputError(
                f"training targets must lie in 0..{classes - 1}",
                where=where,
                next_step="leave unlabelled rows out before training",
            )


def train_together(
    trainings: Sequence[Training], *, threads: int = 1, device: str = CPU
) -> Generator[list[EpochRecord | None], None, list[Trained]]:
    """Train the networks of all trainings as one stack; yields one record per training and epoch, None for one that
    is over, and returns their networks.

    Adam, momentum and weight decay (λ/2·Σw² without biases) start afresh. A network's result does not depend on
    the others nor on `threads`; its batch order is a function of (seed, repeat, fold, epoch). Networks of one shape
    and rule share matrix products, whichever training they belong to. device: `cpu` (NumPy), or a device of torch,
    where results are equal to rounding. Raises what `Training.check` raises.
    """
    for training in trainings:
        training.check()
    kept = [training.stack.take(np.arange(len(training.stack))) for training in trainings]
    counts = [len(stack) for stack in kept]
    parts = [slice(end - count, end) for end, count in zip(np.cumsum(counts).tolist(), counts, strict=True)]
    limits = np.repeat([training.epochs for training in trainings], counts)
    stopping = EarlyStopping(np.repeat([training.patience or 0 for training in trainings], counts))
    members = [
        Member(part.start + network, stack, network, rows, training.rule, training.first_epoch)
        for training, stack, part in zip(trainings, kept, parts, strict=True)
        for network, rows in enumerate(training.rows)
    ]
    chunks = chunks_of(members, threads, device)
    units = [stack.widths for stack in kept]
    running = np.ones(len(members), dtype=bool)
    seen = np.zeros(len(members), dtype=np.int64)
    with ExitStack() as resources:
        apply: Callable[..., Any] = map
        if threads > 1 and len(chunks) > 1 and device == CPU:
            apply = resources.enter_context(ThreadPoolExecutor(threads)).map
        done = 0
        while chunks:
            columns = np.full((5, len(members)), np.nan)
            for chunk, scores in zip(chunks, apply(_work, chunks, repeat(done)), strict=True):
                columns[:, chunk.numbers] = scores
            yield [
                EpochRecord(training.first_epoch + done, own, running[part].copy(), *columns[:, part])
                if running[part].any()
                else None
                for training, own, part in zip(trainings, units, parts, strict=True)
            ]
            done += 1
            seen[running] = done
            for chunk in chunks:
                stopping.note(chunk, columns[4], done)
            running &= ~stopping.stopped(done) & (limits > done)
            for training, part in zip(trainings, parts, strict=True):
                if training.enough is not None:
                    running[part] &= ~training.enough(columns[0, part])
            chunks = [chunk for chunk in chunks if _goes_on(chunk, running, stopping)]
    seen = np.where(stopping.patience > 0, stopping.best_epochs, seen)
    return [Trained(stack, seen[part]) for stack, part in zip(kept, parts, strict=True)]


def _work(chunk: AnyChunk, done: int) -> tuple[NDArray[np.float64], ...]:
    return chunk.work(done)


def _goes_on(chunk: AnyChunk, running: NDArray[np.bool_], stopping: EarlyStopping) -> bool:
    """Write the networks of a chunk that stopped, forget them, and say whether any is left."""
    going = running[chunk.numbers]
    if not going.all():
        for place in np.flatnonzero(~going).tolist():
            chunk.write(place, stopping.best(chunk.members[place].number))
        if going.any():
            chunk.keep(np.flatnonzero(going))
    return bool(going.any())


def train(
    stack: NetworkStack,
    rows: Sequence[Rows],
    rule: Rule,
    *,
    epochs: int,
    first_epoch: int = 0,
    patience: int | None = None,
    threads: int = 1,
    device: str = CPU,
    enough: Callable[[NDArray[np.float64]], NDArray[np.bool_]] | None = None,
) -> Generator[EpochRecord, None, Trained]:
    """One training by itself: see `Training` and `train_together`; yields one record per epoch."""
    training = Training(stack, rows, rule, epochs, first_epoch, patience, enough)
    together = train_together([training], threads=threads, device=device)
    while True:
        try:
            (record,) = next(together)
        except StopIteration as end:
            (trained,) = end.value
            return trained
        if record is not None:
            yield record


def finish(run: Generator[T, None, R], see: Callable[[T], None] = lambda record: None) -> R:
    """Run a training or pruning to its end, showing every record to `see`; gives back what the run returns."""
    while True:
        try:
            see(next(run))
        except StopIteration as end:
            result: R = end.value
            return result
