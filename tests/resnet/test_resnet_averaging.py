"""The average of the weights: its shares, its statistics, and what a training does with it."""

import numpy as np
import pytest
import torch
from torch import nn

from fercli.config.resnet import ResNetConfig
from fercli.resnet import checkpoints
from fercli.resnet.averaging import WeightAverage, average_share
from fercli.resnet.batches import Pictures
from fercli.resnet.progress import StepRecord, Task
from fercli.resnet.scoring import loss_and_accuracy
from fercli.resnet.training import Training
from fercli.resnet.variants import build

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("horizon", [0.5, 1.0, 3.0, 40.0])
def test_the_average_is_the_exponential_one_without_the_initial_weights(horizon):
    values = np.random.default_rng(0).normal(size=12)
    average = 1e9
    for update, value in enumerate(values, 1):
        average += average_share(horizon, update) * (value - average)
        decay = max(0.0, 1 - 1 / horizon)
        weights = decay ** np.arange(update - 1, -1, -1.0)
        assert average == pytest.approx(np.average(values[:update], weights=weights), abs=1e-5)


def test_the_network_of_averages_holds_weights_statistics_and_the_newest_count():
    live = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).train()
    average = WeightAverage(live, horizon=2.0)
    seen = []
    for update in (1, 2, 3):
        live(torch.randn(8, 2, generator=torch.Generator().manual_seed(update)))
        with torch.no_grad():
            live[0].weight += update
        seen.append({name: tensor.clone() for name, tensor in live.state_dict().items()})
        average.update(update)
    found = average.network.state_dict()
    for name in ("0.weight", "1.weight", "1.running_mean", "1.running_var"):
        torch.testing.assert_close(found[name], (seen[0][name] + 2 * seen[1][name] + 4 * seen[2][name]) / 7)
    assert found["1.num_batches_tracked"] == 3
    assert not average.network.training
    assert torch.equal(live[0].weight, seen[-1]["0.weight"])


def started(**values):
    random = np.random.default_rng(0)
    images, targets = random.integers(0, 256, (60, 20, 18), dtype=np.uint8), random.integers(0, 3, 60)
    config = ResNetConfig.of(
        **{"variant": "cnn", "width": 4, "epochs": 3, "batch_size": 16, "lr": 5e-3, "rotate": 0.0, **values}
    )
    rows = np.arange(60)
    task = Task(targets, rows[:36], rows[36:48], rows[48:])
    network = build(config.architecture((20, 18), 1, 3), 0, 0, 0)
    return Training(network, Pictures(images, CPU), task, config)


def test_the_average_is_monitored_and_kept_and_the_training_goes_on_without_it():
    plain, averaged = started(), started(ema=1.0)
    list(plain.epochs())
    records = list(averaged.epochs())
    below, kept = averaged.network.state_dict(), averaged.chosen_state
    assert all(torch.equal(tensor, below[name]) for name, tensor in plain.chosen_state.items())
    assert not torch.equal(kept["fc.weight"], below["fc.weight"])
    assert kept["features.1.num_batches_tracked"] == below["features.1.num_batches_tracked"]
    assert all(torch.equal(tensor, kept[name]) for name, tensor in averaged.average.network.state_dict().items())
    for rows, loss in ((averaged.task.monitor, records[-1].monitor_loss), (averaged.task.held_out, None)):
        scored = loss_and_accuracy(
            averaged.average.network, averaged.pictures, averaged._normalise, rows, averaged.task.targets
        )
        assert scored[0] == pytest.approx(records[-1].held_out_loss if loss is None else loss, rel=1e-6)


def test_the_best_epoch_of_the_average_is_what_is_kept():
    run = started(ema=1.0, keep="best", epochs=5, lr=0.03, schedule="constant")
    states = []
    for _ in run.epochs():
        states.append({name: t.clone() for name, t in run.average.network.state_dict().items()})
    best = run.progress.best_epoch
    assert best == 1 + int(np.argmin([record.monitor_loss for record in run.progress.history]))
    assert all(torch.equal(tensor, run.chosen_state[name]) for name, tensor in states[best - 1].items())


@pytest.mark.parametrize("steps", [1, 4, 7])
def test_a_resumed_average_ends_with_the_same_bytes(tmp_path, steps):
    settings = {"ema": 0.7, "crop": 16, "scale": 0.1, "optimizer": "nesterov", "lr": 0.05, "accumulate": 2}
    whole, cut = started(**settings), started(**settings)
    list(whole.steps())
    events = cut.steps()
    for _ in range(steps):
        next(events)
    checkpoints.save(cut, tmp_path)
    again = started(**settings)
    assert checkpoints.resume(again, tmp_path)
    list(again.steps())
    assert all(torch.equal(tensor, again.chosen_state[name]) for name, tensor in whole.chosen_state.items())
    assert all(torch.equal(t, again.network.state_dict()[name]) for name, t in whole.network.state_dict().items())


def test_a_checkpoint_without_the_average_is_refused(tmp_path):
    run = started()
    next(run.steps())
    checkpoints.save(run, tmp_path)
    with pytest.raises(Exception, match="belongs to another network or config"):
        checkpoints.resume(started(ema=1.0), tmp_path)


def test_the_average_goes_on_over_the_epochs():
    run, seen = started(ema=1.0, epochs=3), []
    steps = -(-36 // 16)
    for event in run.steps():
        if isinstance(event, StepRecord):
            seen.append(run.network.state_dict()["fc.weight"].clone())
    assert len(seen) == 3 * steps
    weights = (1 - 1 / steps) ** torch.arange(len(seen) - 1, -1, -1.0)
    expected = (torch.stack(seen) * weights[:, None, None]).sum(dim=0) / weights.sum()
    torch.testing.assert_close(run.chosen_state["fc.weight"], expected)


def test_training_sees_crops_and_so_does_monitoring():
    run, sizes = started(crop=17), {True: set(), False: set()}
    run.network.register_forward_pre_hook(lambda module, given: sizes[module.training].add(tuple(given[0].shape[2:])))
    list(run.epochs())
    assert sizes == {True: {(17, 17)}, False: {(17, 17)}}
