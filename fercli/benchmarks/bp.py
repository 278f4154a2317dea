"""What `fer bench bp` measures: the stack of all folds beside a PyTorch loop over folds and scikit-learn."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from fercli.benchmarks import bp_reference as plain
from fercli.bp.chunk import Rows, Rule
from fercli.bp.network import NetworkKey, NetworkStack, forward, initial_stack
from fercli.bp.training import finish, train
from fercli.seeds import generator

CLASSES, INPUTS, ROWS = 7, 10, 640
CHECK_EPOCHS = 3
# Of float32 outputs. Weights with gradients near zero may differ more: scikit-learn's Adam places epsilon elsewhere.
TOLERANCE = 1e-3


@dataclass(frozen=True)
class BPTiming:
    """One row of the table: the best of the repeats.

    batch: rows per step, None for all. agreement: largest difference of an output from ours after three epochs, over
    all rows, found before timing; None for ours. speedup: of ours over this implementation, 1 for ours.
    """

    implementation: str
    networks: int
    hidden: int
    batch: int | None
    epochs: int
    threads: int
    seconds: float
    agreement: float | None
    speedup: float


def fold_rows(networks: int, seed: int = 0) -> list[Rows]:
    """Rows of the size and difficulty of the SFEW sheet under 20 folds: 640 x 10, seven overlapping classes."""
    found = []
    for fold in range(networks):
        drawn = generator(seed, "bench.bp", fold)
        y = drawn.integers(0, CLASSES, ROWS)
        centres = generator(seed, "bench.bp", "centres").normal(size=(CLASSES, INPUTS))
        x = (0.5 * centres[y] + drawn.normal(size=(ROWS, INPUTS))).astype(np.float32)
        found.append(Rows.of(NetworkKey(0, fold), x, y))
    return found


def benchmark(
    *,
    networks: int = 20,
    hidden: tuple[int, ...] = (32, 64, 128),
    batches: tuple[int | None, ...] = (32, None),
    threads: tuple[int, ...] = (1,),
    epochs: int = 10,
    repeats: int = 3,
    seed: int = 0,
) -> Iterator[BPTiming]:
    """Yield one timing after the other: ours, the PyTorch loop, scikit-learn, for every width, batch and thread count.

    Initial weights, batches, Adam and loss are the same; scikit-learn has softmax outputs and is checked against our
    softmax stack. Full batches run four times the epochs. Raises ArithmeticError when an output differs by more than
    1e-3, because then there is nothing to compare.
    """
    limits: Any = import_module("threadpoolctl")  # comes with scikit-learn, has no type stubs
    rows = fold_rows(networks, seed)
    for width in hidden:
        for batch in batches:
            rule = Rule("bce", "adam", 0.01, 0.9, 0.0, batch, seed)
            agreements = {
                "pytorch": _torch_agreement(rows, width, rule),
                "scikit-learn": _sklearn_agreement(rows, width, rule),
            }
            for count in threads:
                passes = epochs if batch else 4 * epochs
                ways: dict[str, Callable[[], object]] = {
                    "ours": partial(_ours, rows, width, rule, passes, count),
                    "pytorch": partial(_torch, rows, width, rule, passes, count),
                    "scikit-learn": partial(plain.sklearn_fits, rows, rule, width, passes),
                }
                seconds = {}
                for name, way in ways.items():
                    # As the commands train: chunks are our unit of threads, and each of their products has one.
                    with limits.threadpool_limits(limits=1 if name == "ours" else count):
                        seconds[name] = min(_seconds(way) for _ in range(repeats))
                for name, taken in seconds.items():
                    yield BPTiming(
                        implementation=name,
                        networks=networks,
                        hidden=width,
                        batch=batch,
                        epochs=passes,
                        threads=count,
                        seconds=taken,
                        agreement=agreements.get(name),
                        speedup=taken / seconds["ours"],
                    )


def _seconds(way: Callable[[], object]) -> float:
    started = time.perf_counter()
    way()
    return time.perf_counter() - started


def _start(rows: list[Rows], hidden: int, rule: Rule) -> NetworkStack:
    return initial_stack(
        [one.key for one in rows],
        seed=rule.seed,
        inputs=INPUTS,
        hidden=hidden,
        classes=CLASSES,
        output="sigmoid" if rule.loss == "bce" else "softmax",
    )


def _ours(rows: list[Rows], hidden: int, rule: Rule, epochs: int, threads: int) -> NetworkStack:
    return finish(train(_start(rows, hidden, rule), rows, rule, epochs=epochs, threads=threads)).stack


def _torch(rows: list[Rows], hidden: int, rule: Rule, epochs: int, threads: int) -> list[plain.Weights]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        return plain.torch_loop(_start(rows, hidden, rule), rows, rule, epochs)
    finally:
        torch.set_num_threads(before)


def _torch_agreement(rows: list[Rows], hidden: int, rule: Rule) -> float:
    ours = _ours(rows, hidden, rule, CHECK_EPOCHS, 1)
    theirs = _torch(rows, hidden, rule, CHECK_EPOCHS, 1)
    return max(_difference(ours, rows, network, weights, "the PyTorch loop") for network, weights in enumerate(theirs))


def _sklearn_agreement(rows: list[Rows], hidden: int, rule: Rule) -> float:
    softmax = Rule("ce", "adam", rule.rate, rule.momentum, 0.0, rule.batch, rule.seed)
    ours = _ours(rows[:1], hidden, softmax, CHECK_EPOCHS, 1)
    theirs = plain.sklearn_weights(_start(rows[:1], hidden, softmax), rows[0], softmax, CHECK_EPOCHS)
    return _difference(ours, rows, 0, theirs, "scikit-learn")


def _difference(ours: NetworkStack, rows: list[Rows], network: int, theirs: plain.Weights, who: str) -> float:
    w1, b1, w2, b2 = (part[None] for part in theirs)
    other = NetworkStack(w1, b1, w2, b2, np.ones((1, w1.shape[2]), dtype=bool), ours.output)
    x = rows[network].x
    largest = float(np.abs(forward(ours, network, x) - forward(other, 0, x)).max())
    if largest > TOLERANCE:
        raise ArithmeticError(f"our outputs and those of {who} differ by {largest:.1e} after {CHECK_EPOCHS} epochs")
    return largest
