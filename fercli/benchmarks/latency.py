"""How long one sample takes to score, alone and in a batch, on one thread."""

import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

BATCHES = (1, 64)
_SECONDS = 0.5  # for one figure
_LEAST, _MOST = 3, 1000
_SLOW = 2.0  # seconds from which on the first call is figure enough


@dataclass(frozen=True)
class Latency:
    """milliseconds: of one sample in a batch of `batch`, the median of `repeats` calls."""

    batch: int
    milliseconds: float
    repeats: int


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for NumPy's libraries, and for torch where it is loaded; as before afterwards."""
    limits: Any = import_module("threadpoolctl")  # has no type stubs
    torch: Any = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else 1
    with limits.threadpool_limits(1):
        if torch:
            torch.set_num_threads(1)
        try:
            yield
        finally:
            if torch:
                torch.set_num_threads(before)


def latencies(
    score: Callable[[NDArray[Any]], NDArray[Any]], rows: NDArray[Any], batches: Sequence[int] = BATCHES
) -> list[Latency]:
    """The time of a sample in batches of each size, drawn from `rows` over and over.

    The first call warms up and does not count, unless it takes seconds.
    """
    found = []
    for size in batches:
        batch = rows[np.arange(size) % len(rows)]
        first = _seconds(score, batch)
        spent = [first] if first > _SLOW else []
        while first <= _SLOW and _wanted(spent):
            spent.append(_seconds(score, batch))
        found.append(Latency(size, 1000 * statistics.median(spent) / size, len(spent)))
    return found


def _wanted(spent: Sequence[float]) -> bool:
    return len(spent) < _LEAST or (sum(spent) < _SECONDS and len(spent) < _MOST)


def _seconds(score: Callable[[NDArray[Any]], NDArray[Any]], batch: NDArray[Any]) -> float:
    begun = time.perf_counter()
    score(batch)
    return time.perf_counter() - begun
