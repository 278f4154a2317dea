from dataclasses import replace

import numpy as np
import pytest

from fercli.bp.criteria import Finding, Thresholds
from fercli.bp.least_missed import least_missed, losses_without
from fercli.bp.network import NetworkKey, hidden_outputs, initial_stack
from fercli.bp.pruning import PruneRecord, PruneRule, Scores, prune, scores_of
from fercli.bp.removal import remove
from fercli.bp.sizes import choose_size, size_paths
from fercli.bp.training import finish, train

NEVER = PruneRule(Thresholds(dead=0, saturated=1, correlated=1), retrain_epochs=3)


def networks(rows, hidden=6, output="sigmoid"):
    keys = [one.key for one in rows]
    return initial_stack(keys, seed=0, inputs=4, hidden=hidden, classes=3, output=output, dtype=np.float64)


@pytest.fixture
def trained(three_clouds, rule):
    """Two small trained networks of different company, with their rows."""
    rows = [three_clouds(fold=0), three_clouds(fold=1, rows=70)]
    return finish(train(networks(rows), rows, rule(loss="ce"), epochs=5)).stack, rows


@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
@pytest.mark.parametrize("loss", ["ce", "mse"])
@pytest.mark.parametrize("absorb", [False, True])
def test_loss_without_a_unit_is_the_loss_after_its_removal(three_clouds, monkeypatch, output, loss, absorb):
    monkeypatch.setattr("fercli.bp.least_missed.VALUES_AT_ONCE", 200)  # several pieces
    rows = three_clouds()
    stack = networks([rows], output=output)
    stack.alive[0, 2] = False
    hidden = hidden_outputs(stack, 0, rows.x)
    slow = []
    for unit in (0, 1, 3, 4, 5):
        copy = stack.take(np.array([0]))
        remove(copy, 0, Finding(unit, "least-missed", 0.0), hidden, absorb=absorb)
        slow.append(scores_of(copy, 0, rows, loss).train_loss)
    np.testing.assert_allclose(losses_without(stack, 0, hidden, rows.y, loss, absorb=absorb), slow, rtol=1e-12)
    finding = least_missed(stack, 0, hidden, rows.y, loss, absorb=absorb)
    assert finding == Finding((0, 1, 3, 4, 5)[int(np.argmin(slow))], "least-missed", pytest.approx(min(slow)))


def test_a_unit_without_outgoing_weights_is_missed_least_and_the_last_unit_stays(trained):
    stack, rows = trained
    stack.w2[0, 4] = 0
    hidden = hidden_outputs(stack, 0, rows[0].x)
    # Nothing changes without it; only a unit that does harm could be missed less.
    without = losses_without(stack, 0, hidden, rows[0].y, "ce")
    assert without[4] == pytest.approx(scores_of(stack, 0, rows[0], "ce").train_loss)
    stack.alive[0] = np.arange(6) == 3
    assert least_missed(stack, 0, hidden_outputs(stack, 0, rows[0].x), rows[0].y, "ce") is None


def test_pruning_goes_down_to_the_sizes_asked_for(trained, rule):
    stack, rows = trained
    records = []
    down = np.array([2, 5])
    done = finish(prune(stack, rows, rule(loss="ce"), NEVER, first_epoch=5, down_to=down), records.append)
    assert done.stack.widths.tolist() == [2, 5]
    removed = [record for record in records if isinstance(record, PruneRecord)]
    assert [record.hidden for record in removed if record.network == 0] == [5, 4, 3, 2]
    assert {record.criterion for record in removed} == {"least-missed"}
    for record in removed:
        assert record.value == pytest.approx(record.removed.train_loss)
    # Alone as in company, and without its control the same.
    alone = prune(stack.take(np.array([1])), rows[1:], rule(loss="ce"), NEVER, first_epoch=5, down_to=down[1:])
    np.testing.assert_array_equal(finish(alone).stack.w1[0], done.stack.w1[1])
    bare = prune(stack, rows, rule(loss="ce"), NEVER, first_epoch=5, down_to=down, with_control=False)
    bare = finish(bare)
    np.testing.assert_array_equal(bare.stack.w2, done.stack.w2)
    np.testing.assert_array_equal(bare.control.w2, stack.w2)


def test_retraining_only_repairs_and_the_control_stops_with_its_network(trained, rule):
    stack, rows = trained
    stack.w2[:, 4] = 0  # its removal costs nothing, so nothing is retrained
    goals = [scores_of(stack, network, rows[network], "ce").train_loss for network in (0, 1)]
    how = PruneRule(NEVER.thresholds, retrain_epochs=200)
    records = []
    done = finish(prune(stack, rows, rule(loss="ce"), how, first_epoch=5, down_to=np.array([5, 3])), records.append)
    epochs = [record for record in records if not isinstance(record, PruneRecord)]
    assert not any(record.trained[0] for record in epochs)
    np.testing.assert_array_equal(done.control.w1[0], stack.w1[0])
    assert 0 < len(epochs) < 400
    last = [record for record in records if isinstance(record, PruneRecord)][-1]
    assert last.retrained.train_loss == pytest.approx(goals[1], rel=0.05)
    # The control saw the same epochs: training it alone for as many gives the same weights only if so.
    assert scores_of(done.control, 1, rows[1], "ce").train_loss < goals[1]


def test_scores_may_be_shown_in_another_loss_than_the_one_that_decides(trained, rule):
    stack, rows = trained
    records = []
    run = prune(stack, rows, rule(loss="mse"), NEVER, first_epoch=5, down_to=np.array([5, 5]), shown_loss="ce")
    done = finish(run, records.append)
    first = next(record for record in records if isinstance(record, PruneRecord))
    assert first.before == scores_of(stack, 0, rows[0], "ce")
    assert first.retrained == scores_of(done.stack, 0, rows[0], "ce")
    assert first.value < 0.5 < first.removed.train_loss  # a squared error, and a log loss


def record(network, hidden, loss):
    scores = Scores(0.0, 0.0, loss, 0.0)
    return PruneRecord(network, 0, 0, 1, 0, "least-missed", 0.0, None, hidden, scores, scores, scores)


def test_paths_carry_on_where_a_size_was_jumped_over():
    records = [record(0, 3, 1.5), record(0, 1, 1.2), record(1, 2, 0.7), record(1, 2, 0.7)]
    np.testing.assert_array_equal(size_paths(records, [2.0, 1.0], 4), [[2.0, 1.5, 1.5, 1.2], [1.0, 1.0, 0.7, 0.7]])


def test_the_smallest_size_within_one_standard_error_of_the_best():
    #          units  5    4    3    2    1
    paths = np.array([[2.0, 1.0, 1.3, 1.35, 3.0], [2.0, 1.8, 1.7, 1.85, 3.0], [2.0, 1.4, 1.5, 1.8, 3.0]])
    choice = choose_size(paths)
    # best: 4 units, mean 1.4, standard error 0.4 / sqrt(3) = 0.2309; 2 units have 1.6667, 3 have 1.5
    assert (choice.best, choice.chosen) == (4, 3)
    assert choice.error[1] == pytest.approx(0.4 / np.sqrt(3))
    np.testing.assert_array_equal(choice.units, [5, 4, 3, 2, 1])
    assert choose_size(paths, 0.4).chosen == 4
    assert choose_size(paths, 1.2).chosen == 2
    flat = choose_size(np.ones((3, 5)))
    assert (flat.best, flat.chosen) == (1, 1)


def test_a_key_is_no_network(trained):
    """Two networks of one key keep their own records apart."""
    stack, rows = trained
    twin = type(rows[1])(
        NetworkKey(0, 0), *[getattr(rows[1], name) for name in ("x", "y", "test_x", "test_y", "inner_x", "inner_y")]
    )
    from fercli.bp.chunk import Rule

    rule = Rule("ce", "adam", 0.01, 0.9, 0.0, 32, 0)
    records = []
    finish(prune(stack, [rows[0], twin], rule, NEVER, first_epoch=5, down_to=np.array([4, 5])), records.append)
    removed = [one for one in records if isinstance(one, PruneRecord)]
    assert {one.fold for one in removed} == {0}
    assert [one.network for one in removed] == [0, 1, 0]


def test_held_out_rows_do_not_say_when_a_removal_is_made_good(trained, rule):
    stack, rows = trained
    how, found = replace(NEVER, retrain_epochs=8), []
    spoiled = [replace(one, test_x=one.test_x * 1000, test_y=(one.test_y + 1) % 3) for one in rows]
    spoiled[1].test_x[2, 1] = np.nan
    for own in (rows, spoiled):
        epochs = []
        run = prune(stack, own, rule(loss="ce"), how, first_epoch=5, down_to=np.array([1, 1]))
        done = finish(run, lambda one, into=epochs: isinstance(one, PruneRecord) or into.append(one.trained.tolist()))
        found.append((done, epochs))
    (clean, epochs), (other, others) = found
    # Some removals were made good before all epochs of their round were used.
    assert 0 < sum(map(sum, epochs)) < 8 * 2 * 5
    assert epochs == others
    for name in ("w1", "b1", "w2", "b2", "alive"):
        np.testing.assert_array_equal(getattr(clean.stack, name), getattr(other.stack, name))
        np.testing.assert_array_equal(getattr(clean.control, name), getattr(other.control, name))
