"""Where numbers are rounded to bf16: in the training pass where it is asked for, and nowhere else."""

import numpy as np
import pytest
import torch

from fercli.config.resnet import ResNetConfig
from fercli.resnet.batches import Pictures
from fercli.resnet.progress import Task
from fercli.resnet.starting import fitted, start


@pytest.mark.parametrize(
    ("precision", "ema", "trained_in"),
    [("bf16", 0.0, torch.bfloat16), ("bf16", 1.0, torch.bfloat16), ("fp32", 0.0, torch.float32)],
)
def test_training_may_be_rounded_and_monitoring_and_scoring_are_not(precision, ema, trained_in):
    random, rows = np.random.default_rng(0), np.arange(48)
    images, targets = random.integers(0, 256, (48, 16, 16), dtype=np.uint8), random.integers(0, 3, 48)
    config = ResNetConfig.of(variant="cnn", width=4, epochs=2, batch_size=16, precision=precision, ema=ema)
    architecture = config.architecture((16, 16), 1, 3)
    run = start(
        Pictures(images, torch.device("cpu")), Task(targets, rows[:32], rows[32:], rows[32:]), config, architecture
    )
    seen, tf32 = {True: set(), False: set()}, {True: set(), False: set()}

    def record(module, _inputs, output):
        seen[module.training].add(output.dtype)
        tf32[module.training].add(torch.backends.cudnn.allow_tf32)

    for network in {run.network, run.scored_network}:
        network.features[3].register_forward_hook(record)
    list(run.epochs())
    assert seen == {True: {trained_in}, False: {torch.float32}}
    # Torch's own switch, which is on: convolutions of float32 may round their inputs on a GPU.
    assert tf32 == {True: {True}, False: {False}}
    assert torch.backends.cudnn.allow_tf32
    net = fitted(run, architecture, ("a", "b", "c"))
    assert {tensor.dtype for tensor in net.state.values()} == {torch.float32, torch.int64}
