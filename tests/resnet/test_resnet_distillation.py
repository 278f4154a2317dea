"""Learning from a trained network: what it is asked, what it changes, and the same bytes after an interruption."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from fercli.config.resnet import ResNetConfig
from fercli.resnet import checkpoints, training
from fercli.resnet.batches import Normalisation, Normaliser, Pictures
from fercli.resnet.distillation import Teacher
from fercli.resnet.fitted import FittedNet
from fercli.resnet.mixing import Mixture
from fercli.resnet.progress import Task
from fercli.resnet.starting import fitted, start

CPU = torch.device("cpu")
ROWS = np.arange(64)
SETTINGS = {"variant": "cnn", "width": 4, "epochs": 3, "batch_size": 16, "lr": 5e-3, "crop": 18}


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def started(teacher=None, **values):
    random = np.random.default_rng(0)
    targets = ROWS % 3
    images = random.integers(0, 256, (64, 20, 20), dtype=np.uint8)
    images[:, :10] = images[:, :10] // 3 + (80 * targets)[:, None, None].astype(np.uint8)
    config = ResNetConfig.of(**{**SETTINGS, **values})
    task = Task(targets, ROWS[:40], ROWS[40:52], ROWS[52:])
    return start(Pictures(images, CPU), task, config, architecture(), teacher=teacher)


def architecture():
    return ResNetConfig.of(**SETTINGS).architecture((20, 20), 1, 3)


@pytest.fixture(scope="module")
def taught():
    torch.set_num_threads(1)
    run = started(epochs=12, lr=0.01)
    list(run.epochs())
    return fitted(run, architecture(), ("a", "b", "c"))


def test_a_teacher_answers_as_the_fitted_network_does_whatever_the_normalisation(taught):
    raw = torch.from_numpy(np.random.default_rng(1).integers(0, 256, (5, 1, 18, 18), dtype=np.uint8))
    expected = taught.network()(Normaliser(taught.normalisation, CPU)(raw)).detach()
    for other in (taught.normalisation, Normalisation((90.0,), (45.0,))):
        answers = Teacher(taught, other, CPU)(Normaliser(other, CPU)(raw))
        torch.testing.assert_close(answers, expected, rtol=1e-4, atol=1e-5)
        assert not answers.requires_grad


def test_from_the_teacher_alone_the_network_comes_to_say_what_it_says(taught):
    run = started(taught, distil_from="t", distil_weight=1.0, epochs=10, lr=0.01)
    records = list(run.epochs())
    assert records[-1].train_loss < 0.3 * records[0].train_loss
    # Whatever the labels are: they have no part in the loss then.
    other = started(taught, distil_from="t", distil_weight=1.0, epochs=10, lr=0.01)
    other.task = replace(other.task, targets=(other.task.targets + 1) % 3)
    other._targets = (other._targets + 1) % 3
    list(other.epochs())
    assert all(torch.equal(tensor, other.chosen_state[name]) for name, tensor in run.chosen_state.items())


def test_the_teacher_is_not_changed_and_the_labels_have_their_part(taught):
    before = {name: tensor.clone() for name, tensor in taught.state.items()}
    half, alone = started(taught, distil_from="t"), started()
    list(half.epochs())
    list(alone.epochs())
    assert all(torch.equal(tensor, before[name]) for name, tensor in taught.state.items())
    assert not torch.equal(half.chosen_state["fc.weight"], alone.chosen_state["fc.weight"])


EVERYTHING = {
    "ema": 0.7,
    "mixup": 0.2,
    "cutmix": 1.0,
    "class_weights": "balanced",
    "distil_from": "t",
    "distil_temperature": 2.0,
    "optimizer": "nesterov",
    "lr": 0.05,
    "scale": 0.1,
    "erase": 0.5,
    "dropout": 0.2,
    "accumulate": 2,
}


@pytest.mark.parametrize("steps", [1, 4, 6])
def test_with_everything_on_a_resumed_run_ends_with_the_same_bytes(taught, tmp_path, steps):
    whole, cut = started(taught, **EVERYTHING), started(taught, **EVERYTHING)
    list(whole.steps())
    events = cut.steps()
    for _ in range(steps):
        next(events)
    checkpoints.save(cut, tmp_path)
    again = started(taught, **EVERYTHING)
    assert checkpoints.resume(again, tmp_path)
    list(again.steps())
    for state, other in (
        (whole.chosen_state, again.chosen_state),
        (whole.network.state_dict(), again.network.state_dict()),
    ):
        assert all(torch.equal(tensor, other[name]) for name, tensor in state.items())
    assert whole.progress.history[-1].train_loss == again.progress.history[-1].train_loss


def test_each_part_changes_what_is_learned(taught):
    whole = started(taught, **EVERYTHING)
    list(whole.epochs())
    for off in ("mixup", "cutmix", "class_weights", "distil_from"):
        values = {**EVERYTHING, off: ResNetConfig.model_fields[off].default}
        if off == "distil_from":
            values.pop("distil_temperature")
        if off == "class_weights":
            values["mixup"] = values["cutmix"] = 0.0
            reference = started(taught, **{**EVERYTHING, "mixup": 0.0, "cutmix": 0.0})
            list(reference.epochs())
        else:
            reference = whole
        run = started(None if off == "distil_from" else taught, **values)
        list(run.epochs())
        assert not torch.equal(run.chosen_state["fc.weight"], reference.chosen_state["fc.weight"]), off


def test_a_fitted_teacher_of_other_normalisation_is_normalised_anew_in_training(taught):
    other = FittedNet(taught.architecture, taught.classes, Normalisation((60.0,), (30.0,)), taught.state)
    one, two = started(taught, distil_from="t"), started(other, distil_from="t")
    list(one.epochs())
    list(two.epochs())
    assert not torch.equal(one.chosen_state["fc.weight"], two.chosen_state["fc.weight"])


def test_an_answer_to_a_mixed_picture_is_judged_by_the_label_with_the_larger_share(monkeypatch):
    plain = list(started(epochs=1, warmup=0, lr=1e-6).epochs())
    # Nothing of its own is left of any picture: the batch is only in another order.
    monkeypatch.setattr(training, "draw_mixture", lambda *_: Mixture(0.0))
    mixed = list(started(epochs=1, warmup=0, lr=1e-6).epochs())
    assert mixed[0].train_accuracy == plain[0].train_accuracy
    assert mixed[0].train_loss == pytest.approx(plain[0].train_loss, rel=1e-4)
