"""A random forest as arrays: the nodes of all trees in one table."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.baselines.arrays import Arrays


def from_forest(estimator: Any) -> Arrays:
    """Nodes of a fitted `RandomForestClassifier`, tree after tree.

    roots (T,), left, right (M,) int32 node numbers (-1, -1 at a leaf), columns (M,) int32, thresholds (M,) float64,
    leaves (M,) int32 row of `shares`, shares (leaves, c) float64 class shares.
    """
    roots, left, right, columns, thresholds, leaves, shares = [], [], [], [], [], [], []
    nodes = ends = 0
    for tree in (member.tree_ for member in estimator.estimators_):
        leaf = tree.children_left < 0
        roots.append(nodes)
        left.append(np.where(leaf, -1, tree.children_left + nodes))
        right.append(np.where(leaf, -1, tree.children_right + nodes))
        columns.append(np.where(leaf, 0, tree.feature))
        thresholds.append(np.where(leaf, 0.0, tree.threshold))
        leaves.append(np.where(leaf, np.cumsum(leaf) - 1 + ends, -1))
        values = tree.value[leaf, 0, :]
        shares.append(values / values.sum(axis=1, keepdims=True))
        nodes += tree.node_count
        ends += int(leaf.sum())
    return {
        "roots": np.array(roots, dtype=np.int32),
        "left": np.concatenate(left).astype(np.int32),
        "right": np.concatenate(right).astype(np.int32),
        "columns": np.concatenate(columns).astype(np.int32),
        "thresholds": np.concatenate(thresholds).astype(np.float64),
        "leaves": np.concatenate(leaves).astype(np.int32),
        "shares": np.concatenate(shares),
    }


def forest_shares(arrays: Arrays, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, c) mean over the trees of the class shares in the leaf that each row of x (n, d) falls into."""
    # scikit-learn's trees compare columns as float32.
    values = x.astype(np.float32)
    left, right, columns = arrays["left"], arrays["right"], arrays["columns"]
    thresholds, leaves, shares = arrays["thresholds"], arrays["leaves"], arrays["shares"]
    total = np.zeros((len(x), shares.shape[1]))
    for root in arrays["roots"]:
        at = np.full(len(x), root, dtype=np.int32)
        moving = np.flatnonzero(left[at] >= 0)
        while len(moving):
            here = at[moving]
            below = values[moving, columns[here]] <= thresholds[here]
            at[moving] = np.where(below, left[here], right[here])
            moving = moving[left[at[moving]] >= 0]
        total += shares[leaves[at]]
    mean: NDArray[np.float64] = total / len(arrays["roots"])
    return mean
