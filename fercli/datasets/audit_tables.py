"""The findings of an audit as tables: for people the worst first, for files every member of every set."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.datasets.audit_rows import ClassGroups
from fercli.datasets.duplicate_sets import DuplicateSets
from fercli.records import Samples, Table

LISTED = 10
_MEMBERS = 4
MEMBER_COLUMNS = ("set", "rows", "cross_split", "conflicting", "id", "label", "split", "group", "source")


def sets_table(kinds: dict[str, DuplicateSets], *, rows: str) -> Table:
    """Counts per kind of duplicate; `rows` is what the members are called."""
    counted = [(kind, sets.counts()) for kind, sets in kinds.items()]
    return Table(
        "Duplicates",
        ("kind", "sets", rows, "sets across splits", "sets with conflicting labels"),
        tuple((kind, n["groups"], n["images"], n["cross_split"], n["conflicting"]) for kind, n in counted),
    )


def worst_table(title: str, sets: DuplicateSets, samples: Samples) -> Table:
    """The sets to look at first: conflicting labels and across splits before the rest, the largest first."""
    lines = []
    for at in sets.worst(LISTED):
        rows = sets.members[at]
        shown = "; ".join(described(samples, row) for row in rows[:_MEMBERS].tolist())
        more = f"; and {len(rows) - _MEMBERS:,} more" if len(rows) > _MEMBERS else ""
        lines.append((at, len(rows), bool(sets.cross_split[at]), bool(sets.conflicting[at]), shown + more))
    hidden = sets.groups - len(lines)
    notes = (f"and {hidden:,} more sets; --out FOLDER lists them all",) if hidden else ()
    columns = ("set", "rows", "across splits", "conflicting", "members (label, split)")
    return Table(title, columns, tuple(lines), notes)


def described(samples: Samples, row: int) -> str:
    """`Training_1 (angry, train)`."""
    facts = [str(samples.labels[row]) or "no label", *filter(None, [str(samples.splits[row])])]
    return f"{samples.ids[row]} ({', '.join(facts)})"


def groups_table(groups: Sequence[ClassGroups], across: Sequence[str]) -> Table:
    """Groups per class, and which of them lie across splits."""
    notes: tuple[str, ...] = ()
    if across:
        named = ", ".join(across[:LISTED]) + (", …" if len(across) > LISTED else "")
        notes = (f"{len(across):,} groups have rows in several splits: {named}",)
    return Table(
        "Groups per class",
        ("class", "groups", "fewest rows of a group", "median", "most"),
        tuple((entry.label, entry.groups, entry.smallest, entry.median, entry.largest) for entry in groups),
        notes,
    )


def members(sets: DuplicateSets, samples: Samples, extra: NDArray[np.float64] | None = None) -> list[tuple[Any, ...]]:
    """Every row of every set, as `MEMBER_COLUMNS`; `extra`: one more number per member, in order."""
    found: list[tuple[Any, ...]] = []
    for at, rows in enumerate(sets.members):
        cross, conflict = int(sets.cross_split[at]), int(sets.conflicting[at])
        for row in rows.tolist():
            facts = (samples.ids, samples.labels, samples.splits, samples.groups, samples.sources)
            cells = (at, len(rows), cross, conflict, *(str(column[row]) for column in facts))
            found.append(cells if extra is None else (*cells, float(extra[len(found)])))
    return found
