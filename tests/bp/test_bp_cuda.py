"""The engine of torch on a CUDA device: the networks of NumPy, and no step that waits."""

import numpy as np
import pytest
import torch

from fercli.bp import engines
from fercli.bp.chunk import Member
from fercli.bp.network import initial_stack
from fercli.bp.torch_chunk import TorchChunk
from fercli.bp.training import finish, train

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="GPU: no CUDA device here"),
]
CUDA = "cuda:0"


def stack_for(rows, dtype):
    keys = [one.key for one in rows]
    return initial_stack(keys, seed=0, inputs=4, hidden=10, classes=3, dtype=dtype)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-7), (np.float32, 1e-3)])
@pytest.mark.parametrize("batch", [16, None])
def test_networks_of_unequal_rows_are_those_of_numpy_to_rounding(rule, three_clouds, batch, dtype, tolerance):
    rows = [three_clouds(fold=fold, rows=count, dtype=dtype) for fold, count in enumerate((65, 90, 31))]
    found = []
    for device in (engines.CPU, CUDA):
        records = []
        how = rule(loss="ce", batch=batch, decay=0.01, rate=0.05)
        run = train(stack_for(rows, dtype), rows, how, epochs=40, patience=5, device=device)
        found.append((finish(run, records.append), records))
    (ours, records), (theirs, others) = found
    if dtype is np.float64:
        assert ours.epochs.tolist() == theirs.epochs.tolist()
        np.testing.assert_allclose(theirs.stack.w1, ours.stack.w1, rtol=tolerance, atol=tolerance)
    for record, other in zip(records[:5], others[:5], strict=True):
        np.testing.assert_allclose(other.train_loss, record.train_loss, rtol=tolerance, atol=tolerance)
        np.testing.assert_allclose(other.monitor_loss, record.monitor_loss, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "momentum"])
def test_no_step_waits_for_the_device(rule, three_clouds, optimizer):
    rows = [three_clouds(fold=fold, rows=count, dtype=np.float32) for fold, count in enumerate((90, 65, 31))]
    stack = stack_for(rows, np.float32)
    how = rule(optimizer=optimizer, loss="ce", batch=16, decay=0.01)
    chunk = TorchChunk([Member(place, stack, place, one, how) for place, one in enumerate(rows)], CUDA)
    chunk.work(0)
    torch.cuda.set_sync_debug_mode("error")
    try:
        for start, stop, batch in chunk._plan:
            active = len(batch)
            chunk._step(chunk.x[:active, start:stop], chunk.y[:active, start:stop], batch)
    finally:
        torch.cuda.set_sync_debug_mode("default")
