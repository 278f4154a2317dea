"""Stop anywhere, take up again, arrive at the same bytes; refuse what was damaged."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from fercli.config.resnet import ResNetConfig
from fercli.errors import ArtifactError
from fercli.resnet import checkpoints
from fercli.resnet.batches import Pictures
from fercli.resnet.progress import Task
from fercli.resnet.training import Training
from fercli.resnet.variants import build


def fresh(**values):
    random = np.random.default_rng(0)
    images, targets = random.integers(0, 256, (50, 16, 16), dtype=np.uint8), random.integers(0, 3, 50)
    rows = np.arange(50)
    settings = ResNetConfig.of(
        **{
            "variant": "cnn",
            "width": 4,
            "dropout": 0.3,
            "epochs": 5,
            "batch_size": 8,
            "lr": 5e-3,
            "erase": 0.3,
            **values,
        }
    )
    network = build(settings.architecture((16, 16), 1, 3))
    return Training(
        network, Pictures(images, torch.device("cpu")), Task(targets, rows[:30], rows[30:40], rows[40:]), settings
    )


def tensor_bytes(training):
    return {name: tensor.numpy().tobytes() for name, tensor in training.chosen_state.items()}


def untimed(records):
    return [replace(record, seconds=0.0) for record in records]


@pytest.mark.parametrize(
    "values",
    [
        {"optimizer": "adamw"},
        {"optimizer": "adam", "schedule": "plateau", "plateau_patience": 1, "keep": "best", "lr": 0.02},
        {"optimizer": "momentum", "accumulate": 2},
        {"optimizer": "sgd", "accumulate": 3, "label_smoothing": 0.1},
    ],
)
def test_a_run_stopped_after_every_epoch_ends_with_the_bytes_of_an_uninterrupted_one(tmp_path, values):
    whole = fresh(**values)
    list(whole.epochs())
    for _ in range(whole.config.epochs):
        part = fresh(**values)
        checkpoints.resume(part, tmp_path)
        epochs = part.epochs()
        next(epochs)
        checkpoints.save(part, tmp_path)
        epochs.close()
    assert untimed(part.progress.history) == untimed(whole.progress.history)
    assert part.chosen_epoch == whole.chosen_epoch
    assert tensor_bytes(part) == tensor_bytes(whole)


def test_a_finished_or_stopped_run_stays_finished(tmp_path):
    run = fresh(epochs=40, warmup=0, patience=1, lr=0.05, schedule="constant")
    list(run.epochs())
    checkpoints.save(run, tmp_path)
    again = fresh(epochs=40, warmup=0, patience=1, lr=0.05, schedule="constant")
    assert checkpoints.resume(again, tmp_path)
    assert again.progress.stopped
    assert list(again.epochs()) == []


def test_without_a_checkpoint_nothing_is_resumed(tmp_path):
    assert not checkpoints.resume(fresh(), tmp_path)


def test_a_failed_write_leaves_the_former_checkpoint(tmp_path, monkeypatch):
    run = fresh()
    epochs = run.epochs()
    next(epochs)
    before = checkpoints.save(run, tmp_path).read_bytes()
    next(epochs)

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoints.save(run, tmp_path)
    assert (tmp_path / checkpoints.NAME).read_bytes() == before


@pytest.mark.parametrize("damage", ["truncated", "altered", "empty", "foreign"])
def test_a_damaged_checkpoint_is_refused_by_name(tmp_path, damage):
    run = fresh()
    next(run.epochs())
    path = checkpoints.save(run, tmp_path)
    content = bytearray(path.read_bytes())
    if damage == "truncated":
        content = content[: len(content) // 2]
    elif damage == "altered":
        content[-5] ^= 1
    else:
        content = bytearray() if damage == "empty" else bytearray(b"not a checkpoint at all")
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match="the checkpoint cannot be used") as refused:
        checkpoints.resume(fresh(), tmp_path)
    assert refused.value.where == str(path)


def test_another_networks_checkpoint_and_a_future_schema_are_refused(tmp_path, monkeypatch):
    run = fresh()
    next(run.epochs())
    checkpoints.save(run, tmp_path)
    with pytest.raises(ArtifactError, match="another network or config"):
        checkpoints.resume(fresh(width=8), tmp_path)
    monkeypatch.setattr(checkpoints, "SCHEMA", 3)
    with pytest.raises(ArtifactError, match="it has schema 2, this release reads 3"):
        checkpoints.resume(fresh(), tmp_path)


def test_a_run_stopped_in_the_middle_of_its_epochs_ends_with_the_same_bytes_and_history(tmp_path):
    whole = fresh(accumulate=1, schedule="plateau", keep="best")
    list(whole.epochs())
    # 30 rows in batches of 8 are 4 steps an epoch; 3 and 5 never meet the end of one.
    for stop in (3, 5, 7, 100):
        part = fresh(accumulate=1, schedule="plateau", keep="best")
        checkpoints.resume(part, tmp_path)
        steps = part.steps()
        for _ in range(stop):
            if next(steps, None) is None:
                break
        checkpoints.save(part, tmp_path)
        steps.close()
    assert untimed(part.progress.history) == untimed(whole.progress.history)
    assert tensor_bytes(part) == tensor_bytes(whole)
