from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from fercli.bp.chunk import Rows
from fercli.bp.criteria import Finding, Thresholds
from fercli.bp.network import NetworkKey, NetworkStack, forward, hidden_outputs, initial_stack
from fercli.bp.pruning import PruneRecord, PruneRule, prune, scores_of
from fercli.bp.removal import remove
from fercli.bp.training import EpochRecord, finish, train

UNITS = 8
DEAD, SATURATED, TWIN, OPPOSITE = 1, 6, 3, 5


def planted(dtype=np.float64, copies=1):
    """Units 0, 2, 4, 7 look at one input each; 1 is dead, 6 saturated, 3 the twin of 2, 5 the opposite of 4.

    The planted doubles have the smaller outgoing weights.
    """
    w1, b1 = np.zeros((4, UNITS)), np.zeros(UNITS)
    for column, unit in enumerate((0, 2, 4, 7)):
        w1[column, unit] = 2.0
    w1[:, TWIN] = w1[:, 2]
    w1[:, OPPOSITE] = -w1[:, 4]
    b1[4], b1[OPPOSITE] = 0.3, -0.3
    b1[DEAD], b1[SATURATED] = -20.0, 20.0
    w2 = np.random.default_rng(3).uniform(0.5, 1.0, (UNITS, 3)) * np.array([1, -1, 1])
    w2[[TWIN, OPPOSITE]] *= 0.2
    stack = NetworkStack(
        w1=np.stack([w1] * copies).astype(dtype),
        b1=np.stack([b1] * copies).astype(dtype),
        w2=np.stack([w2] * copies).astype(dtype),
        b2=np.full((copies, 3), 0.1, dtype=dtype),
        alive=np.ones((copies, UNITS), dtype=bool),
    )
    drawn = np.random.default_rng(0)
    rows = []
    for fold in range(copies):
        x, test_x = drawn.standard_normal((120, 4)).astype(dtype), drawn.standard_normal((30, 4)).astype(dtype)
        y, test_y = drawn.integers(0, 3, 120), drawn.integers(0, 3, 30)
        rows.append(Rows(NetworkKey(0, fold), x, y, test_x, test_y, x[:0], y[:0]))
    return stack, rows


def receipt(stack, rows, rule, how, **options):
    records = []
    result = finish(prune(stack, rows, rule, how, first_epoch=0, **options), records.append)
    return result, [record for record in records if isinstance(record, PruneRecord)], records


SLOW = PruneRule(retrain_epochs=1)


def test_exactly_the_planted_units_go_in_the_documented_order(rule):
    stack, rows = planted(copies=3)
    result, lines, _ = receipt(stack, rows, rule(rate=1e-4), SLOW)
    for fold in range(3):
        own = [(line.round, line.unit, line.criterion, line.hidden) for line in lines if line.fold == fold]
        assert own[:2] == [(1, DEAD, "dead", 7), (2, SATURATED, "saturated", 6)]
        assert {unit for _, unit, _, _ in own[2:]} == {TWIN, OPPOSITE}
        assert [(number, why, left) for number, _, why, left in own[2:]] == [(3, "correlated", 5), (4, "correlated", 4)]
    partners = {line.unit: line.partner for line in lines}
    assert partners == {DEAD: None, SATURATED: None, TWIN: 2, OPPOSITE: 4}
    values = {line.unit: line.value for line in lines}
    assert values[TWIN] == pytest.approx(1, abs=1e-3)
    assert values[OPPOSITE] == pytest.approx(-1, abs=1e-3)
    assert values[SATURATED] > 0.99
    assert values[DEAD] < 0.01
    assert result.stack.widths.tolist() == [4, 4, 4]
    assert np.flatnonzero(result.stack.alive[0]).tolist() == [0, 2, 4, 7]
    assert result.control.widths.tolist() == [UNITS] * 3
    assert result.rounds.tolist() == [4, 4, 4]


def test_a_network_without_redundant_units_is_left_alone(rule, three_clouds):
    rows = [three_clouds()]
    stack, _ = planted()
    clean = stack.compacted(0)
    keep = np.array([0, 2, 4, 7])
    clean = NetworkStack(clean.w1[:, :, keep], clean.b1[:, keep], clean.w2[:, keep], clean.b2, clean.alive[:, keep])
    result, lines, records = receipt(clean, rows, rule(), SLOW)
    assert lines == records == []
    np.testing.assert_array_equal(result.stack.w1, clean.w1)
    assert result.rounds.tolist() == [0]


def test_all_at_once_removes_the_same_planted_units_in_one_round(rule):
    stack, rows = planted()
    result, lines, records = receipt(stack, rows, rule(rate=1e-4), replace(SLOW, all_at_once=True))
    assert [(line.round, line.unit) for line in lines[:2]] == [(1, DEAD), (1, SATURATED)]
    assert {line.unit for line in lines} == {DEAD, SATURATED, TWIN, OPPOSITE}
    assert sum(isinstance(record, EpochRecord) for record in records) == 1
    assert len({line.retrained for line in lines}) == 1
    for earlier, later in pairwise(lines):
        assert earlier.removed == later.before
    assert result.stack.widths.tolist() == [4]


@pytest.mark.parametrize(("unit", "partner"), [(TWIN, 2), (OPPOSITE, 4), (DEAD, None), (SATURATED, None)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_absorbing_leaves_the_outputs_as_they_were(unit, partner, dtype):
    stack, rows = planted(dtype)
    before = forward(stack, 0, rows[0].x)
    for absorb in (True, False):
        changed = stack.take(np.array([0]))
        remove(changed, 0, Finding(unit, "dead", 0.0, partner), hidden_outputs(stack, 0, rows[0].x), absorb=absorb)
        difference = np.abs(forward(changed, 0, rows[0].x) - before).max()
        assert changed.widths.tolist() == [UNITS - 1]
        if absorb:
            assert difference < 1e-6
        elif unit != DEAD:
            assert difference > 1e-3


def test_receipt_tells_loss_and_accuracy_before_after_and_after_retraining(rule):
    stack, rows = planted()
    how = rule(rate=1e-3)
    result, lines, records = receipt(stack, rows, how, PruneRule(retrain_epochs=2))
    assert lines[0].before == scores_of(stack, 0, rows[0], "mse")
    without = stack.take(np.array([0]))
    remove(without, 0, Finding(DEAD, "dead", 0.0), hidden_outputs(stack, 0, rows[0].x), absorb=False)
    assert lines[0].removed == scores_of(without, 0, rows[0], "mse")
    after = finish(train(without, rows, how, epochs=2)).stack
    assert lines[0].retrained == scores_of(after, 0, rows[0], "mse")
    assert lines[1].before == lines[0].retrained
    assert lines[-1].retrained == scores_of(result.stack, 0, rows[0], "mse")
    assert [record.epoch for record in records if isinstance(record, EpochRecord)] == list(range(8))


def test_the_control_is_trained_for_the_same_epochs_and_keeps_every_unit(rule):
    stack, rows = planted()
    result, _, _ = receipt(stack, rows, rule(rate=1e-3), PruneRule(retrain_epochs=2))
    expected = stack
    for number in range(4):
        expected = finish(train(expected, rows, rule(rate=1e-3), epochs=2, first_epoch=2 * number)).stack
    np.testing.assert_array_equal(result.control.w1, expected.w1)


def test_pruning_alone_is_pruning_in_the_stack_though_networks_finish_at_different_rounds(rule, three_clouds):
    rows = [three_clouds(fold=fold, rows=60 + 7 * fold) for fold in range(4)]
    stack = initial_stack([one.key for one in rows], seed=0, inputs=4, hidden=16, classes=3, dtype=np.float64)
    how = PruneRule(Thresholds(correlated=0.8), retrain_epochs=3)
    together, lines, _ = receipt(stack, rows, rule(rate=0.05), how)
    assert len(set(together.rounds.tolist())) > 1
    for network, one in enumerate(rows):
        alone, own, _ = receipt(stack.take(np.array([network])), [one], rule(rate=0.05), how)
        np.testing.assert_array_equal(alone.stack.w1[0], together.stack.w1[network])
        np.testing.assert_array_equal(alone.control.w1[0], together.control.w1[network])
        assert own == [replace(line, network=0) for line in lines if line.fold == network]


def test_held_out_rows_change_no_removal_and_no_weight(rule, three_clouds):
    rows = [three_clouds(fold=fold) for fold in range(2)]
    spoiled = [replace(one, test_x=one.test_x * 1000, test_y=(one.test_y + 1) % 3) for one in rows]
    spoiled[1].test_x[2, 1] = np.nan
    stack = initial_stack([one.key for one in rows], seed=0, inputs=4, hidden=16, classes=3, dtype=np.float64)
    how = PruneRule(Thresholds(correlated=0.8), retrain_epochs=2)
    clean, clean_lines, _ = receipt(stack, rows, rule(), how)
    result, lines, _ = receipt(stack, spoiled, rule(), how)
    assert clean_lines
    assert [(line.fold, line.unit, line.value) for line in lines] == [
        (line.fold, line.unit, line.value) for line in clean_lines
    ]
    for name in ("w1", "b1", "w2", "b2", "alive"):
        np.testing.assert_array_equal(getattr(clean.stack, name), getattr(result.stack, name))


def test_max_rounds_ends_pruning_early(rule):
    stack, rows = planted()
    result, lines, _ = receipt(stack, rows, rule(), replace(SLOW, max_rounds=2))
    assert len(lines) == 2
    assert result.stack.widths.tolist() == [UNITS - 2]


def test_pruning_leaves_the_given_stack_untouched(rule):
    stack, rows = planted()
    copy = stack.take(np.array([0]))
    receipt(stack, rows, rule(), SLOW)
    np.testing.assert_array_equal(stack.w1, copy.w1)
    assert stack.alive.all()


def test_all_units_dead_leaves_one(rule):
    stack, rows = planted()
    stack.b1[:] = -50
    stack.w1[:] = 0
    result, lines, _ = receipt(stack, rows, rule(rate=1e-6), replace(SLOW, all_at_once=True))
    assert [line.unit for line in lines] == list(range(UNITS - 1))
    assert result.stack.widths.tolist() == [1]
