"""Properties that every division into folds has, whatever the rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fercli.errors import InputError
from fercli.protocol.duplicates import crossing, numbered
from fercli.protocol.folds import contiguous, grouped, leave_one_group_out, stratified, stratified_grouped

modest = settings(max_examples=60, deadline=None, derandomize=True)


@st.composite
def rows(draw: st.DrawFn) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Labels, units and a legal k; units of mixed sizes, some of one row."""
    seed = draw(st.integers(0, 10_000))
    count = draw(st.integers(4, 120))
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, draw(st.integers(1, 7)), count)
    units = rng.integers(0, draw(st.integers(2, count)), count)
    units[0], units[1] = 0, 1
    return labels, units, draw(st.integers(2, min(12, len(np.unique(units)))))


@modest
@given(rows(), st.integers(0, 99))
def test_units_stay_whole_and_every_fold_has_rows(
    case: tuple[NDArray[np.int64], NDArray[np.int64], int], seed: int
) -> None:
    labels, units, k = case
    for made in (
        stratified_grouped(labels, units, k=k, repeats=2, seed=seed),
        grouped(units, k=k, repeats=2, seed=seed),
    ):
        assert made.shape == (2, len(labels))
        for folds in made:
            assert set(folds.tolist()) == set(range(k))
            assert len(crossing(units, folds)) == 0


@modest
@given(st.lists(st.integers(0, 6), min_size=2, max_size=150), st.integers(2, 12), st.integers(0, 99))
def test_single_rows_are_shared_to_within_one_row(values: list[int], k: int, seed: int) -> None:
    labels, k = np.array(values), min(k, len(values))
    for folds in stratified(labels, k=k, repeats=2, seed=seed):
        sizes = np.bincount(folds, minlength=k)
        assert sizes.max() - sizes.min() <= 1
        for label in np.unique(labels):
            counts = np.bincount(folds[labels == label], minlength=k)
            assert counts.max() - counts.min() <= 1


@modest
@given(rows(), st.integers(0, 99))
def test_renaming_labels_and_units_changes_nothing(
    case: tuple[NDArray[np.int64], NDArray[np.int64], int], seed: int
) -> None:
    labels, units, k = case
    rng = np.random.default_rng(seed)
    new_labels, new_units = rng.permutation(50)[labels], rng.permutation(500)[units]
    np.testing.assert_array_equal(
        stratified_grouped(labels, units, k=k, repeats=2, seed=seed),
        stratified_grouped(new_labels, new_units, k=k, repeats=2, seed=seed),
    )


@modest
@given(rows(), st.integers(0, 99))
def test_same_seed_same_folds_and_a_repeat_does_not_depend_on_how_many_follow(
    case: tuple[NDArray[np.int64], NDArray[np.int64], int], seed: int
) -> None:
    labels, units, k = case
    three = stratified_grouped(labels, units, k=k, repeats=3, seed=seed)
    np.testing.assert_array_equal(three, stratified_grouped(labels, units, k=k, repeats=3, seed=seed))
    np.testing.assert_array_equal(three[:2], stratified_grouped(labels, units, k=k, repeats=2, seed=seed))


def films(seed: int = 0) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Labels and groups shaped like SFEW: 7 classes, 58 films of 1 to 54 rows."""
    rng = np.random.default_rng(seed)
    sizes = np.sort(np.maximum(1, np.round(54 * rng.random(58) ** 2))).astype(int)
    groups = np.repeat(np.arange(58), sizes)
    return rng.integers(0, 7, len(groups)), groups


def test_repeats_and_seeds_differ_as_much_as_chance_lets_them() -> None:
    """Two films share a fold in two repeats about as often as in independent divisions (1 in k)."""
    labels, groups = films()
    first_row = np.unique(groups, return_index=True)[1]
    made = np.concatenate([stratified_grouped(labels, groups, k=5, repeats=4, seed=seed) for seed in (0, 1)])
    pairs = np.triu_indices(58, 1)
    together = [(row[first_row][:, None] == row[first_row])[pairs] for row in made]
    for one in range(8):
        for other in range(one):
            overlap = np.mean(together[one] & together[other]) / np.mean(together[one])
            assert overlap < 0.4


@pytest.mark.parametrize("seed", range(5))
def test_repeats_are_different_divisions_while_there_are_any_left(seed: int) -> None:
    """Four units of two rows go into two folds in three balanced ways; single rows in thousands."""
    units = np.repeat(np.arange(4), 2)
    few = grouped(units, k=2, repeats=3, seed=seed)
    assert len({numbered(folds).tobytes() for folds in few}) == 3
    many = stratified(np.arange(40) % 3, k=4, repeats=9, seed=seed)
    assert len({numbered(folds).tobytes() for folds in many}) == 9


def test_groups_are_balanced_better_than_scikit_learn_does() -> None:
    from sklearn.model_selection import StratifiedGroupKFold

    def unevenness(folds: NDArray[np.int64]) -> float:
        counts = np.stack([np.bincount(labels[folds == fold], minlength=7) for fold in range(5)])
        return float(np.sum((counts - counts.mean(axis=0)) ** 2 / counts.sum(axis=0)))

    for seed in range(5):
        labels, groups = films(seed)
        theirs = np.empty(len(labels), dtype=np.int64)
        splitter = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
        for fold, (_, held_out) in enumerate(splitter.split(labels, labels, groups)):
            theirs[held_out] = fold
        ours = stratified_grouped(labels, groups, k=5, repeats=1, seed=seed)[0]
        assert unevenness(ours) < 0.7 * unevenness(theirs)


def test_a_balance_that_exists_is_found() -> None:
    """Ten groups of one row per class: two in each of five folds is perfect."""
    labels, groups = np.tile(np.arange(7), 10), np.repeat(np.arange(10), 7)
    made = stratified_grouped(labels, groups, k=5, repeats=3, seed=0)
    for folds in made:
        assert np.bincount(folds).tolist() == [14] * 5
    assert len({numbered(folds).tobytes() for folds in made}) == 3


@modest
@given(
    st.lists(st.tuples(st.sampled_from([1, 1, 2, 5]), st.integers(0, 3)), min_size=2, max_size=8), st.integers(0, 999)
)
def test_as_many_folds_as_units_leave_none_empty(units: list[tuple[int, int]], seed: int) -> None:
    """Units of one class each, some of a single row: the hard case for filling every fold."""
    sizes, classes = np.array(units).T
    members = np.repeat(np.arange(len(units)), sizes)
    made = stratified_grouped(classes[members], members, k=len(units), repeats=1, seed=seed)
    assert len(np.unique(made)) == len(units)


def test_as_many_folds_as_rows_leaves_one_out() -> None:
    made = stratified(np.array([0, 0, 0, 1, 1]), k=5, repeats=1, seed=3)
    assert sorted(made[0].tolist()) == [0, 1, 2, 3, 4]


def test_contiguous_folds_are_blocks_in_file_order() -> None:
    assert contiguous(7, k=3).tolist() == [[0, 0, 0, 1, 1, 2, 2]]


def test_leave_one_group_out_numbers_groups_as_they_appear() -> None:
    assert leave_one_group_out(np.array([9, 9, 4, 9, 7])).tolist() == [[0, 0, 1, 0, 2]]
    with pytest.raises(InputError, match="leave-one-group-out needs at least two groups"):
        leave_one_group_out(np.array([3, 3]))


def test_k_too_large_names_the_largest_legal_k() -> None:
    labels = np.zeros(6, dtype=np.int64)
    with pytest.raises(InputError, match=r"^k is 7, but there are only 6 rows: the largest legal k is 6$") as caught:
        stratified(labels, k=7, repeats=1, seed=0)
    assert (caught.value.where, caught.value.next_step) == ("--k 7", "use --k 6 or less")
    with pytest.raises(InputError, match=r"^k is 4, but there are only 3 groups: the largest legal k is 3$"):
        grouped(np.array([0, 0, 1, 1, 2, 2]), k=4, repeats=1, seed=0)
    with pytest.raises(InputError, match=r"^k is 9, but there are only 6 rows: the largest legal k is 6$"):
        contiguous(6, k=9)
    with pytest.raises(InputError, match=r"^folds need at least 2 groups, and there is 1$"):
        grouped(labels, k=2, repeats=1, seed=0)
