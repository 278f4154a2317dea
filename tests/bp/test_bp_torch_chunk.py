"""The engine of torch beside that of NumPy, on torch's CPU."""

from dataclasses import replace

import numpy as np
import pytest

from fercli.bp import engines
from fercli.bp.chunk import Chunk
from fercli.bp.criteria import Thresholds
from fercli.bp.network import initial_stack
from fercli.bp.pruning import PruneRecord, PruneRule, prune
from fercli.bp.torch_chunk import TorchChunk
from fercli.bp.training import finish, train

WEIGHTS = ("w1", "b1", "w2", "b2")
SCORES = ("train_loss", "train_accuracy", "test_loss", "test_accuracy", "monitor_loss")
TORCH = "torch"


@pytest.fixture(autouse=True)
def torch_on_its_cpu(monkeypatch):
    """Any device but `cpu` is torch's; here it is torch's own CPU."""
    from fercli.bp import torch_chunk

    plain = torch_chunk.TorchChunk
    monkeypatch.setattr(torch_chunk, "TorchChunk", lambda members, device: plain(members, "cpu"))


def stack_for(rows, dtype, output="sigmoid"):
    keys = [one.key for one in rows]
    return initial_stack(keys, seed=0, inputs=4, hidden=10, classes=3, output=output, dtype=dtype)


def both(rows, rule, dtype=np.float64, output="sigmoid", **options):
    """Training with either engine: networks and records."""
    found = []
    for device in (engines.CPU, TORCH):
        records = []
        run = train(stack_for(rows, dtype, output), rows, rule, device=device, **options)
        found.append((finish(run, records.append), records))
    return found


def assert_equal(found, **tolerance):
    (ours, records), (theirs, others) = found
    for name in WEIGHTS:
        np.testing.assert_allclose(getattr(theirs.stack, name), getattr(ours.stack, name), **tolerance)
    assert ours.epochs.tolist() == theirs.epochs.tolist()
    assert [record.epoch for record in records] == [record.epoch for record in others]
    for record, other in zip(records, others, strict=True):
        for name in SCORES:
            np.testing.assert_allclose(getattr(other, name), getattr(record, name), **tolerance)


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "momentum"])
@pytest.mark.parametrize(
    ("loss", "output"),
    [("mse", "sigmoid"), ("bce", "sigmoid"), ("ce", "sigmoid"), ("mse", "softmax"), ("ce", "softmax")],
)
@pytest.mark.parametrize("batch", [16, None])
def test_networks_are_those_of_numpy_to_rounding(rule, three_clouds, optimizer, loss, output, batch):
    rows = [three_clouds(fold=fold, rows=count) for fold, count in enumerate((65, 90, 31))]
    how = rule(optimizer=optimizer, loss=loss, batch=batch, decay=0.01, rate=0.05)
    assert_equal(both(rows, how, output=output, epochs=6), rtol=1e-9, atol=1e-9)


def test_single_precision_agrees_to_its_rounding(rule, three_clouds):
    rows = [three_clouds(fold=fold, rows=count, dtype=np.float32) for fold, count in enumerate((65, 90, 31))]
    found = both(rows, rule(loss="ce"), np.float32, epochs=6)
    assert found[1][0].stack.w1.dtype == np.float32
    assert_equal(found, rtol=1e-3, atol=1e-4)


def test_early_stopping_stops_at_the_same_epochs(rule, three_clouds):
    rows = [three_clouds(fold=fold, rows=40 + fold, inner=30, spread=2.5) for fold in range(4)]
    found = both(rows, rule(rate=0.1, batch=8), epochs=60, patience=4)
    assert len(set(found[0][0].epochs.tolist())) > 1
    assert_equal(found, rtol=1e-7, atol=1e-7)


def test_networks_without_held_out_rows_have_undefined_scores(rule, three_clouds):
    rows = [three_clouds(test=0, inner=0)]
    _, (_, records) = both(rows, rule(), epochs=1)
    assert np.isnan([records[0].test_loss[0], records[0].test_accuracy[0], records[0].monitor_loss[0]]).all()


def test_pruning_removes_the_same_units(rule, three_clouds):
    rows = [three_clouds(fold=fold, rows=60 + 7 * fold) for fold in range(3)]
    stack = stack_for(rows, np.float64)
    how = PruneRule(Thresholds(correlated=0.6), retrain_epochs=3)
    found = []
    for device in (engines.CPU, TORCH):
        records = []
        run = prune(stack, rows, rule(rate=0.05), how, first_epoch=0, device=device)
        result = finish(run, lambda record, into=records: isinstance(record, PruneRecord) and into.append(record))
        found.append((result.stack, [(one.network, one.round, one.unit, one.criterion) for one in records]))
    assert found[0][1] == found[1][1] != []
    np.testing.assert_allclose(found[0][0].w1, found[1][0].w1, rtol=1e-8, atol=1e-8)


def test_all_networks_of_a_kind_are_one_chunk_of_the_device(rule, three_clouds, monkeypatch):
    from fercli.bp.chunk import Member

    rows = [three_clouds(fold=fold) for fold in range(5)]
    stack = stack_for(rows, np.float64)
    members = [Member(place, stack, place, one, rule()) for place, one in enumerate(rows)]
    members.append(replace(members[0], number=5, rule=rule(rate=0.5)))
    monkeypatch.setattr(engines, "CACHE_BYTES", 1)
    assert [len(chunk.members) for chunk in engines.chunks_of(members, 2, TORCH)] == [5, 1]
    on_cpu = engines.chunks_of(members, 2)
    assert [len(chunk.members) for chunk in on_cpu] == [1] * 6
    assert {type(chunk) for chunk in on_cpu} == {Chunk}
    assert isinstance(engines.chunks_of(members, 2, TORCH)[0], TorchChunk)
