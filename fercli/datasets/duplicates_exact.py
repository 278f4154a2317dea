"""Rows whose stored values are equal, in linear time: equal digests first, then the values themselves."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.datasets.duplicate_sets import sets_of
from fercli.datasets.mapped_rows import gather

_CHUNK_BYTES = 32 * 2**20


def exact_sets(values: NDArray[Any], numbers: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Sets of at least two rows of `values` (N, …) that are equal, by first row.

    numbers: (N,), rows with equal digests share one. A digest may lie (a collision, an edited table), so the values
    decide: a set that they contradict is divided.
    """
    candidates = sets_of(numbers)
    if not candidates:
        return []
    rows = np.concatenate([rows[1:] for rows in candidates])
    first = np.concatenate([np.full(len(rows) - 1, rows[0]) for rows in candidates])
    equal = np.empty(len(rows), dtype=bool)
    step = max(1, _CHUNK_BYTES // max(1, values[:1].nbytes))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        same = gather(values, rows[part]) == gather(values, first[part])
        equal[part] = same.reshape(len(same), -1).all(axis=1)
    if equal.all():
        return candidates
    contradicted = set(first[~equal].tolist())
    kept = [rows for rows in candidates if int(rows[0]) not in contradicted]
    for rows in candidates:
        if int(rows[0]) in contradicted:
            kept += _by_value(values, rows)
    return sorted(kept, key=lambda rows: int(rows[0]))


def _by_value(values: NDArray[Any], rows: NDArray[np.int64]) -> Sequence[NDArray[np.int64]]:
    found: dict[bytes, list[int]] = defaultdict(list)
    for row in rows.tolist():
        # Why + 0: a negative zero equals zero, but not byte for byte.
        found[(values[row] + values.dtype.type(0)).tobytes()].append(row)
    return [np.array(same) for same in found.values() if len(same) > 1]
