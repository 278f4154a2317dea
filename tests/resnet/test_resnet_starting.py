"""What a picture is said to cost before anything is trained."""

import math

import pytest
import torch

from fercli.resnet import starting
from fercli.resnet.progress import EpochRecord, StepRecord

EPOCH = EpochRecord(1, 0.1, *[math.nan] * 7, pictures=4)


class Slow:
    """A training of one step an epoch on a clock of its own: 8 s a step, 100 s for measuring after each epoch."""

    device = torch.device("cpu")

    def __init__(self, epochs):
        self.now, self.epochs, self.made = 0.0, epochs, 0

    def steps(self):
        for epoch in range(1, self.epochs + 1):
            self.now += 8.0
            self.made += 1
            yield StepRecord(epoch, 1, 1, 4)
            self.now += 100.0
            yield EPOCH


@pytest.mark.parametrize("epochs", [1, 2, 9])
def test_the_cost_of_a_picture_is_that_of_the_steps_however_few_an_epoch_has(monkeypatch, epochs):
    training = Slow(epochs)
    monkeypatch.setattr(starting.time, "perf_counter", lambda: training.now)
    assert starting.seconds_per_picture(training) == 2.0
    assert training.made == min(epochs, 4)


def test_the_device_is_waited_for_before_the_clock_is_read(monkeypatch):
    training = Slow(9)

    def wait(device):
        assert device is training.device
        training.now += 4.0

    monkeypatch.setattr(starting.time, "perf_counter", lambda: training.now)
    monkeypatch.setattr(starting, "wait_for", wait)
    assert starting.seconds_per_picture(training) == 3.0
