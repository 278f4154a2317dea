from dataclasses import replace

import numpy as np
import pytest
import torch

from fercli.bp.chunk import Rows
from fercli.bp.engines import CPU
from fercli.bp.network import NetworkKey, forward, initial_stack
from fercli.bp.training import Training, finish, train, train_together
from fercli.errors import InputError, UsageError
from fercli.seeds import generator

WEIGHTS = ("w1", "b1", "w2", "b2")


def stack_for(rows, hidden=6, dtype=np.float64, output="sigmoid", seed=0):
    return initial_stack(
        [one.key for one in rows],
        seed=seed,
        inputs=[one.x.shape[1] for one in rows],
        hidden=hidden,
        classes=3,
        output=output,
        dtype=dtype,
    )


def trained(rows, rule, see=lambda record: None, epochs=5, **options):
    return finish(train(stack_for(rows), rows, rule, epochs=epochs, **options), see)


def assert_same_weights(first, second, **tolerance):
    for name in WEIGHTS:
        if tolerance:
            np.testing.assert_allclose(getattr(first, name), getattr(second, name), **tolerance)
        else:
            np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


def torch_loop(rows, rule, epochs, loss):
    """The plain loop over one network's batches, with the same initial weights and batch order."""
    stack = stack_for([rows])
    parameters = [torch.tensor(getattr(stack, name)[0], dtype=torch.float64, requires_grad=True) for name in WEIGHTS]
    options = {"lr": rule.rate, "weight_decay": 0.0}
    optimizer = {
        "adam": lambda: torch.optim.Adam(parameters, **options),
        "sgd": lambda: torch.optim.SGD(parameters, **options),
        "momentum": lambda: torch.optim.SGD(parameters, momentum=rule.momentum, **options),
    }[rule.optimizer]()
    x, y = torch.tensor(rows.x), torch.tensor(rows.y)
    size = rule.batch or len(y)
    for epoch in range(epochs):
        order = generator(rule.seed, "bp.order", rows.key.repeat, rows.key.fold, epoch).permutation(len(y))
        for start in range(0, len(y), size):
            part = torch.tensor(order[start : start + size])
            w1, b1, w2, b2 = parameters
            outputs = torch.sigmoid(torch.sigmoid(x[part] @ w1 + b1) @ w2 + b2)
            value = loss(outputs, torch.nn.functional.one_hot(y[part], 3).double())
            value = value + rule.decay / 2 * (w1.square().sum() + w2.square().sum())
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
    return parameters


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "momentum"])
@pytest.mark.parametrize(("batch", "decay"), [(32, 0.0), (32, 0.01), (7, 0.0), (None, 0.0), (1000, 0.01)])
def test_every_network_of_a_stack_ends_where_the_plain_torch_loop_ends(rule, three_clouds, optimizer, batch, decay):
    rows = [three_clouds(fold=fold, rows=count) for fold, count in enumerate((65, 90, 64, 31))]
    how = rule(optimizer=optimizer, batch=batch, decay=decay, rate=0.05)
    result = trained(rows, how).stack
    for network, one in enumerate(rows):
        for name, expected in zip(WEIGHTS, torch_loop(one, how, 5, torch.nn.MSELoss()), strict=True):
            found = getattr(result, name)[network]
            np.testing.assert_allclose(found, expected.detach().numpy(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("batch", [32, 100, 1000, None])
def test_a_network_alone_is_byte_for_byte_the_network_in_the_stack(rule, three_clouds, batch, dtype):
    rows = [three_clouds(fold=fold, rows=count, dtype=dtype) for fold, count in enumerate((65, 300, 64, 31, 300))]
    how = rule(batch=batch)
    together = finish(train(stack_for(rows, dtype=dtype), rows, how, epochs=5))
    for network, one in enumerate(rows):
        alone = finish(train(stack_for([one], dtype=dtype), [one], how, epochs=5)).stack
        assert_same_weights(alone, together.stack.take(np.array([network])))


def test_same_seed_same_bytes_and_another_seed_other_weights(rule, three_clouds):
    rows = [three_clouds(fold=fold, rows=70 + fold) for fold in range(3)]
    assert_same_weights(trained(rows, rule()).stack, trained(rows, rule()).stack)
    other = trained(rows, rule(seed=1)).stack
    assert not np.allclose(other.w1, trained(rows, rule()).stack.w1)


def test_threads_do_not_change_a_byte(rule, three_clouds):
    rows = [three_clouds(fold=fold, rows=70 + 9 * fold) for fold in range(5)]
    assert_same_weights(trained(rows, rule()).stack, trained(rows, rule(), threads=3).stack)


def test_xor_is_learned(rule):
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float64)
    rows = [Rows.of(NetworkKey(0, fold), x, np.array([0, 1, 1, 0])) for fold in range(3)]
    stack = initial_stack([one.key for one in rows], seed=0, inputs=2, hidden=8, classes=2, dtype=np.float64)
    for loss in ("mse", "bce", "ce"):
        result = finish(train(stack, rows, rule(loss=loss, rate=0.05, batch=None), epochs=500)).stack
        for network in range(3):
            assert forward(result, network, x).argmax(axis=1).tolist() == [0, 1, 1, 0]


def test_held_out_rows_are_measured_and_never_touch_a_weight(rule, three_clouds):
    rows = [three_clouds(fold=fold) for fold in range(2)]
    spoiled = [replace(one, test_x=one.test_x * 1000, test_y=(one.test_y + 1) % 3) for one in rows]
    spoiled[0].test_x[0, 0] = np.nan
    clean_records, records = [], []
    clean = trained(rows, rule(), clean_records.append)
    result = trained(spoiled, rule(), records.append)
    assert_same_weights(clean.stack, result.stack)
    assert np.isnan(records[-1].test_loss[0])
    assert np.isfinite(records[-1].test_loss[1])
    np.testing.assert_array_equal(records[-1].train_loss, clean_records[-1].train_loss)


def test_epoch_records_tell_loss_and_accuracy_of_each_network(rule, three_clouds):
    rows = [three_clouds(fold=0, rows=90), three_clouds(fold=1, rows=40, test=0, inner=0)]
    records = []
    result = trained(rows, rule(rate=0.05), records.append, epochs=30, first_epoch=7)
    assert [record.epoch for record in records] == list(range(7, 37))
    last = records[-1]
    outputs = forward(result.stack, 0, rows[0].test_x)
    one_hot = np.eye(3)[rows[0].test_y]
    assert last.test_loss[0] == pytest.approx(np.square(outputs - one_hot).mean(), rel=1e-9)
    assert last.test_accuracy[0] == pytest.approx((outputs.argmax(axis=1) == rows[0].test_y).mean())
    assert (last.train_loss < records[0].train_loss).all()
    assert (last.train_accuracy > 0.8).all()
    assert np.isnan([last.test_loss[1], last.test_accuracy[1], last.monitor_loss[1]]).all()
    assert result.epochs.tolist() == [30, 30]


def test_train_loss_of_an_epoch_is_that_of_its_batches_before_their_updates(rule, three_clouds):
    rows = [three_clouds(rows=50)]
    records = []
    stack = stack_for(rows)
    finish(train(stack, rows, rule(batch=None), epochs=1), records.append)
    expected = np.square(forward(stack, 0, rows[0].x) - np.eye(3)[rows[0].y]).mean()
    assert records[0].train_loss[0] == pytest.approx(expected, rel=1e-12)


def test_early_stopping_keeps_the_weights_of_the_lowest_inner_loss(rule, three_clouds):
    rows = [three_clouds(fold=fold, rows=40 + fold, inner=30, spread=2.5) for fold in range(4)]
    how = rule(rate=0.1, batch=8)
    records = []
    result = trained(rows, how, records.append, epochs=60, patience=4)
    losses = np.array([record.monitor_loss for record in records])
    assert len(set(result.epochs.tolist())) > 1
    for network, best in enumerate(result.epochs.tolist()):
        own = losses[:, network][~np.isnan(losses[:, network])]
        assert best == np.argmin(own) + 1
        assert len(own) == min(best + 4, 60)
        plain = finish(train(stack_for([rows[network]]), [rows[network]], how, epochs=best)).stack
        assert_same_weights(plain, result.stack.take(np.array([network])), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("patience", [None, 50])
def test_early_stopping_that_never_stops_keeps_best_or_last(rule, three_clouds, patience):
    rows = [three_clouds(rows=50)]
    result = trained(rows, rule(), epochs=10, patience=patience)
    assert 1 <= result.epochs[0] <= 10
    if patience is None:
        assert result.epochs[0] == 10


def test_rows_that_cannot_be_learned_from_are_named(rule, three_clouds):
    rows = [three_clouds(fold=0), three_clouds(fold=5)]
    rows[1].x[3, 2] = np.nan
    with pytest.raises(InputError, match="training features hold a value that is not a finite number") as caught:
        trained(rows, rule())
    assert caught.value.where == "repeat 0, fold 5, training row 3, column 2"
    with pytest.raises(InputError, match=r"targets must lie in 0\.\.2"):
        trained([replace(rows[0], y=rows[0].y - 1)], rule())
    with pytest.raises(InputError, match="no training rows"):
        trained([replace(rows[0], x=rows[0].x[:0], y=rows[0].y[:0])], rule())
    with pytest.raises(UsageError, match="early stopping needs inner rows"):
        trained([replace(rows[0], inner_x=rows[0].x[:0], inner_y=rows[0].y[:0])], rule(), patience=3)


def test_shorter_networks_go_on_when_the_longest_stops_first(rule, three_clouds):
    longest, short = three_clouds(fold=0, rows=90), three_clouds(fold=1, rows=33)
    longest = replace(longest, inner_y=(longest.inner_y + 1) % 3)
    result = trained([longest, short], rule(rate=0.05, batch=16), epochs=20, patience=3)
    assert result.epochs[0] < 10 < result.epochs[1]
    alone = finish(train(stack_for([short]), [short], rule(rate=0.05, batch=16), epochs=20, patience=3))
    assert_same_weights(alone.stack, result.stack.take(np.array([1])))


@pytest.mark.parametrize("batch", [None, 8])
def test_networks_of_unequal_inputs_are_trained_as_alone(three_clouds, rule, batch):
    rows = [three_clouds(fold=0), three_clouds(fold=1), three_clouds(fold=2)]
    fewer = rows[1]
    rows[1] = replace(fewer, x=fewer.x[:, :2], test_x=fewer.test_x[:, :2], inner_x=fewer.inner_x[:, :2])
    rule = rule(batch=batch, decay=0.01)
    together = trained(rows, rule).stack
    assert together.inputs == rows[0].x.shape[1]
    for place, own in enumerate(rows):
        alone = trained([own], rule).stack
        inputs = own.x.shape[1]
        assert_same_weights(together.compacted(place, inputs), alone)
        assert not together.w1[place, inputs:].any()
        np.testing.assert_array_equal(forward(together, place, own.test_x), forward(alone, 0, own.test_x))
    joined = trained([rows[1]], rule).stack.joined(trained([rows[0]], rule).stack)
    assert_same_weights(joined, together.take(np.array([1, 0])))


@pytest.mark.parametrize("device", [CPU, "torch"])
def test_trainings_of_other_epochs_rules_and_lengths_side_by_side_are_each_as_alone(
    rule, three_clouds, device, monkeypatch
):
    from fercli.bp import torch_chunk

    plain = torch_chunk.TorchChunk
    monkeypatch.setattr(torch_chunk, "TorchChunk", lambda members, device: plain(members, "cpu"))
    rows = [three_clouds(fold=fold, rows=40 + fold) for fold in range(3)]
    stack = stack_for(rows)
    asked = [
        Training(stack, rows, rule(), 4),
        Training(stack, rows, rule(), 2, first_epoch=9),
        Training(stack, rows, rule(rate=0.05), 3, patience=1),
        Training(stack, rows, rule(), 5, enough=lambda losses: losses < np.nanmedian(losses)),
    ]
    records = []
    together = finish(train_together(asked, device=device), records.append)
    for place, one in enumerate(asked):
        own = []
        (alone,) = finish(train_together([one], device=device), own.append)
        tolerance = {} if device == CPU else {"rtol": 1e-10, "atol": 1e-12}
        assert_same_weights(together[place].stack, alone.stack, **tolerance)
        np.testing.assert_array_equal(together[place].epochs, alone.epochs)
        mine = [record[place] for record in records if record[place] is not None]
        assert [record.epoch for record in mine] == [record[0].epoch for record in own]
        for record, (other,) in zip(mine, own, strict=True):
            np.testing.assert_allclose(record.train_loss, other.train_loss, rtol=1e-10)
            np.testing.assert_array_equal(record.trained, other.trained)
