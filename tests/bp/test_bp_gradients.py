import numpy as np
import pytest
import torch

from fercli.bp.gradients import PackedNetworks, packed_inputs, packed_outputs, packed_width
from fercli.bp.losses import row_losses
from fercli.bp.network import NetworkKey, forward, initial_stack

COMBINATIONS = [("mse", "sigmoid"), ("bce", "sigmoid"), ("ce", "sigmoid"), ("mse", "softmax"), ("ce", "softmax")]


def packed_gradient(stack, loss, x, y, counts, tile):
    """The gradient of every network over its own first counts[s] rows, walked in tiles."""
    packed = PackedNetworks([(stack, network) for network in range(len(stack))], loss, tile)
    padded = np.zeros((*x.shape[:2], packed.input_columns))
    padded[:, :, : x.shape[2]], padded[:, :, -1] = x, 1
    one_hot = np.eye(packed.output_columns)[y]
    batch = np.array(counts)
    for start in range(0, max(counts), tile):
        stop = min(start + tile, max(counts))
        busy = int((batch > start).sum())
        outputs = np.empty((busy, stop - start, packed.output_columns))
        with np.errstate(over="ignore"):
            packed.forward(padded[:busy, start:stop], outputs)
        present = np.minimum(batch[:busy] - start, stop - start)
        packed.backward(
            padded[:busy, start:stop], one_hot[:busy, start:stop], outputs, present, batch[:busy], first=start == 0
        )
    return packed


@pytest.mark.parametrize(("loss", "output"), COMBINATIONS)
@pytest.mark.parametrize(("tile", "inputs", "classes"), [(9, 3, 4), (4, 3, 4), (4, 5, 3), (9, 4, 5)])
def test_gradient_matches_finite_differences_in_every_parameter(loss, output, tile, inputs, classes):
    keys = [NetworkKey(0, 0), NetworkKey(0, 1)]
    stack = initial_stack(keys, seed=2, inputs=inputs, hidden=5, classes=classes, output=output, dtype=np.float64)
    stack.alive[1, 2] = False
    stack.w1[1, :, 2] = stack.b1[1, 2] = stack.w2[1, 2] = 0
    drawn = np.random.default_rng(1)
    counts = [9, 7]
    x, y = drawn.standard_normal((2, 9, inputs)), drawn.integers(0, classes, (2, 9))
    packed = packed_gradient(stack, loss, x, y, counts, tile)

    def mean_loss(network):
        rows = slice(0, counts[network])
        return row_losses(forward(stack, network, x[network, rows]), y[network, rows], loss).mean()

    for network in range(2):
        units = packed.units[network]
        w1, w2 = (view[network] for view in packed.views(packed.gradient))
        analytic = [w1[:inputs, : len(units)], w1[-1, : len(units)], w2[: len(units), :classes], w2[-1, :classes]]
        arrays = [stack.w1[network], stack.b1[network], stack.w2[network], stack.b2[network]]
        picks = [(slice(None), units), (units,), (units,), ()]
        for found, array, pick in zip(analytic, arrays, picks, strict=True):
            numeric = np.empty_like(array)
            for index in np.ndindex(array.shape):
                old = array[index]
                array[index] = old + 1e-6
                above = mean_loss(network)
                array[index] = old - 1e-6
                numeric[index] = (above - mean_loss(network)) / 2e-6
                array[index] = old
            np.testing.assert_allclose(found, numeric[pick], atol=1e-8)


@pytest.mark.parametrize(("loss", "output"), COMBINATIONS)
def test_filling_columns_and_removed_units_have_exactly_no_gradient(loss, output):
    stack = initial_stack([NetworkKey(0, 0)], seed=2, inputs=5, hidden=5, classes=3, output=output, dtype=np.float64)
    x = np.random.default_rng(1).standard_normal((1, 9, 5))
    packed = packed_gradient(stack, loss, x, np.arange(9)[None] % 3, [9], 9)
    w1, w2 = packed.views(packed.gradient)
    assert packed.width == 9
    assert (w1.shape, w2.shape) == ((1, 8, 9), (1, 9, 4))
    assert (w1[:, :, 5:] == 0).all()
    assert (w1[:, 5:7] == 0).all()
    assert (w1[:, [0, 1, 2, 3, 4, 7], :5] != 0).all()
    assert (w2[:, 5:8] == 0).all()
    assert (w2[:, :, 3] == 0).all()
    assert (w2[:, 8, :3] != 0).all()


@pytest.mark.parametrize(
    ("loss", "output", "reference"),
    [
        ("mse", "sigmoid", lambda o, t, z: torch.nn.MSELoss()(o, torch.nn.functional.one_hot(t, 3).double())),
        ("bce", "sigmoid", lambda o, t, z: torch.nn.BCELoss()(o, torch.nn.functional.one_hot(t, 3).double())),
        ("ce", "softmax", lambda o, t, z: torch.nn.CrossEntropyLoss()(z, t)),
        ("ce", "sigmoid", lambda o, t, z: torch.nn.NLLLoss()(torch.log(o / o.sum(1, keepdim=True)), t)),
    ],
)
def test_losses_are_those_of_torch(loss, output, reference):
    logits = torch.tensor(np.random.default_rng(0).standard_normal((8, 3)))
    outputs = torch.sigmoid(logits) if output == "sigmoid" else torch.softmax(logits, 1)
    targets = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])
    ours = row_losses(outputs.numpy(), targets.numpy(), loss).mean()
    assert ours == pytest.approx(float(reference(outputs, targets, logits)), rel=1e-12)


def test_losses_stay_finite_at_outputs_of_zero_and_one():
    outputs = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]])
    for loss in ("mse", "bce", "ce"):
        assert np.isfinite(row_losses(outputs, np.array([0, 0, 0]), loss)).all()


def test_packed_width_is_a_multiple_of_eight_and_one_for_the_bias():
    assert [packed_width(units) for units in (1, 8, 9, 64)] == [9, 9, 17, 65]


def test_inputs_with_their_ones_and_outputs_are_filled_up_to_multiples_of_four():
    assert [packed_inputs(columns) for columns in (1, 3, 4, 10)] == [4, 4, 8, 12]
    assert [packed_outputs(classes) for classes in (2, 4, 7)] == [4, 4, 8]
