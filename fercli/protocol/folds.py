"""From labels and units to fold numbers: pure functions, one row of fold numbers per repeat.

A unit is a set of rows that must not be divided: a group (subject, film), a set of copies, or both joined.
"""

import numpy as np
from numpy.typing import NDArray

from fercli.errors import InputError
from fercli.protocol.balance import placements
from fercli.protocol.duplicates import numbered
from fercli.seeds import generator

_ATTEMPTS = 4


def stratified_grouped(
    labels: NDArray[np.int64], units: NDArray[np.int64], *, k: int, repeats: int, seed: int, unit_name: str = "groups"
) -> NDArray[np.int64]:
    """Folds in which no unit is cut and every class is shared as evenly as the units allow.

    labels, units: (N,) int64; the numbers themselves do not matter. Returns (repeats, N) int64 in 0..k-1; repeats
    differ as partitions unless the units allow no further one. Raises InputError when k exceeds the units.
    """
    check_k(k, len(np.unique(units)), unit_name)
    shares = np.full(k, 1.0 / k)
    seen: set[bytes] = set()
    rows = []
    for repeat in range(repeats):
        chosen = None
        for attempt in range(_ATTEMPTS):
            found = placements(labels, units, shares, generator(seed, "protocol.folds", k, repeat, attempt))
            partitions = [numbered(placement.bins) for placement in found]
            fresh = [partition for partition in partitions if partition.tobytes() not in seen]
            if fresh:
                chosen = fresh[0]
                break
            chosen = partitions[0]
        assert chosen is not None
        seen.add(chosen.tobytes())
        rows.append(chosen)
    return np.stack(rows)


def stratified(labels: NDArray[np.int64], *, k: int, repeats: int, seed: int) -> NDArray[np.int64]:
    """Folds of single rows: sizes, and the rows of each class, differ by at most one between folds.

    labels: (N,) int64. Returns (repeats, N) int64. Raises InputError when k exceeds N.
    """
    units = np.arange(len(labels))
    return stratified_grouped(labels, units, k=k, repeats=repeats, seed=seed, unit_name="rows")


def grouped(
    units: NDArray[np.int64], *, k: int, repeats: int, seed: int, unit_name: str = "groups"
) -> NDArray[np.int64]:
    """Folds of whole units with sizes as equal as the units allow, whatever the labels; (repeats, N) int64."""
    return stratified_grouped(
        np.zeros(len(units), dtype=np.int64), units, k=k, repeats=repeats, seed=seed, unit_name=unit_name
    )


def contiguous(rows: int, *, k: int) -> NDArray[np.int64]:
    """k blocks of rows in file order, sizes differing by at most one; (1, rows) int64. Flawed on sorted files."""
    check_k(k, rows, "rows")
    sizes = np.full(k, rows // k)
    sizes[: rows % k] += 1
    return np.repeat(np.arange(k), sizes)[None, :]


def leave_one_group_out(units: NDArray[np.int64]) -> NDArray[np.int64]:
    """One fold per unit, in order of first appearance; (1, N) int64. Raises InputError below two units."""
    folds = numbered(units)
    if len(np.unique(folds)) < 2:
        raise InputError(
            "leave-one-group-out needs at least two groups, and all rows belong to one",
            next_step="use --scheme stratified, or data with more groups",
        )
    return folds[None, :]


def check_k(k: int, units: int, unit_name: str) -> None:
    """Raise InputError, with the largest legal k, when there are fewer units than folds."""
    if k <= units:
        return
    if units < 2:
        raise InputError(
            f"folds need at least 2 {unit_name}, and there {'is' if units == 1 else 'are'} {units}",
            where=f"--k {k}",
            next_step="use data with more groups, or --scheme stratified" if unit_name == "groups" else "add rows",
        )
    raise InputError(
        f"k is {k}, but there are only {units} {unit_name}: the largest legal k is {units}",
        where=f"--k {k}",
        next_step=f"use --k {units} or less",
    )
