"""Milliseconds of a sample: per sample, the median, one thread, and the threads come back."""

import numpy as np
import pytest
import torch

from fercli.benchmarks import latency
from fercli.benchmarks.latency import latencies, one_thread


@pytest.fixture
def clock(monkeypatch):
    """Time that passes only when told."""
    now = [0.0]
    monkeypatch.setattr(latency.time, "perf_counter", lambda: now[0])
    return now


def test_a_sample_costs_the_median_call_over_the_batch(clock):
    sizes: list[int] = []
    costs = iter([0.9, 0.4, 0.2, 0.3, 0.8, 6.4, 0.64, 1.28])

    def score(batch):
        sizes.append(len(batch))
        clock[0] += next(costs)
        return batch

    first, second = latencies(score, np.zeros((3, 2)), (1, 64))
    assert (first.batch, first.repeats, second.batch, second.repeats) == (1, 3, 64, 3)
    assert first.milliseconds == pytest.approx(300)
    assert second.milliseconds == pytest.approx(20)
    assert sizes == [1] * 4 + [64] * 4


def test_a_call_of_seconds_is_figure_enough(clock):
    calls = []

    def score(batch):
        calls.append(len(batch))
        clock[0] += 5.0
        return batch

    (only,) = latencies(score, np.zeros((1, 2)), (1,))
    assert (only.milliseconds, only.repeats, calls) == (5000.0, 1, [1])


def test_threads_come_back():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)
