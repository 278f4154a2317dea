"""Training of a whole stack of networks at once, each as if it were alone."""

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import repeat
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from fercli.bp.chunk import Chunk, Rows, Rule
from fercli.bp.gradients import TILE_ROWS, packed_width
from fercli.bp.network import NetworkStack
from fercli.bp.stopping import EarlyStopping
from fercli.errors import InputError, UsageError

CACHE_BYTES = 1 << 19

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


def _chunks(stack: NetworkStack, rows: Sequence[Rows], rule: Rule, threads: int) -> list[Chunk]:
    """Networks of equal packed width together, by falling size, in chunks that fit the cache and feed the threads."""
    widths = np.array([packed_width(int(width)) for width in stack.widths])
    sizes = np.array([len(one.y) for one in rows])
    chunks = []
    for width in np.unique(widths):
        members = np.flatnonzero(widths == width)
        members = members[np.argsort(-sizes[members], kind="stable")]
        tile = min(rule.batch or TILE_ROWS, TILE_ROWS)
        each = tile * int(width) * stack.w1.dtype.itemsize
        count = max(1, min(CACHE_BYTES // each, -(-len(members) // threads)))
        parts = np.array_split(members, -(-len(members) // count))
        chunks += [Chunk(stack, part.tolist(), [rows[member] for member in part], rule) for part in parts]
    return chunks


def train(
    stack: NetworkStack,
    rows: Sequence[Rows],
    rule: Rule,
    *,
    epochs: int,
    first_epoch: int = 0,
    patience: int | None = None,
    threads: int = 1,
    enough: Callable[[NDArray[np.float64]], NDArray[np.bool_]] | None = None,
) -> Generator[EpochRecord, None, Trained]:
    """Train every network of the stack on its own rows; yields one record per epoch and returns the networks.

    rows: one entry per network. patience: with inner rows, a network stops after so many epochs without a lower
    inner loss and keeps its weights from the lowest; None trains all epochs and keeps the last weights. Adam,
    momentum and weight decay (λ/2·Σw² without biases) start afresh. A network's result does not depend on the others
    nor on `threads`; its batch order is a function of (seed, repeat, fold, epoch).

    enough: from the epoch's training losses (S,), NaN for networks that stopped, which networks (S,) need no further
    epoch; they stop with the weights that they have, or with patience their best so far.

    Raises InputError for rows that cannot be learned from and UsageError for patience without inner rows.
    """
    check_rows(rows, stack.classes)
    if patience is not None and any(len(one.inner_y) == 0 for one in rows):
        raise UsageError(
            "early stopping needs inner rows, and a network has none",
            next_step="use --monitor inner, or train a fixed number of epochs",
        )
    count = len(stack)
    trained = stack.take(np.arange(count))
    running = np.ones(count, dtype=bool)
    seen = np.zeros(count, dtype=np.int64)
    stopping = EarlyStopping(count, patience) if patience is not None else None
    chunks = _chunks(stack, rows, rule, threads)
    with ExitStack() as resources:
        apply: Callable[..., Any] = map
        if threads > 1 and len(chunks) > 1:
            apply = resources.enter_context(ThreadPoolExecutor(threads)).map
        for done in range(1, epochs + 1):
            number = first_epoch + done - 1
            columns = np.full((5, count), np.nan)
            for chunk, scores in zip(chunks, apply(Chunk.work, chunks, repeat(number)), strict=True):
                columns[:, chunk.networks] = scores
            yield EpochRecord(number, stack.widths, running.copy(), *columns)
            seen[running] = done
            if stopping is None and enough is None:
                continue
            if stopping is not None:
                for chunk in chunks:
                    stopping.note(chunk, columns[4], done)
                running &= ~stopping.stopped(done)
            if enough is not None:
                running &= ~enough(columns[0])
            for chunk in chunks:
                going = running[chunk.networks]
                if not going.all():
                    _write(chunk, trained, ~running, stopping)
                    chunk.keep(np.flatnonzero(going))
            chunks = [chunk for chunk in chunks if len(chunk.networks)]
            if not chunks:
                break
    for chunk in chunks:
        _write(chunk, trained, running, stopping)
    return Trained(trained, seen if stopping is None else stopping.best_epochs)


def _write(chunk: Chunk, stack: NetworkStack, which: NDArray[np.bool_], stopping: EarlyStopping | None) -> None:
    """Write the networks of the chunk that `which` (S,) marks into `stack`: their best weights, or the last."""
    if stopping is not None:
        stopping.write(chunk, stack, which)
        return
    for place, network in enumerate(chunk.networks.tolist()):
        if which[network]:
            chunk.packed.unpack_into(stack, network, place)


def finish(run: Generator[T, None, R], see: Callable[[T], None] = lambda record: None) -> R:
    """Run a training or pruning to its end, showing every record to `see`; gives back what the run returns."""
    while True:
        try:
            see(next(run))
        except StopIteration as end:
            result: R = end.value
            return result
