"""Folds that stand already: there and back, and every way in which a user's table is refused."""

from typing import Any

import numpy as np
import pytest
from protocol_rows import in_films, plain, rows, with_splits

from fercli.config.protocol import ProtocolConfig
from fercli.errors import FerError, InputError, LeakRefused, UsageError
from fercli.protocol.resolve import left_out, resolve
from fercli.protocol.standing import folds_table, read_folds_table
from fercli.records import Samples

Row = tuple[str, str, int, int]


def table(folds: list[int], *, group: str = "", repeat: int = 0) -> list[Row]:
    return [(f"r{number}", group, repeat, fold) for number, fold in enumerate(folds)]


@pytest.mark.parametrize(
    ("samples", "options"),
    [
        (plain(), {"k": 4, "repeats": 3, "seed": 5}),
        (in_films(), {"scheme": "stratified", "k": 4, "allow_group_leak": True}),
        (in_films(), {"scheme": "contiguous"}),
        (in_films(), {"scheme": "logo"}),
        (with_splits(), {"scheme": "official"}),
        (with_splits(), {"k": 3, "pool_splits": True}),
        (rows(["a", "b"] * 20, contents=["c", "d", "e", "f"] * 10), {"duplicates": "drop", "k": 2}),
        (rows(["a", "b"] * 20, contents=[f"c{number % 30}" for number in range(40)]), {"duplicates": "keep"}),
    ],
    ids=["repeats", "leak", "contiguous", "logo", "official", "pooled", "drop", "keep"],
)
def test_a_plan_comes_back_from_its_table(samples: Samples, options: dict[str, Any]) -> None:
    made = resolve(samples, ProtocolConfig.of(**options))
    lines = [[str(value) for value in row] for row in folds_table(made, samples)]
    standing = read_folds_table(lines, name="mine", protocol=made.protocol)
    back = resolve(samples, ProtocolConfig.of(folds="mine", seed=options.get("seed", 0)), standing=standing)
    assert back.protocol == made.protocol
    assert back.split_names == made.split_names
    for one, two in zip(made.folds, back.folds, strict=True):
        assert (one.repeat, one.fold) == (two.repeat, two.fold)
        for part in ("train", "test", "inner"):
            np.testing.assert_array_equal(getattr(one, part), getattr(two, part))


def test_a_users_table_is_taken_as_it_is() -> None:
    samples = plain(6)
    standing = read_folds_table(table([0, 1, -1, 0, 1]), name="mine.csv")
    config = ProtocolConfig.of(folds="mine.csv", monitor="none")
    made = resolve(samples, config, standing=standing)
    assert (made.protocol.scheme, made.protocol.k, made.protocol.leaks) == ("imported", 2, ())
    assert [fold.test.tolist() for fold in made.folds] == [[0, 3], [1, 4]]
    assert made.folds[0].train.tolist() == [1, 2, 4]
    assert made.notes == ("left out, not in the folds table: 1",)
    assert [row.source for row in left_out(samples, config, standing=standing)] == ["r5"]


def test_a_users_table_pools_splits_where_it_trains_on_a_later_one() -> None:
    samples, config = with_splits(4, 2, 2), ProtocolConfig.of(folds="mine.csv", monitor="none")
    as_official = read_folds_table(table([-1, -1, -1, -1, 0, 0]), name="mine.csv")
    assert not resolve(samples, config, standing=as_official).protocol.pooled
    crossing = read_folds_table(table([0, 1, 0, 1, 0, 1]), name="mine.csv")
    assert resolve(samples, config, standing=crossing).protocol.pooled


def taken(samples: Samples, lines: list[Row], **options: Any) -> tuple[str, ...]:
    config = ProtocolConfig.of(folds="mine.csv", **options)
    return resolve(samples, config, standing=read_folds_table(lines, name="mine.csv")).protocol.leaks


def refusal(error: type[FerError], samples: Samples, lines: list[Row]) -> tuple[str, str | None, str | None]:
    with pytest.raises(error) as caught:
        taken(samples, lines)
    return caught.value.what, caught.value.where, caught.value.next_step


def test_a_group_that_crosses_is_refused_unless_allowed_by_name() -> None:
    samples = rows(["a", "b"] * 3, groups=["f", "f", "g", "g", "h", "h"])
    lines = table([0, 0, 0, 1, 1, 1])
    assert refusal(LeakRefused, samples, lines) == (
        "these folds would cut 1 of 3 groups: rows of one group would train and be held out",
        "mine.csv",
        "use --scheme auto, which keeps groups whole, or --allow-group-leak, which every table then says",
    )
    assert taken(samples, lines, allow_group_leak=True) == ("groups with rows both in training and held out: 1 of 3",)
    assert taken(samples, table([0, 0, 1, 1, 0, 0])) == ()


def test_a_group_that_crosses_in_one_repeat_is_enough() -> None:
    samples = rows(["a", "b"] * 3, groups=["f", "f", "g", "g", "h", "h"])
    lines = [*table([0, 0, 1, 1, 0, 0]), *table([0, 0, 0, 1, 1, 1], repeat=1)]
    assert refusal(LeakRefused, samples, lines)[0].startswith("these folds would cut 1 of 3 groups")


def test_equal_folds_in_two_repeats_have_inner_parts_of_their_own() -> None:
    samples = plain(60)
    lines = [row for repeat in (0, 1) for row in table([number % 2 for number in range(60)], repeat=repeat)]
    made = resolve(samples, ProtocolConfig.of(folds="mine"), standing=read_folds_table(lines, name="mine"))
    np.testing.assert_array_equal(made.folds[0].test, made.folds[2].test)
    assert not np.array_equal(made.folds[0].inner, made.folds[2].inner)


def test_groups_that_only_the_table_knows_count_too() -> None:
    lines = table([0, 1, 0, 1], group="f")
    assert refusal(LeakRefused, plain(4), lines)[0].startswith("these folds would cut 1 of 1 groups")


def test_a_copy_that_crosses_is_refused_unless_allowed_by_name() -> None:
    samples = rows(["a", "b"] * 3, contents=["c", "d", "e", "c", "g", "h"])
    lines = table([0, 0, 0, 1, 1, 1])
    assert refusal(LeakRefused, samples, lines) == (
        "identical rows would train and be held out: 1 sets lie in more than one fold",
        "mine.csv",
        "move each set into one fold, or allow it with --duplicates keep, which every table then says",
    )
    assert taken(samples, lines, duplicates="keep") == ("sets of identical rows that lie in more than one fold: 1",)
    assert taken(samples, lines, duplicates="drop") == ()


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        (
            [*table([0, 1]), ("x9", "", 0, 1), ("x8", "", 0, 1)],
            "2 ids of the folds are not in the data, the first is x9",
        ),
        ([*table([0, 1, 0, 1]), ("r2", "", 0, 1)], "r2 stands 2 times in repeat 0 of the folds"),
        (
            [*table([0, 1, 0, 1]), *table([0, 1, 0], repeat=1)],
            "repeat 1 of the folds holds 3 ids, not the 4 of repeat 0",
        ),
        (table([0, 2, 0, 2]), "repeat 0 of the folds has no rows in fold 1"),
        (table([0, 0, 0]), "repeat 0 of the folds has 1 folds to hold out of 1 parts; it needs 1 of 2"),
        (table([-1, -1]), "repeat 0 of the folds has 0 folds to hold out of 1 parts; it needs 1 of 2"),
    ],
)
def test_a_table_that_makes_no_folds_is_refused(lines: list[Row], what: str) -> None:
    refused = refusal(InputError, plain(4), lines)
    assert refused[:2] == (what, "mine.csv")


@pytest.mark.parametrize(
    "row", [["r1", "", "0"], ["r1", "", "zero", "1"], ["r1", "", "-1", "0"], ["r1", "", "0", "-2"]]
)
def test_a_row_that_is_no_fold_is_named(row: list[str]) -> None:
    with pytest.raises(InputError, match="a row of a folds table is id, group, repeat, fold") as caught:
        read_folds_table([["r0", "", "0", "0"], row], name="mine.csv")
    assert caught.value.where == f"mine.csv, row 2: {','.join(row)}"


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(InputError, match="the folds table has no rows"):
        read_folds_table([], name="mine.csv")


def test_standing_folds_and_new_ones_contradict() -> None:
    standing = read_folds_table(table([0, 1, 0, 1]), name="mine.csv")
    with pytest.raises(UsageError, match=r"the folds mine\.csv stand already, so --scheme, --k and --repeats have no"):
        resolve(plain(4), ProtocolConfig.of(k=2), standing=standing)
