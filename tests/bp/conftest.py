"""Small networks and rows that the tests of the BP network share."""

import numpy as np
import pytest

from fercli.bp.chunk import Rows, Rule
from fercli.bp.network import NetworkKey


@pytest.fixture
def rule():
    """A rule with the defaults of the command, any field changed by keyword."""

    def build(**changes):
        values = {
            "loss": "mse",
            "optimizer": "adam",
            "rate": 0.01,
            "momentum": 0.9,
            "decay": 0.0,
            "batch": 32,
            "seed": 0,
        }
        return Rule(**{**values, **changes})

    return build


@pytest.fixture
def three_clouds():
    """Rows of one network: three Gaussian classes in four columns, with held-out and inner rows."""

    def build(repeat=0, fold=0, rows=90, test=20, inner=15, dtype=np.float64, spread=1.0):
        drawn = np.random.default_rng([repeat, fold, rows])
        centres = np.array([[2, 0, 0, 0], [0, 2, 0, 0], [0, 0, 2, 0]])

        def part(count):
            y = drawn.integers(0, 3, count)
            return (centres[y] + spread * drawn.standard_normal((count, 4))).astype(dtype), y.astype(np.int64)

        (x, y), (test_x, test_y), (inner_x, inner_y) = part(rows), part(test), part(inner)
        return Rows(NetworkKey(repeat, fold), x, y, test_x, test_y, inner_x, inner_y)

    return build
