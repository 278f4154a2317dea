"""What people are told about a plan."""

import pytest
from protocol_rows import in_films, plain, rows, with_splits

from fercli.config.protocol import ProtocolConfig
from fercli.protocol.describe import Balance, balances, describe
from fercli.protocol.resolve import resolve


def test_one_line_per_protocol() -> None:
    assert describe(resolve(with_splits(), ProtocolConfig.of())) == (
        "official split: 40 train rows, scored on 10 validation rows"
    )
    assert describe(resolve(in_films(), ProtocolConfig.of(k=4, repeats=2, seed=3))) == (
        "stratified-grouped, 4 folds x 2 repeats of 60 rows in 12 groups, duplicates group, seed 3"
    )
    assert describe(resolve(plain(), ProtocolConfig.of(duplicates="keep"))) == (
        "stratified, 5 folds of 60 rows, duplicates keep, seed 0"
    )
    assert describe(resolve(with_splits(), ProtocolConfig.of(k=3, pool_splits=True))) == (
        "stratified, 3 folds of 60 rows, validation and test rows pooled with the training rows, duplicates group, "
        "seed 0"
    )


def test_balance_is_perfect_where_it_can_be() -> None:
    samples = plain(60)
    (only,) = balances(resolve(samples, ProtocolConfig.of(k=5)), samples)
    assert (only.rows_min, only.rows_max) == (12, 12)
    assert only.deviation == pytest.approx(0)


def test_balance_names_the_fold_and_class_that_are_furthest_off() -> None:
    samples = rows(["a", "a", "a", "b", "b", "b", "b", "b"])
    (only,) = balances(resolve(samples, ProtocolConfig.of(scheme="contiguous", k=2)), samples)
    assert only == Balance(0, 4, 4, pytest.approx(3 / 4 - 3 / 8), 0, "a")
