"""The same training on a CUDA device: it learns, it resumes, it scores as the CPU does."""

import numpy as np
import pytest
import torch

from fercli.config.resnet import ResNetConfig
from fercli.resnet import checkpoints
from fercli.resnet.batches import Pictures
from fercli.resnet.fitted import NetScorer
from fercli.resnet.progress import Task
from fercli.resnet.starting import fitted, start

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="GPU: no CUDA device here"),
]
CUDA = "cuda:0"


def fresh(precision="fp32", resident=None, device=CUDA):
    random = np.random.default_rng(0)
    targets = np.arange(96) % 3
    images = random.integers(0, 256, (96, 32, 32), dtype=np.uint8)
    images[:, :16] = images[:, :16] // 3 + (80 * targets)[:, None, None].astype(np.uint8)
    rows = np.arange(96)
    config = ResNetConfig.of(variant="xu-resnet", dropout=0.2, epochs=6, batch_size=16, erase=0.3, precision=precision)
    architecture = config.architecture((32, 32), 1, 3)
    pictures = Pictures(images, torch.device(device), resident=resident)
    return start(pictures, Task(targets, rows[:64], rows[64:80], rows[80:]), config, architecture), architecture, images


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("resident", [True, False])
def test_it_learns_from_resident_and_streamed_pictures(precision, resident):
    training, _, _ = fresh(precision, resident)
    records = list(training.epochs())
    assert training.pictures.resident is resident
    assert records[-1].train_loss < records[0].train_loss
    assert records[-1].held_out_accuracy > 0.5
    assert {tensor.device.type for tensor in training.chosen_state.values()} == {"cpu"}


def test_a_resumed_run_ends_near_an_uninterrupted_one(tmp_path):
    whole, _, _ = fresh()
    list(whole.epochs())
    part, _, _ = fresh()
    steps = part.steps()
    for _ in range(11):
        next(steps)
    checkpoints.save(part, tmp_path)
    steps.close()
    again, _, _ = fresh()
    assert checkpoints.resume(again, tmp_path)
    list(again.epochs())
    for one, other in zip(again.progress.history, whole.progress.history, strict=True):
        assert one.train_loss == pytest.approx(other.train_loss, rel=0.02, abs=0.02)


def test_the_cpu_scores_what_was_trained_on_the_gpu_alike():
    training, architecture, images = fresh()
    list(training.epochs())
    net = fitted(training, architecture, ("a", "b", "c"))
    there, here = (NetScorer(net, torch.device(name)).scores(images) for name in (CUDA, "cpu"))
    # Convolutions in TF32 round at 1e-3.
    np.testing.assert_allclose(there, here, atol=1e-2)


def test_the_gpus_generator_is_left_as_it_was():
    before = torch.cuda.get_rng_state(CUDA)
    training, _, _ = fresh()
    next(training.epochs())
    assert torch.equal(torch.cuda.get_rng_state(CUDA), before)
