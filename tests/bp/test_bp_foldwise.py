import numpy as np
import pytest

from fercli.bp.foldwise import FINAL_FOLD, final_fold, learned_from, prepare, prune_rule_of, rule_of, untrained
from fercli.bp.pruning import prune
from fercli.bp.training import finish, train
from fercli.config.bp import PruneBPConfig
from fercli.config.preprocessing import PreprocessingConfig
from fercli.config.protocol import ProtocolConfig
from fercli.errors import UsageError
from fercli.protocol.leak_test import leak_test
from fercli.records import Block, Fold

BLOCKS = (Block("first", 0, 4), Block("second", 4, 7))


def data(rows=120):
    drawn = np.random.default_rng(5)
    labels = drawn.integers(0, 3, rows)
    features = drawn.standard_normal((rows, 7)) + labels[:, None] * np.linspace(0, 1, 7)
    features[:, 1] = np.exp(3 * features[:, 1])
    return features, labels


def fold(rows=120):
    order = np.random.default_rng(0).permutation(rows)
    return Fold(0, 3, np.sort(order[30:]), np.sort(order[:30]), np.sort(order[30:50]))


def everything_fitted(config):
    """Train and prune one fold, and give back all that was fitted for it."""

    def fit(features, labels, one):
        prepared = prepare(features, BLOCKS, labels, [one], config)
        stack = untrained(prepared.rows, 3, config)
        run = train(stack, prepared.rows, rule_of(config), epochs=config.epochs, patience=config.patience)
        trained = finish(run)
        how = prune_rule_of(config)
        pruned = finish(
            prune(trained.stack, prepared.rows, rule_of(config), how, first_epoch=9, patience=config.patience)
        )
        weights = {name: getattr(pruned.stack, name) for name in ("w1", "b1", "w2", "b2", "alive")}
        return {**prepared.fitted[0].to_arrays(), **weights, "epochs": trained.epochs, "rounds": pruned.rounds}

    return fit


@pytest.mark.parametrize("patience", [None, 2])
def test_nothing_that_is_fitted_or_pruned_follows_the_held_out_rows(patience):
    config = PruneBPConfig(
        hidden=12,
        epochs=6,
        patience=patience,
        lr=0.05,
        correlated=0.7,
        retrain_epochs=2,
        preprocessing=PreprocessingConfig(pca=2),
    )
    fit, (features, labels), one = everything_fitted(config), data(), fold()
    assert fit(features, labels, one)["rounds"][0] > 0
    assert leak_test(fit, features, labels, one) == ()


def test_the_leak_test_sees_a_network_that_learns_from_all_rows():
    config = PruneBPConfig(hidden=4, epochs=1)
    honest = everything_fitted(config)

    def cheat(features, labels, one):
        return honest(features, labels, Fold(one.repeat, one.fold, np.arange(len(labels)), one.test, one.inner))

    features, labels = data()
    features[:, :] = np.clip(features, -1e3, 1e3)
    altered = {
        leak.alteration for leak in leak_test(lambda f, y, o: cheat(np.nan_to_num(f), y, o), features, labels, fold())
    }
    assert "held-out labels permuted" in altered
    assert "held-out values x 1000" in altered


def test_inner_rows_are_held_back_only_when_early_stopping_reads_them():
    one = fold()
    assert len(learned_from(one, PruneBPConfig())) == 90
    assert len(learned_from(one, PruneBPConfig(patience=3))) == 70
    validation = PruneBPConfig(patience=3, protocol=ProtocolConfig(monitor="validation"))
    assert len(learned_from(one, validation)) == 90


def test_training_columns_are_standardised_by_the_rows_learned_from():
    features, labels = data()
    prepared = prepare(features, BLOCKS, labels, [fold()], PruneBPConfig(precision="float64"))
    rows = prepared.rows[0]
    np.testing.assert_allclose(rows.x.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(rows.x.std(axis=0), 1, rtol=1e-12)
    assert np.abs(rows.test_x.mean(axis=0)).max() > 1e-3
    assert len(rows.inner_y) == 0
    np.testing.assert_array_equal(rows.y, labels[fold().train])


def test_final_fold_has_all_rows_and_its_own_seed_path():
    one = final_fold(np.arange(7))
    assert (one.fold, len(one.train), len(one.test), len(one.inner)) == (FINAL_FOLD, 7, 0, 0)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"hidden": 0}, "--hidden: input should be greater than or equal to 1"),
        ({"lr": 0}, "--lr: input should be greater than 0"),
        ({"momentum": 1}, "--momentum: input should be less than 1"),
        ({"saturated": 1.5}, "--saturated: input should be less than or equal to 1"),
        ({"optimizer": "rmsprop"}, "--optimizer: input should be 'adam', 'sgd' or 'momentum'"),
        ({"output": "softmax", "loss": "bce"}, "--loss bce needs --output sigmoid"),
        ({"patience": 3, "protocol": ProtocolConfig(monitor="none")}, "--monitor none leaves none"),
    ],
)
def test_options_out_of_bounds_are_named(values, message):
    with pytest.raises(UsageError, match=message):
        PruneBPConfig.of(**values)
