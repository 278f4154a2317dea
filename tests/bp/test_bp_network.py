import numpy as np
import pytest

from fercli.bp.network import (
    NetworkKey,
    NetworkStack,
    forward,
    hidden_outputs,
    initial_stack,
    probabilities,
    sigmoid,
    softmax,
)

KEYS = [NetworkKey(0, 0), NetworkKey(0, 1), NetworkKey(1, 0)]


def test_initial_weights_depend_on_seed_repeat_fold_and_unit_never_on_the_stack():
    together = initial_stack(KEYS, seed=3, inputs=5, hidden=8, classes=4)
    for place, key in enumerate(KEYS):
        alone = initial_stack([key], seed=3, inputs=5, hidden=8, classes=4)
        for name in ("w1", "b1", "w2", "b2"):
            np.testing.assert_array_equal(getattr(alone, name)[0], getattr(together, name)[place])
    other = initial_stack(KEYS, seed=4, inputs=5, hidden=8, classes=4)
    assert not np.isclose(together.w1, other.w1).any()
    assert len(np.unique(together.w1)) == together.w1.size


def test_initial_weights_are_the_numbers_of_this_algorithm_version():
    """Other numbers under the same key would be another result: they raise the algorithm version of the BP commands."""
    stack = initial_stack([NetworkKey(1, 2)], seed=3, inputs=2, hidden=2, classes=2, dtype=np.float64)
    np.testing.assert_allclose(stack.w1[0], [[0.54130688, -0.68712073], [-0.38232685, -0.2241922]], atol=1e-8)
    np.testing.assert_allclose(stack.b1[0], [-0.4339758, 0.54569329], atol=1e-8)
    np.testing.assert_allclose(stack.w2[0], [[-0.15499566, -0.64684501], [-0.15900578, -0.68250805]], atol=1e-8)
    np.testing.assert_allclose(stack.b2[0], [-0.39802458, 0.3998754], atol=1e-8)


def test_first_units_of_a_wide_network_are_those_of_a_narrow_one():
    narrow = initial_stack(KEYS, seed=0, inputs=5, hidden=8, classes=4)
    wide = initial_stack(KEYS, seed=0, inputs=5, hidden=16, classes=4)
    np.testing.assert_array_equal(wide.w1[:, :, :8], narrow.w1)
    np.testing.assert_allclose(wide.w2[:, :8] * np.sqrt(2), narrow.w2, rtol=1e-6)


def test_initial_weights_lie_within_one_over_root_fan_in():
    stack = initial_stack([NetworkKey(0, 0)], seed=0, inputs=4, hidden=100, classes=25, dtype=np.float64)
    assert 0.49 < np.abs(stack.w1).max() <= 0.5
    assert 0.099 < np.abs(stack.w2).max() <= 0.1


def test_forward_by_hand():
    stack = NetworkStack(
        w1=np.array([[[1.0, -2.0]]]),
        b1=np.array([[0.0, 1.0]]),
        w2=np.array([[[1.0, 0.0], [2.0, -1.0]]]),
        b2=np.array([[-1.0, 0.5]]),
        alive=np.array([[True, True]]),
    )
    h = 1 / (1 + np.exp(-np.array([3.0, -5.0])))
    expected = 1 / (1 + np.exp(-np.array([h[0] + 2 * h[1] - 1, -h[1] + 0.5])))
    np.testing.assert_allclose(forward(stack, 0, np.array([[3.0]]))[0], expected, rtol=1e-14)


def test_sigmoid_and_softmax_saturate_without_warning_or_nan():
    values = np.array([-1e5, -800.0, 0.0, 800.0, 1e5], dtype=np.float32)
    np.testing.assert_array_equal(sigmoid(values.copy()), [0, 0, 0.5, 1, 1])
    np.testing.assert_allclose(softmax(np.array([[1000.0, 1000.0, -1000.0]])), [[0.5, 0.5, 0]])


def test_probabilities_are_outputs_over_their_sum_and_uniform_where_that_is_zero():
    found = probabilities(np.array([[0.2, 0.2, 0.4], [0, 0, 0], [1e-30, 0, 3e-30]], dtype=np.float32))
    np.testing.assert_allclose(found, [[0.25, 0.25, 0.5], [1 / 3, 1 / 3, 1 / 3], [0.25, 0, 0.75]], rtol=1e-6)
    assert found.dtype == np.float64


@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
def test_compacted_network_computes_the_same_without_its_removed_units(output):
    stack = initial_stack(KEYS, seed=1, inputs=5, hidden=8, classes=4, output=output, dtype=np.float64)
    gone = [2, 5]
    stack.alive[1, gone] = False
    stack.w1[1][:, gone] = stack.b1[1, gone] = 0
    stack.w2[1, gone] = 0
    x = np.random.default_rng(0).standard_normal((6, 5))
    small = stack.compacted(1)
    assert small.w1.shape == (1, 5, 6)
    assert stack.widths.tolist() == [8, 6, 8]
    assert (hidden_outputs(stack, 1, x)[:, gone] == 0).all()
    np.testing.assert_allclose(forward(small, 0, x), forward(stack, 1, x), rtol=1e-14)
