import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.bp.criteria import Thresholds, angles, correlations, next_unit

N = 200
RAMP = np.linspace(0.2, 0.8, N)
WAVE = 0.5 + 0.3 * np.sin(np.linspace(0, 25, N))
OUTGOING = np.ones((2, 3))


def found(*columns, thresholds=None, outgoing=None, alive=None):
    hidden = np.stack(columns, axis=1)
    units = hidden.shape[1]
    return next_unit(
        hidden,
        np.ones((units, 3)) if outgoing is None else np.array(outgoing)[:, None],
        np.ones(units, dtype=bool) if alive is None else np.array(alive),
        thresholds or Thresholds(),
    )


def test_dead_fires_below_a_sum_of_one_hundredth_and_not_above():
    below = found(WAVE, np.full(N, 0.0099 / N))
    assert (below.unit, below.criterion, below.partner) == (1, "dead", None)
    assert below.value == pytest.approx(0.0099)
    assert found(WAVE, np.full(N, 0.0101 / N)) is None


def test_saturated_fires_above_nine_tenths_of_the_patterns_and_not_below():
    above = found(WAVE, np.full(N, 0.901))
    assert (above.unit, above.criterion, above.partner) == (1, "saturated", None)
    assert above.value == pytest.approx(0.901)
    assert found(WAVE, np.full(N, 0.899)) is None


@pytest.mark.parametrize("sign", [1, -1])
def test_correlated_fires_on_twins_and_opposites_beyond_the_threshold_and_not_within(sign):
    noise = WAVE - WAVE.mean()
    noise = noise - noise @ (RAMP - RAMP.mean()) / np.square(RAMP - RAMP.mean()).sum() * (RAMP - RAMP.mean())
    spread = np.sqrt(np.square(RAMP - RAMP.mean()).sum() / np.square(noise).sum())
    for r, fires in ((0.91, True), (0.89, False)):
        other = 0.5 + sign * 0.3 * (r * (RAMP - 0.5) + np.sqrt(1 - r**2) * spread * noise)
        finding = found(RAMP, other)
        assert (finding is not None) == fires
        if finding is not None:
            assert finding.criterion == "correlated"
            assert finding.value == pytest.approx(sign * r)
            assert {finding.unit, finding.partner} == {0, 1}


def test_of_a_pair_the_unit_with_the_smaller_outgoing_norm_goes_and_of_equals_the_first():
    assert found(RAMP, RAMP, outgoing=[2.0, -1.0]).unit == 1
    assert found(RAMP, RAMP, outgoing=[1.0, -2.0]).unit == 0
    assert found(RAMP, RAMP, outgoing=[1.0, -1.0]).unit == 0


def test_order_is_dead_then_saturated_then_the_most_correlated_pair():
    nearly = RAMP + 0.05 * (WAVE - 0.5)
    columns = [RAMP, nearly, 1 - WAVE, WAVE, np.full(N, 0.95), np.full(N, 0.97), np.zeros(N)]
    alive = np.ones(7, dtype=bool)
    order = []
    while (finding := found(*columns, alive=alive)) is not None:
        order.append((finding.unit, finding.criterion, finding.partner))
        alive[finding.unit] = False
    assert order == [
        (6, "dead", None),
        (5, "saturated", None),
        (4, "saturated", None),
        (2, "correlated", 3),
        (0, "correlated", 1),
    ]


def test_a_constant_unit_has_no_correlation_and_only_dead_or_saturated_catch_it():
    constant = np.full(N, 0.5)
    constant[::2] += 5e-7
    assert found(RAMP, constant, constant) is None
    assert (correlations(np.stack([constant, constant, RAMP], axis=1)) == 0).all()


def test_removed_units_are_not_looked_at_and_the_last_unit_stays():
    assert found(RAMP, RAMP, WAVE, alive=[True, False, True]) is None
    assert found(np.zeros(N), np.zeros(N), alive=[True, False]) is None
    assert found(np.zeros(N), np.zeros(N)).unit == 0


@pytest.mark.parametrize(
    ("degrees", "fires"), [(14.0, True), (16.0, False), (164.0, False), (166.0, True), (0.0, True), (180.0, True)]
)
def test_angle_fires_below_fifteen_and_above_165_degrees(degrees, fires):
    first = np.where(np.arange(N) % 2, 0.4, -0.4)
    second = np.where(np.arange(N) // 2 % 2, 0.4, -0.4)
    turn = np.radians(degrees)
    finding = found(
        0.5 + first, 0.5 + np.cos(turn) * first + np.sin(turn) * second, thresholds=Thresholds(pairs="angle")
    )
    assert (finding is not None) == fires
    if finding is not None:
        assert finding.criterion == "angle"
        assert finding.value == pytest.approx(degrees, abs=1e-4)


def test_angle_sees_two_units_that_stay_high_as_similar_where_correlation_does_not():
    high, also = 0.85 + 0.02 * (RAMP - 0.5), 0.85 + 0.02 * (WAVE - 0.5)
    assert found(high, also) is None
    assert found(high, also, thresholds=Thresholds(pairs="angle")).criterion == "angle"


def test_angle_of_a_unit_at_one_half_is_undefined_and_counts_as_90():
    assert (angles(np.stack([np.full(N, 0.5), RAMP], axis=1)) == 90).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 12))
def test_correlations_are_those_of_numpy(seed, units):
    hidden = np.random.default_rng(seed).uniform(0, 1, (40, units))
    expected = np.corrcoef(hidden, rowvar=False)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(correlations(hidden), expected, atol=1e-12)
