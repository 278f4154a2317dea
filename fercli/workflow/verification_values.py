"""Nested JSON values against values computed again."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fercli.workflow.verification import Difference

# Scores are sums in another order at most; what differs by more was not computed from the same numbers.
TOLERANCE = 1e-9


def close(stored: Any, computed: Any, tolerance: float = TOLERANCE) -> bool:
    """Whether two values are equal, numbers to `tolerance` times their size (at least 1)."""
    numbers = isinstance(stored, int | float) and isinstance(computed, int | float)
    if not numbers or isinstance(stored, bool) or isinstance(computed, bool):
        return bool(stored == computed and isinstance(stored, bool) == isinstance(computed, bool))
    return math.isclose(stored, computed, rel_tol=tolerance, abs_tol=tolerance)


def differing(
    stored: Any, computed: Any, *, tolerance: float = TOLERANCE, at: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """(place, stored, computed) of every value of `computed` that `stored` states otherwise or lacks.

    What only `stored` has is not looked at: a run may say more of itself than can be computed again.
    """
    if isinstance(computed, Mapping) and isinstance(stored, Mapping):
        for key, value in computed.items():
            place = f"{at}.{key}" if at else str(key)
            if key not in stored:
                yield place, "nothing", value
            else:
                yield from differing(stored[key], value, tolerance=tolerance, at=place)
    elif _listed(computed) and _listed(stored) and len(computed) == len(stored):
        for number, (own, other) in enumerate(zip(stored, computed, strict=True)):
            yield from differing(own, other, tolerance=tolerance, at=f"{at}[{_named(other, number)}]")
    elif not close(stored, computed, tolerance):
        yield at, "undefined" if stored is None else stored, "undefined" if computed is None else computed


def _listed(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _named(entry: Any, number: int) -> str:
    """Which entry of a list: a fold by its own numbers, a run by its name, anything else by its place."""
    if isinstance(entry, Mapping) and "fold" in entry and "repeat" in entry:
        return f"{entry['repeat']}/{entry['fold']}"
    if isinstance(entry, Mapping) and "name" in entry:
        return str(entry["name"])
    return str(number)


def difference_list(
    what: str, file: str, stored: Any, computed: Any, *, tolerance: float = TOLERANCE
) -> list[Difference]:
    """`differing` as differences of one file."""
    found = differing(stored, computed, tolerance=tolerance)
    return [Difference(f"{what} {place}".strip(), f"{file}, {place}", before, now) for place, before, now in found]
