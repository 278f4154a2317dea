"""Rows with equal content, and the units (groups and copies joined) that must not be divided."""

import numpy as np
from numpy.typing import NDArray


def numbered(values: NDArray[np.str_] | NDArray[np.int64]) -> NDArray[np.int64]:
    """(N,) int64 number of each value, counted from 0 in order of first appearance, whatever the values are."""
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse.reshape(-1)]


def copies(contents: NDArray[np.str_]) -> NDArray[np.int64]:
    """Number the rows so that rows with equal content share a number.

    contents: (N,) str, a hash of each row's pixels or features; "" is unknown and equals nothing.
    """
    return _numbered_apart(contents)


def group_numbers(groups: NDArray[np.str_]) -> NDArray[np.int64]:
    """(N,) int64 number of each row's group; a row whose group is unknown ("") is a group of its own."""
    return _numbered_apart(groups)


def merge(groups: NDArray[np.int64], copies: NDArray[np.int64]) -> NDArray[np.int64]:
    """Units that must stay whole: rows joined through a chain of shared groups and shared copies.

    groups, copies: (N,) int64 numbers. Returns (N,) int64, numbered in order of first appearance.
    """
    first = numbered(groups)
    second = numbered(copies)
    if len(first) == 0:
        return first
    parent = np.arange(first.max() + 1)

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    # Only rows that share a copy can join groups: walk those, not all N.
    order = np.argsort(second, kind="stable")
    same = np.flatnonzero(second[order][1:] == second[order][:-1])
    for position in same.tolist():
        left, right = root(first[order[position]]), root(first[order[position + 1]])
        parent[max(left, right)] = min(left, right)
    roots = np.array([root(node) for node in range(len(parent))], dtype=np.int64)
    return numbered(roots[first])


def repeated(copies: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(N,) bool, True on every row that is a copy of an earlier one."""
    later = np.ones(len(copies), dtype=bool)
    later[np.unique(copies, return_index=True)[1]] = False
    return later


def crossing(units: NDArray[np.int64], folds: NDArray[np.int64]) -> NDArray[np.int64]:
    """The unit numbers that have rows in more than one fold, sorted. units, folds: (N,) int64."""
    pairs = np.unique(np.column_stack([units, folds]), axis=0)
    values, counts = np.unique(pairs[:, 0], return_counts=True)
    return values[counts > 1]


def _numbered_apart(values: NDArray[np.str_]) -> NDArray[np.int64]:
    unknown = values == ""
    numbers = np.empty(len(values), dtype=np.int64)
    known = numbered(values[~unknown])
    numbers[~unknown] = known
    start = int(known.max()) + 1 if len(known) else 0
    numbers[unknown] = np.arange(start, start + int(unknown.sum()))
    return numbered(numbers)
