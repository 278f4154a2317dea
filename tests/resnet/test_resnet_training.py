"""Training: it learns, it repeats itself, it resumes, and held-out rows cannot reach it."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from fercli.config.resnet import ResNetConfig
from fercli.errors import EnvironmentFailure, InputError, UsageError
from fercli.resnet import checkpoints
from fercli.resnet.batches import Pictures
from fercli.resnet.microbatches import divided, step_slices
from fercli.resnet.progress import Halved, StepRecord, Task
from fercli.resnet.scoring import probabilities
from fercli.resnet.training import Training
from fercli.resnet.variants import build

CPU = torch.device("cpu")
ROWS = 72


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def pictures_and_targets(seed=0, rows=ROWS, size=(16, 16)):
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (rows, *size), dtype=np.uint8), random.integers(0, 3, rows)


def task(targets, **changes):
    rows = np.arange(ROWS)
    return replace(Task(targets, fit=rows[:40], monitor=rows[40:52], held_out=rows[52:]), **changes)


def config(**values):
    return ResNetConfig.of(**{"variant": "cnn", "width": 4, "epochs": 3, "batch_size": 16, "lr": 5e-3, **values})


def training(images, targets, settings, work=None, network=None):
    network = network or build(settings.architecture(images.shape[1:3], 1, 3), 0, 0, 0)
    return Training(network, Pictures(images, CPU), work or task(targets), settings)


def trained(images, targets, settings, work=None, network=None):
    run = training(images, targets, settings, work, network)
    records = list(run.epochs())
    return run, records


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("variant", ["cnn", "xu-resnet", "du-improved-resnet50"])
def test_a_network_overfits_one_batch(variant):
    images, targets = pictures_and_targets(rows=12, size=(32, 24))
    rows = np.arange(12)
    plain = {"flip": False, "shift": 0, "rotate": 0.0, "brightness": 0.0}
    # Dropout would keep the training loss up: the network's capacity is the question here.
    settings = ResNetConfig.of(
        variant=variant, dropout=0.0, epochs=25, batch_size=12, lr=2e-3, schedule="constant", keep="last", **plain
    )
    run, records = trained(images, targets, settings, Task(targets, rows, rows[:0], rows[:0]))
    assert records[-1].train_loss < 0.05
    assert records[-1].train_accuracy == 1.0
    if variant == "cnn":
        # Batch norm's stored statistics follow more slowly where there are more layers of them.
        scored = probabilities(run.network, run.pictures, run._normalise, rows)
        assert (scored.argmax(axis=1) == targets).all()
    assert math.isnan(records[0].held_out_loss)


def test_same_seed_same_bytes_and_another_seed_or_fold_other_bytes():
    images, targets = pictures_and_targets()
    settings = config(dropout=0.3, erase=0.5)
    one, records = trained(images, targets, settings)
    torch.rand(7)
    again, same_records = trained(images, targets, settings)
    assert same(one.chosen_state, again.chosen_state)
    assert [replace(r, seconds=0.0) for r in records] == [replace(r, seconds=0.0) for r in same_records]
    for changed in ({"seed": 1}, {"path": (0, 1)}):
        other, _ = trained(images, targets, settings, task(targets, **changed))
        assert not same(one.chosen_state, other.chosen_state)


def test_training_leaves_torchs_generator_and_switches_as_they_were():
    images, targets = pictures_and_targets()
    before = torch.random.get_rng_state()
    trained(images, targets, config(dropout=0.3, epochs=1, warmup=0))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert not torch.are_deterministic_algorithms_enabled()


ALL_ON = {"ema": 1.0, "scale": 0.1, "mixup": 0.2, "cutmix": 1.0, "label_smoothing": 0.1}


@pytest.mark.parametrize(
    "settings",
    [
        config(dropout=0.2),
        config(schedule="plateau", patience=1, keep="best"),
        config(**ALL_ON, class_weights="balanced", optimizer="nesterov", lr=0.01),
    ],
)
def test_held_out_rows_cannot_reach_the_weights(settings):
    images, targets = pictures_and_targets()
    clean, records = trained(images, targets, settings)
    spoiled, permuted = images.copy(), targets.copy()
    spoiled[52:] = 255 - spoiled[52:] // 2
    permuted[52:] = (permuted[52:] + 1) % 3 // 2  # counts of classes change as well
    other, other_records = trained(spoiled, permuted, settings)
    assert same(clean.chosen_state, other.chosen_state)
    assert clean.normalisation == other.normalisation
    assert records[-1].held_out_loss != other_records[-1].held_out_loss
    # The guard can fail: a training row does reach them.
    spoiled[0] = 255 - spoiled[0]
    reached, _ = trained(spoiled, permuted, settings)
    assert not same(clean.chosen_state, reached.chosen_state)


def test_monitored_rows_choose_the_epoch_but_are_not_fitted_on():
    images, targets = pictures_and_targets()
    settings = config(epochs=6, keep="last", schedule="constant")
    spoiled = images.copy()
    spoiled[40:52] = 255 - spoiled[40:52]
    assert same(trained(images, targets, settings)[0].chosen_state, trained(spoiled, targets, settings)[0].chosen_state)
    best, records = trained(images, targets, config(epochs=6, keep="best", schedule="constant", lr=0.02))
    losses = [record.monitor_loss for record in records]
    assert best.chosen_epoch == 1 + int(np.argmin(losses))
    stop_there = config(epochs=best.chosen_epoch, schedule="constant", lr=0.02, warmup=0)
    assert same(best.chosen_state, trained(images, targets, stop_there)[0].chosen_state)


def test_early_stopping_ends_after_its_patience():
    images, targets = pictures_and_targets()
    run, records = trained(images, targets, config(epochs=40, patience=3, lr=0.05, schedule="constant"))
    assert run.progress.stopped
    assert records[-1].epoch == run.progress.best_epoch + 3 < 40


class WithoutBatchNorm(nn.Module):
    def __init__(self):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(0)
            self.convolution = nn.Conv2d(1, 6, 3, stride=2)
            self.fc = nn.Linear(6 * 49, 3)

    def forward(self, pictures):
        return self.fc(torch.flatten(torch.relu(self.convolution(pictures)), 1))


@pytest.mark.parametrize(("batch", "accumulate"), [(10, 2), (5, 4), (4, 5)])
def test_accumulated_small_batches_equal_one_large_batch_to_rounding(batch, accumulate):
    images, targets = pictures_and_targets()
    # Plain gradient descent: Adam divides by the gradient's size and would blow rounding up.
    shared = {"optimizer": "momentum", "lr": 0.05, "label_smoothing": 0.1}
    large, records = trained(images, targets, config(batch_size=20, **shared), network=WithoutBatchNorm())
    small, others = trained(
        images, targets, config(batch_size=batch, accumulate=accumulate, **shared), network=WithoutBatchNorm()
    )
    for name, tensor in large.chosen_state.items():
        torch.testing.assert_close(small.chosen_state[name], tensor, rtol=1e-4, atol=1e-6)
    assert others[-1].train_loss == pytest.approx(records[-1].train_loss, rel=1e-4)
    assert others[-1].lr == records[-1].lr


@pytest.mark.parametrize("rows", [2, 15, 16, 17, 33, 40])
@pytest.mark.parametrize("accumulate", [1, 3])
def test_every_row_is_in_one_step_and_no_micro_batch_has_a_single_row(rows, accumulate):
    steps = step_slices(rows, 16, accumulate)
    pieces = [piece for step in steps for piece in step]
    assert [i for piece in pieces for i in range(piece.start, piece.stop)] == list(range(rows))
    assert min(piece.stop - piece.start for piece in pieces) > 1
    assert all(len(step) == accumulate for step in steps[:-1])


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "momentum"])
def test_every_optimizer_lowers_the_loss_on_what_it_sees(optimizer):
    images, targets = pictures_and_targets()
    rate = 0.05 if optimizer in ("sgd", "momentum") else 5e-3
    plain = {"flip": False, "shift": 0, "rotate": 0.0, "brightness": 0.0}
    _, records = trained(images, targets, config(optimizer=optimizer, lr=rate, epochs=12, **plain))
    assert records[-1].train_loss < 0.7 * records[0].train_loss


def test_bf16_only_where_asked_for():
    images, targets = pictures_and_targets()
    plain, _ = trained(images, targets, config())
    rough, records = trained(images, targets, config(precision="bf16"))
    assert not same(plain.chosen_state, rough.chosen_state)
    assert {tensor.dtype for tensor in rough.chosen_state.values()} == {torch.float32, torch.int64}
    assert math.isfinite(records[-1].train_loss)


def test_what_cannot_be_trained_is_refused_with_the_remedy():
    images, targets = pictures_and_targets()
    none = np.arange(0)
    with pytest.raises(UsageError, match="no rows are kept to choose on") as refused:
        training(images, targets, config(patience=2), task(targets, monitor=none))
    assert "--monitor inner" in refused.value.next_step
    with pytest.raises(InputError, match="cannot be trained on 1 rows"):
        training(images, targets, config(), task(targets, fit=np.arange(1)))
    targets[3] = -1
    with pytest.raises(InputError, match="1 of 40 training rows have no label"):
        training(images, targets, config(), task(targets))


FULL = (
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate"),
    RuntimeError("MPS backend out of memory"),
    RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate"),
)


def holds_only(run, pictures, error=FULL[0]):
    """Let the network run out of memory above so many pictures, half way through, as a real one would."""
    network = run.network
    forward, norm = network.forward, network.features[1]

    def limited(inputs):
        if network.training and len(inputs) > pictures:
            norm(network.features[0](inputs))
            raise error
        return forward(inputs)

    network.forward = limited


@pytest.mark.parametrize("error", FULL)
@pytest.mark.parametrize(("batch", "accumulate"), [(32, 1), (16, 2)])
def test_without_memory_half_the_micro_batch_and_twice_the_accumulation_give_the_same_bytes(error, batch, accumulate):
    images, targets = pictures_and_targets()
    run = training(images, targets, config(batch_size=batch, accumulate=accumulate, dropout=0.3))
    holds_only(run, 8, error)
    events = list(run.steps())
    halved = [event.micro_batch for event in events if isinstance(event, Halved)]
    assert halved == ([16, 8] if batch == 32 else [8])
    small, records = trained(images, targets, config(batch_size=8, accumulate=4, dropout=0.3))
    assert same(run.chosen_state, small.chosen_state)
    assert run.progress.history[-1].train_loss == records[-1].train_loss
    assert run.progress.micro_batch == 8


def test_memory_that_runs_out_later_changes_nothing_before_and_is_remembered_by_a_checkpoint(tmp_path):
    images, targets = pictures_and_targets()
    settings = config(epochs=2, warmup=1)
    runs = [training(images, targets, settings) for _ in range(2)]
    ends = []
    for run, interrupted in zip(runs, (False, True), strict=True):
        steps = run.steps()
        for _ in range(4):
            next(steps)
        holds_only(run, 8)
        assert isinstance(next(steps), Halved)
        next(steps)
        if interrupted:
            checkpoints.save(run, tmp_path)
            run = training(images, targets, settings)
            assert checkpoints.resume(run, tmp_path)
            steps = run.steps()
        # Without a limit now: a resumed run takes what fitted, not what it could.
        list(steps)
        ends.append(run)
    assert ends[1].progress.micro_batch == 8
    assert same(ends[0].chosen_state, ends[1].chosen_state)


def test_memory_for_less_than_two_pictures_is_an_error_that_says_what_is_smaller():
    images, targets = pictures_and_targets()
    run = training(images, targets, config(batch_size=16, accumulate=2))
    holds_only(run, 1)
    with pytest.raises(EnvironmentFailure, match="not enough for 2 pictures at a time") as refused:
        list(run.steps())
    assert "--variant" in refused.value.next_step


@pytest.mark.parametrize(("rows", "largest"), [(16, 8), (17, 8), (16, 3), (3, 2), (2, 2), (5, 2)])
def test_divided_micro_batches_hold_every_row_once_and_never_one_alone(rows, largest):
    pieces = divided([slice(4, 4 + rows)], largest)
    assert [i for piece in pieces for i in range(piece.start, piece.stop)] == list(range(4, 4 + rows))
    sizes = [piece.stop - piece.start for piece in pieces]
    assert min(sizes) > 1
    assert max(sizes) <= largest + 1


def test_steps_count_every_picture_once_an_epoch():
    images, targets = pictures_and_targets()
    events = list(training(images, targets, config(epochs=2)).steps())
    steps = [event for event in events if isinstance(event, StepRecord)]
    assert [(step.epoch, step.step, step.steps, step.pictures) for step in steps[:3]] == [
        (1, 1, 3, 16),
        (1, 2, 3, 16),
        (1, 3, 3, 8),
    ]
    assert [type(event).__name__ for event in events] == (["StepRecord"] * 3 + ["EpochRecord"]) * 2


def test_other_failures_of_a_step_are_not_taken_for_a_lack_of_memory(monkeypatch):
    images, targets = pictures_and_targets()
    run = training(images, targets, config())

    def broken(*_arguments):
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(run.network, "forward", broken)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        next(run.steps())


def test_training_that_diverges_says_so_and_names_a_lower_rate():
    images, targets = pictures_and_targets()
    with pytest.raises(UsageError, match="the loss of epoch 1 is no finite number") as refused:
        list(
            training(
                images, targets, config(optimizer="sgd", lr=100.0, schedule="constant"), network=Explodes()
            ).epochs()
        )
    assert "--lr 10" in refused.value.next_step


class Explodes(WithoutBatchNorm):
    def forward(self, pictures):
        return super().forward(pictures) ** 5


class Masks(WithoutBatchNorm):
    """Keeps what dropout let through of a batch of ones."""

    def __init__(self):
        super().__init__()
        self.dropout = nn.Dropout(0.5)
        self.seen = []

    def forward(self, pictures):
        mask = self.dropout(torch.ones(40))
        if self.training:
            self.seen.append(tuple(mask.tolist()))
        return super().forward(pictures) + 0 * mask.sum()


def test_dropout_draws_anew_at_every_micro_batch_step_epoch_and_fold_and_the_same_again():
    images, targets = pictures_and_targets()
    settings = config(batch_size=10, accumulate=2, epochs=2)
    runs = [
        trained(images, targets, settings, task(targets, path=path), network=Masks())[0].network.seen
        for path in ((0, 0), (0, 0), (0, 1))
    ]
    assert runs[0] == runs[1]
    assert len(set(runs[0]) | set(runs[2])) == 2 * 2 * 4
