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


def fresh(precision="fp32", resident=None, device=CUDA, teacher=None, **more):
    random = np.random.default_rng(0)
    targets = np.arange(96) % 3
    images = random.integers(0, 256, (96, 32, 32), dtype=np.uint8)
    images[:, :16] = images[:, :16] // 3 + (80 * targets)[:, None, None].astype(np.uint8)
    rows = np.arange(96)
    values = {"variant": "xu-resnet", "dropout": 0.2, "epochs": 6, "batch_size": 16, "erase": 0.3, **more}
    config = ResNetConfig.of(**values, precision=precision)
    architecture = config.architecture((32, 32), 1, 3)
    pictures = Pictures(images, torch.device(device), resident=resident)
    task = Task(targets, rows[:64], rows[64:80], rows[80:])
    return start(pictures, task, config, architecture, teacher=teacher), architecture, images


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
    np.testing.assert_allclose(there, here, atol=1e-4)


def test_a_row_scores_the_same_whatever_else_is_in_its_batch():
    training, architecture, images = fresh()
    list(training.epochs())
    scorer = NetScorer(fitted(training, architecture, ("a", "b", "c")), torch.device(CUDA))
    together = scorer.scores(images)
    for count in (1, 7, 32):
        np.testing.assert_allclose(scorer.scores(images[:count]), together[:count], atol=1e-5)


def test_the_gpus_generator_is_left_as_it_was():
    before = torch.cuda.get_rng_state(CUDA)
    training, _, _ = fresh()
    next(training.epochs())
    assert torch.equal(torch.cuda.get_rng_state(CUDA), before)


STRONG = {
    "ema": 1.0,
    "crop": 28,
    "scale": 0.1,
    "mixup": 0.2,
    "cutmix": 1.0,
    "label_smoothing": 0.1,
    "class_weights": "balanced",
    "optimizer": "nesterov",
    "lr": 0.02,
    "views": "ten-crop",
    "distil_from": "t",
}


@pytest.mark.parametrize("compile", [False, True])
def test_with_everything_on_it_learns_resumes_and_scores_as_the_cpu_does(tmp_path, compile):
    teaching, architecture, _ = fresh()
    list(teaching.epochs())
    teacher = fitted(teaching, architecture, ("a", "b", "c"))
    values = {**STRONG, "epochs": 12, "compile": compile, "precision": "bf16", "teacher": teacher}
    whole, architecture, images = fresh(**values)
    records = list(whole.epochs())
    assert records[-1].held_out_accuracy > 0.5
    part, _, _ = fresh(**values)
    steps = part.steps()
    for _ in range(11):
        next(steps)
    checkpoints.save(part, tmp_path)
    steps.close()
    again, _, _ = fresh(**values)
    assert checkpoints.resume(again, tmp_path)
    list(again.epochs())
    # bf16 and atomic sums drift apart over the epochs; the way there is the same.
    assert again.progress.history[2].train_loss == pytest.approx(records[2].train_loss, rel=0.05)
    net = fitted(whole, architecture, ("a", "b", "c"))
    there, here = (NetScorer(net, torch.device(name)).scores(images) for name in (CUDA, "cpu"))
    np.testing.assert_allclose(there, here, atol=1e-2)


def test_no_step_waits_for_the_device():
    """Whatever fetches a number in a step makes the host wait; CUDA can be told to refuse that."""
    training, _, _ = fresh(precision="bf16", **{**STRONG, "distil_from": None})
    steps = training.steps()
    next(steps)
    torch.cuda.set_sync_debug_mode("error")
    try:
        next(steps)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_cudnns_switch_is_left_as_it_was():
    before = torch.backends.cudnn.benchmark
    training, _, _ = fresh()
    next(training.epochs())
    assert torch.backends.cudnn.benchmark is before
