"""The resolver, sentence by sentence of the protocol it promises."""

from typing import Any

import numpy as np
import pytest
from protocol_rows import in_films, plain, rows, with_splits

from fercli.config.protocol import ProtocolConfig
from fercli.errors import FerError, InputError, LeakRefused, UsageError
from fercli.protocol.official import held_out_test_rows, rows_of_test_split
from fercli.protocol.resolve import copy_free, is_official, left_out, resolve
from fercli.records import FoldPlan, Samples


def plan(samples: Samples, **options: Any) -> FoldPlan:
    """Resolve, and check what holds for every plan: a partition per repeat, training and held-out rows apart."""
    made = resolve(samples, ProtocolConfig.of(**options))
    for repeat in range(made.protocol.repeats):
        parts = [fold for fold in made.folds if fold.repeat == repeat]
        assert [fold.fold for fold in parts] == list(range(made.protocol.k))
        held_out = np.concatenate([fold.test for fold in parts])
        assert len(np.unique(held_out)) == len(held_out)
        for fold in parts:
            assert not np.intersect1d(fold.train, fold.test).size
            np.testing.assert_array_equal(np.union1d(fold.train, fold.test), made.rows)
        if made.protocol.scheme != "official":
            np.testing.assert_array_equal(np.sort(held_out), made.rows)
    return made


def refusal(error: type[FerError], samples: Samples, **options: Any) -> tuple[str, str | None, str | None]:
    with pytest.raises(error) as caught:
        resolve(samples, ProtocolConfig.of(**options))
    return caught.value.what, caught.value.where, caught.value.next_step


# What is taken when little is said


def test_rows_without_splits_or_groups_are_stratified_in_five() -> None:
    made = plan(plain())
    assert (made.protocol.scheme, made.protocol.k, made.protocol.groups) == ("stratified", 5, 0)
    assert (made.protocol.leaks, made.notes) == ((), ())


def test_rows_with_groups_keep_them_whole() -> None:
    samples = in_films()
    made = plan(samples, k=4, repeats=2)
    assert (made.protocol.scheme, made.protocol.k, made.protocol.groups) == ("stratified-grouped", 4, 12)
    for fold in made.folds:
        assert not np.intersect1d(samples.groups[fold.train], samples.groups[fold.test]).size
    assert made.protocol.leaks == ()


def test_an_official_split_is_taken_and_test_rows_stay_out() -> None:
    samples = with_splits()
    made = plan(samples)
    assert (made.protocol.scheme, made.protocol.k, made.split_names) == ("official", 1, ("train", "validation"))
    assert made.folds[0].train.tolist() == list(range(40))
    assert made.folds[0].test.tolist() == list(range(40, 50))
    assert made.notes == (
        "left out, test split (scored by evaluate, through the ledger): 10",
        "0 of 10 validation rows are copies of train rows",
    )
    assert rows_of_test_split(samples).tolist() == list(range(50, 60))
    assert held_out_test_rows(made, samples).size == 0


def test_a_test_split_alone_is_held_out_and_its_rows_are_for_the_ledger() -> None:
    samples = with_splits(validation=0)
    made = plan(samples)
    assert made.split_names == ("train", "test")
    np.testing.assert_array_equal(held_out_test_rows(made, samples), np.arange(40, 50))


def test_k_alone_makes_folds_of_the_train_rows() -> None:
    made = plan(with_splits(), k=4)
    assert made.protocol.scheme == "stratified"
    np.testing.assert_array_equal(made.rows, np.arange(40))
    assert made.notes == (
        "left out, test split (--pool-splits takes it into the folds): 10",
        "left out, validation split (--pool-splits takes it into the folds): 10",
    )


@pytest.mark.parametrize("options", [{"pool_splits": True}, {"scheme": "stratified", "pool_splits": True}])
def test_pooled_splits_enter_the_folds(options: dict[str, Any]) -> None:
    samples = with_splits()
    made = plan(samples, **options)
    assert len(made.rows) == 60
    assert made.protocol.pooled
    np.testing.assert_array_equal(held_out_test_rows(made, samples), np.arange(50, 60))


def test_splits_are_pooled_where_rows_of_a_later_one_train() -> None:
    assert not plan(with_splits()).protocol.pooled
    assert not plan(with_splits(), k=3).protocol.pooled
    assert not plan(plain(), pool_splits=True).protocol.pooled, "there is nothing to pool"


def test_which_options_mean_the_official_split() -> None:
    split = with_splits()
    assert is_official(split, ProtocolConfig.of())
    assert is_official(plain(), ProtocolConfig.of(scheme="official"))
    assert not is_official(plain(), ProtocolConfig.of())
    for options in ({"k": 3}, {"scheme": "auto"}, {"folds": "mine"}, {"pool_splits": True}):
        assert not is_official(split, ProtocolConfig.of(**options))
    assert not is_official(with_splits(validation=0, test=0), ProtocolConfig.of())


# Rows that do not take part


def test_unlabelled_rows_are_left_out_and_counted() -> None:
    samples = rows(["a", "", "b", "z", "a", "b"] * 5, classes=("a", "b"))
    made = plan(samples, k=2)
    assert len(made.rows) == 20
    assert made.notes == ("left out, label not among the classes: 5", "left out, no label: 5")
    listed = left_out(samples, ProtocolConfig.of(k=2))
    assert [(row.source, row.reason) for row in listed[:2]] == [
        ("r1", "no label"),
        ("r3", "label not among the classes"),
    ]
    assert len(listed) == 10


def test_nothing_left_is_refused_with_the_counts() -> None:
    what, _, next_step = refusal(InputError, rows(["", ""], classes=("a",)))
    assert what == "none of the 2 rows can take part; left out, no label: 2"
    assert next_step == "give rows with labels; --pool-splits takes every split into the folds"
    what, _, _ = refusal(InputError, with_splits(train=0), k=2)
    assert what.startswith("none of the 20 rows can take part; left out, test split (--pool-splits")


# Copies


def copied(**options: Any) -> Samples:
    """Thirty rows, each standing twice."""
    labels = ["angry", "happy", "sad"] * 20
    return rows(labels, contents=[f"c{number % 30}" for number in range(60)], **options)


def test_copies_share_a_fold_and_an_inner_part() -> None:
    made = plan(copied(), k=5)
    for fold in made.folds:
        assert not np.intersect1d(made.copies[fold.train], made.copies[fold.test]).size
        assert not np.intersect1d(made.copies[fold.inner], made.copies[fold.fit]).size
        assert 0 < len(fold.inner) < len(fold.train)
    assert made.notes == ("identical rows: 60, sets of them: 30 (--duplicates group)",)


def test_a_copy_joins_two_films() -> None:
    films = [f"film{number // 10}" for number in range(60)]
    contents = [f"c{number}" for number in range(60)]
    contents[10] = "c0"
    samples = rows(["a", "b"] * 30, groups=films, contents=contents)
    for fold in plan(samples, k=5).folds:
        assert len(np.intersect1d(fold.test, np.arange(20))) in (0, 20)
    assert refusal(InputError, samples, k=6)[0] == "k is 6, but there are only 5 groups: the largest legal k is 5"


def test_dropped_copies_are_reported() -> None:
    made = plan(copied(), k=5, duplicates="drop")
    np.testing.assert_array_equal(made.rows, np.arange(30))
    assert made.notes == ("left out, copy of an earlier row (--duplicates drop): 30",)


def test_kept_copies_are_a_leak_in_words() -> None:
    made = plan(copied(), k=5, duplicates="keep")
    assert made.protocol.leaks[0].startswith("sets of identical rows that lie in more than one fold: ")
    fold = made.folds[0]
    kept = copy_free(made, fold)
    assert len(fold.test) - len(kept) > 0
    assert not np.isin(made.copies[kept], made.copies[fold.train]).any()


def test_copies_across_the_official_split_never_refuse_and_are_counted() -> None:
    samples = copied(splits=["train"] * 25 + ["validation"] * 35)
    made = plan(samples)
    assert made.protocol.leaks == ()
    assert made.notes == ("25 of 35 validation rows are copies of train rows",)
    np.testing.assert_array_equal(copy_free(made, made.folds[0]), [25, 26, 27, 28, 29, 55, 56, 57, 58, 59])


def test_dropping_on_the_official_split_leaves_held_out_rows_alone() -> None:
    samples = copied(splits=["train"] * 40 + ["validation"] * 20)
    made = plan(samples, duplicates="drop")
    np.testing.assert_array_equal(made.folds[0].train, np.arange(30))
    np.testing.assert_array_equal(made.folds[0].test, np.arange(40, 60))


# Schemes


def test_stratified_on_grouped_rows_is_refused_with_the_number_of_groups() -> None:
    samples = in_films()
    what, where, next_step = refusal(LeakRefused, samples, scheme="stratified", k=5)
    assert what == "these folds would cut 12 of 12 groups: rows of one group would train and be held out"
    assert where == "--scheme stratified"
    assert next_step == (
        "use --scheme auto, which keeps groups whole, or --allow-group-leak, which every table then says"
    )
    made = plan(samples, scheme="stratified", k=5, allow_group_leak=True)
    assert made.protocol.leaks == ("groups with rows both in training and held out: 12 of 12",)


def test_contiguous_folds_are_labelled_and_need_no_permission() -> None:
    samples = rows(["a"] * 6 + ["b"] * 6, groups=["f", "g"] * 6, contents=["c"] * 2 + list("defghijklm"))
    made = plan(samples, scheme="contiguous", k=3)
    assert [fold.test.tolist() for fold in made.folds] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert made.protocol.leaks == (
        "contiguous folds are flawed: rows are taken in file order, so on a sorted file training and held-out rows "
        "differ in class",
        "groups with rows both in training and held out: 2 of 2",
    )
    apart = rows(["a", "b"] * 6, contents=["c", *list("defghijklm"), "c"])
    assert plan(apart, scheme="contiguous", k=3).protocol.leaks[1] == (
        "sets of identical rows that lie in more than one fold: 1"
    )


def test_one_group_out() -> None:
    samples = in_films()
    made = plan(samples, scheme="logo")
    assert (made.protocol.scheme, made.protocol.k) == ("logo", 12)
    assert all(len(set(samples.groups[fold.test].tolist())) == 1 for fold in made.folds)


def test_grouped_keeps_groups_whole() -> None:
    samples = in_films()
    for fold in plan(samples, scheme="grouped", k=4).folds:
        assert len(fold.test) == 15
        assert not np.intersect1d(samples.groups[fold.train], samples.groups[fold.test]).size


def test_rare_classes_are_warned_about() -> None:
    made = plan(rows(["a"] * 30 + ["b"] * 3), k=5)
    assert made.notes == ("class b has 3 rows, fewer than the 5 folds: some folds hold none of it",)


def test_repeats_that_cannot_differ_are_warned_about() -> None:
    made = plan(rows(["a", "b"] * 3, groups=["f", "f", "g", "g", "h", "h"]), k=3, repeats=4)
    assert made.notes[-1] == "the 4 repeats hold only 1 different divisions: the data allows no others"


@pytest.mark.parametrize(
    ("options", "what", "where", "next_step"),
    [
        (
            {"k": 1000},
            "k is 1000, but there are only 60 rows: the largest legal k is 60",
            "--k 1000",
            "use --k 60 or less",
        ),
        (
            {"scheme": "grouped", "k": 3},
            "--scheme grouped needs groups, and none of the 60 rows has one",
            None,
            "use --scheme stratified, or import the data with a group column",
        ),
        (
            {"scheme": "logo"},
            "--scheme logo needs groups, and none of the 60 rows has one",
            None,
            "use --scheme stratified, or import the data with a group column",
        ),
        (
            {"scheme": "official"},
            "the rows have no official split: train rows and validation or test rows are needed",
            None,
            "use --scheme auto, which makes folds",
        ),
        (
            {"folds": "mine"},
            "the folds mine were not loaded",
            None,
            "pass them as `standing`",
        ),
    ],
)
def test_refused_input(options: dict[str, Any], what: str, where: str | None, next_step: str) -> None:
    assert refusal(InputError, plain(), **options) == (what, where, next_step)


def test_k_beyond_the_groups_names_their_number() -> None:
    what, where, next_step = refusal(InputError, in_films(), k=100)
    assert what == "k is 100, but there are only 12 groups: the largest legal k is 12"
    assert (where, next_step) == ("--k 100", "use --k 12 or less")


@pytest.mark.parametrize(
    ("options", "what", "where", "next_step"),
    [
        (
            {"scheme": "contiguous", "repeats": 3},
            "--scheme contiguous draws nothing, so 3 repeats would be the same folds",
            "--repeats 3",
            "leave --repeats away, or use --scheme auto",
        ),
        (
            {"scheme": "logo", "k": 3},
            "--scheme logo makes one fold per group, so --k has no meaning",
            "--k 3",
            "leave --k away, or use --scheme grouped",
        ),
        (
            {"scheme": "official", "k": 3},
            "--k has no meaning on the official split, which is one fold",
            None,
            "leave --k away, or make folds with --scheme auto",
        ),
        (
            {"scheme": "official", "repeats": 3},
            "--repeats has no meaning on the official split, which is one fold",
            None,
            "leave --repeats away, or make folds with --scheme auto",
        ),
        (
            {"scheme": "official", "pool_splits": True},
            "--pool-splits has no meaning on the official split, which is one fold",
            None,
            "leave --pool-splits away, or make folds with --scheme auto",
        ),
    ],
)
def test_options_that_contradict(options: dict[str, Any], what: str, where: str | None, next_step: str) -> None:
    assert refusal(UsageError, in_films(), **options) == (what, where, next_step)


# What choices read


def test_choices_read_an_inner_part_by_default() -> None:
    samples = with_splits(train=100)
    fold = plan(samples).folds[0]
    assert len(fold.inner) == 10
    assert np.isin(fold.inner, fold.train).all()
    np.testing.assert_array_equal(np.union1d(fold.fit, fold.inner), fold.train)
    assert len(plan(samples, inner_fraction=0.3).folds[0].inner) == 30


def test_inner_rows_keep_groups_whole_even_where_folds_cut_them() -> None:
    samples = in_films(120, 24)
    for fold in plan(samples, scheme="stratified", k=4, allow_group_leak=True).folds:
        assert not np.intersect1d(samples.groups[fold.inner], samples.groups[fold.fit]).size
        assert len(fold.inner)


def test_choosing_on_the_held_out_rows_is_said_under_every_table() -> None:
    made = plan(with_splits(), monitor="validation")
    np.testing.assert_array_equal(made.folds[0].inner, made.folds[0].test)
    np.testing.assert_array_equal(made.folds[0].fit, made.folds[0].train)
    assert made.protocol.leaks == (
        "selected on these rows: stopping and other choices read the held-out rows (--monitor validation)",
    )


def test_choosing_on_the_test_split_is_refused() -> None:
    what, where, next_step = refusal(LeakRefused, with_splits(validation=0), monitor="validation")
    assert what == "--monitor validation would choose on the test split: the rows have no validation split"
    assert (where, next_step) == (
        "--monitor validation",
        "use --monitor inner, which chooses on a part of the train rows",
    )


def test_no_monitor_no_inner_rows() -> None:
    assert all(len(fold.inner) == 0 for fold in plan(plain(), monitor="none").folds)


def test_the_seed_decides_everything() -> None:
    first, again, other = (plan(in_films(), k=4, seed=seed) for seed in (1, 1, 2))
    for one, two in zip(first.folds, again.folds, strict=True):
        np.testing.assert_array_equal(one.test, two.test)
        np.testing.assert_array_equal(one.inner, two.inner)
    assert any(not np.array_equal(a.test, b.test) for a, b in zip(first.folds, other.folds, strict=True))


def test_films_across_the_official_split_are_said() -> None:
    samples = rows(["a", "b"] * 6, groups=["f", "f", "g"] * 4, splits=["train"] * 8 + ["validation"] * 4)
    assert plan(samples).protocol.leaks == ("groups with rows both in training and held out: 2 of 2",)
