"""Near copies among a million pictures: every pair whose hashes differ in few bits, then the pixels decide.

Candidates come from sorted tables (Manku, Jain & Das Sarma 2007, "Detecting near-duplicates for web crawling"): cut 64
bits into b + 3 blocks; hashes that differ in at most b bits agree on three whole blocks at least, so they stand beside
each other in one of the tables that sort by three blocks. No pair is missed, and no pair comes twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fercli.datasets.duplicate_sets import sets_of
from fercli.datasets.mapped_rows import gather
from fercli.datasets.perceptual_hash import BITS, distance, gray_planes, packed

_AGREEING = 3
# Of more hashes with one key, each is compared with this many that follow it: time stays linear in any data set.
CROWD = 256
_CHUNK_BYTES = 32 * 2**20


@dataclass(frozen=True)
class NearSets:
    """members: positions (at least two, rising) of pictures joined by a chain of near pairs, by first position.

    crowded: how many pictures had more candidates in one table than were looked at; 0 means that no pair was missed.
    """

    members: tuple[NDArray[np.int64], ...]
    crowded: int


def candidate_pairs(
    hashes: NDArray[np.uint64], bits: int, *, crowd: int = CROWD
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
    """Batches (left, right, crowded) of positions in `hashes` (N,) that differ in at most `bits` bits, each pair once.

    crowded: positions with more than `crowd` followers of one key, whose further candidates were not looked at.
    """
    count = bits + _AGREEING
    place = np.arange(BITS) * count // BITS
    blocks = packed(place[None, :] == np.arange(count)[:, None])
    for kept in combinations(range(count), _AGREEING):
        key = hashes & np.bitwise_or.reduce(blocks[list(kept)])
        order = np.argsort(key, kind="stable")
        key = key[order]
        # A pair belongs to the table of the first three blocks that it agrees on.
        earlier = [block for block in range(kept[-1]) if block not in kept]
        at = np.arange(len(order) - 1)
        for offset in range(1, crowd + 2):
            at = at[: np.searchsorted(at, len(order) - offset)]
            at = at[key[at] == key[at + offset]]
            if not len(at):
                break
            left, right = order[at], order[at + offset]
            if offset > crowd:
                yield left[:0], right[:0], left
                break
            near = distance(hashes[left], hashes[right]) <= bits
            left, right = left[near], right[near]
            differing = hashes[left] ^ hashes[right]
            new = np.ones(len(left), dtype=bool)
            for block in earlier:
                new &= (differing & blocks[block]) != 0
            if new.any():
                yield left[new], right[new], left[:0]


def difference(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(n,) root mean square difference of planes (n, H, W[, 3]) as gray, each brought to mean 0 and deviation 1.

    0 for equal pictures, whatever their light and contrast, 1.41 for unrelated ones; constant planes count as zeros.
    """
    first, second = _standard(left), _standard(right)
    first -= second
    return np.sqrt(np.einsum("np,np->n", first, first) / max(1, first.shape[1]))


def near_sets(
    images: NDArray[np.uint8],
    rows: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    *,
    bits: int,
    threshold: float,
) -> NearSets:
    """The pictures images[rows] joined by pairs within `bits` bits and `threshold` (see `difference`).

    images: (N, H, W[, 3]). rows: (n,), pictures that differ from each other. hashes: (n,). Chains join: of a film's
    frames the first and the last may differ by more than the threshold.
    """
    labels = np.arange(len(rows))
    crowded = np.zeros(len(rows), dtype=bool)
    step = max(1, _CHUNK_BYTES // (8 * max(1, images[:1].size)))
    for lefts, rights, more in candidate_pairs(hashes, bits):
        crowded[more] = True
        for start in range(0, len(lefts), step):
            left, right = lefts[start : start + step], rights[start : start + step]
            # What is joined already need not be compared again: a crowd of copies costs no more than its chain.
            apart = labels[left] != labels[right]
            left, right = left[apart], right[apart]
            if not len(left):
                continue
            near = difference(gather(images, rows[left]), gather(images, rows[right])) <= threshold
            if near.any():
                labels = _joined(labels, left[near], right[near])
    return NearSets(tuple(sets_of(labels)), int(crowded.sum()))


def _joined(labels: NDArray[np.int64], left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
    ends = np.concatenate([labels[left], labels[right]])
    nodes, at = np.unique(ends, return_inverse=True)
    edges = at.reshape(2, -1)
    graph = coo_array((np.ones(edges.shape[1], dtype=bool), (edges[0], edges[1])), shape=(len(nodes), len(nodes)))
    _, component = connected_components(graph, directed=False)
    _, first = np.unique(component, return_index=True)
    renamed = np.arange(len(labels))
    renamed[nodes] = nodes[first][component]
    return renamed[labels]


def _standard(planes: NDArray[np.uint8]) -> NDArray[np.float64]:
    values = gray_planes(planes).reshape(len(planes), -1).astype(np.float64)
    values -= values.mean(axis=1, keepdims=True)
    spread = np.sqrt(np.einsum("np,np->n", values, values) / max(1, values.shape[1]))
    values /= np.where(spread > 0, spread, 1.0)[:, None]
    return values
