"""Copies, and the units that groups and copies make together."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from fercli.protocol.duplicates import copies, crossing, group_numbers, merge, numbered, repeated


def test_equal_contents_share_a_number_and_unknown_ones_do_not() -> None:
    assert copies(np.array(["b", "a", "", "b", ""])).tolist() == [0, 1, 2, 0, 3]
    assert group_numbers(np.array(["", ""])).tolist() == [0, 1]
    assert numbered(np.array([7, 3, 7])).tolist() == [0, 1, 0]


def test_a_copy_joins_two_groups() -> None:
    groups = np.array([0, 0, 1, 1, 2, 2])
    assert merge(groups, np.array([0, 1, 1, 3, 4, 5])).tolist() == [0, 0, 0, 0, 1, 1]
    assert merge(groups, np.arange(6)).tolist() == [0, 0, 1, 1, 2, 2]
    assert merge(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)).tolist() == []


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 15), st.integers(0, 25)), min_size=1, max_size=40))
def test_merged_units_are_the_connected_components(pairs: list[tuple[int, int]]) -> None:
    groups, same = np.array(pairs).T
    edges = coo_matrix((np.ones(len(pairs)), (groups, same + 16)), shape=(42, 42))
    reference = connected_components(edges, directed=False)[1][groups]
    np.testing.assert_array_equal(merge(groups, same), numbered(reference))


def test_all_but_the_first_of_each_set_are_repeated() -> None:
    assert repeated(np.array([0, 1, 0, 2, 1, 0])).tolist() == [False, False, True, False, True, True]


def test_units_that_cross_folds() -> None:
    assert crossing(np.array([5, 5, 6, 6, 7]), np.array([0, 1, 2, 2, 0])).tolist() == [5]
