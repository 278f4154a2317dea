"""What a training works on, what it tells on its way, and what it remembers between steps."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from fercli.resnet.schedules import Plateau


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
    pictures, of the loss that is trained on (smoothed, mixed and weighted labels, a teacher's part), an answer to a
    mixed picture being correct where it is the label with the larger share; the others in evaluation mode on the plain
    pictures, by one view.
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


@dataclass(frozen=True)
class Halved:
    """Memory ran out: from this step on at most `micro_batch` pictures pass at a time, as many a step as before."""

    epoch: int
    micro_batch: int


@dataclass
class Progress:
    """What training remembers between steps, beside the weights and the optimizer's state.

    epoch: epochs done. step, totals, spent: steps done in the next one, their summed loss and correct answers, their
    seconds. micro_batch: pictures that fit into memory at a time; 0 until it ran out. best_state: weights of the epoch
    with the lowest monitored loss, kept only where the config asks for them.
    """

    epoch: int = 0
    step: int = 0
    totals: tuple[float, ...] = (0.0, 0.0)
    spent: float = 0.0
    micro_batch: int = 0
    plateau: Plateau = field(default_factory=Plateau)
    best_epoch: int = 0
    best_loss: float = math.inf
    stopped: bool = False
    history: list[EpochRecord] = field(default_factory=list)
    best_state: dict[str, Tensor] | None = None
