"""Rows of a feature sheet gathered into a matrix, with every row that does not fit named."""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fercli.datasets.assembly import unique_ids
from fercli.datasets.content import feature_content
from fercli.datasets.labels import class_order
from fercli.datasets.sheet_cells import Cell
from fercli.errors import InputError
from fercli.records import Block, LeftOut, Samples

MOST_NOTES = 10


@dataclass(frozen=True)
class FeatureSheet:
    """A feature table that somebody else made.

    features: (N, D) float64, finite. blocks: runs of its columns. left_out: rows with cells that are no finite number,
    `source` being the id. notes: what is odd in the rows. leaks: what no split of the sheet is free of.
    `samples.extra` holds `content`, the digest of the row's features.
    """

    samples: Samples
    features: NDArray[np.float64]
    blocks: tuple[Block, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...] = ()
    leaks: tuple[str, ...] = ()


@dataclass
class FeatureRows:
    """Gathers rows one at a time; `sheet` closes it. `columns` names the numeric cells."""

    path: str
    columns: tuple[str, ...]
    _facts: list[tuple[int, str, str, str, str]] = field(default_factory=list)
    _values: list[NDArray[np.float64]] = field(default_factory=list)
    _left_out: list[LeftOut] = field(default_factory=list)

    def add(self, number: int, cells: list[Cell], *, id: str, label: str, split: str = "", group: str = "") -> None:
        """One row; it is left out, with the column and the value, if a cell is no finite number."""
        values, reason = self._numbers(cells)
        if reason:
            self._left_out.append(LeftOut(id, f"row {number}, {reason}"))
            return
        self._facts.append((number, id, label, split, group))
        self._values.append(values)

    def sheet(self, blocks: tuple[Block, ...], leaks: tuple[str, ...] = ()) -> FeatureSheet:
        """The gathered sheet; InputError if no row is left."""
        if not self._facts:
            first = (
                f"; the first of {len(self._left_out):,} left out: {self._left_out[0].reason}" if self._left_out else ""
            )
            raise InputError(f"no row with features{first}", where=self.path, next_step="check the sheet's cells")
        features = np.stack(self._values)
        contents = np.array([feature_content(row) for row in features])
        numbers, ids, labels, splits, groups = zip(*self._facts, strict=True)
        nothing = np.zeros(len(ids), dtype=np.int64)
        samples = Samples(
            ids=np.array(unique_ids(ids), dtype=np.str_),
            labels=np.array(labels, dtype=np.str_),
            splits=np.array(splits, dtype=np.str_),
            groups=np.array(groups, dtype=np.str_),
            sources=np.array([f"row {number}" for number in numbers], dtype=np.str_),
            widths=nothing,
            heights=nothing,
            classes=class_order(labels),
            extra={"content": contents},
        )
        return FeatureSheet(samples, features, blocks, tuple(self._left_out), self._notes(samples), leaks)

    def _numbers(self, cells: list[Cell]) -> tuple[NDArray[np.float64], str]:
        try:
            values = np.array(cells, dtype=np.float64)
            if np.isfinite(values).all():
                return values, ""
        except (ValueError, TypeError, OverflowError):
            pass
        for name, cell in zip(self.columns, cells, strict=True):
            try:
                finite = cell is not None and bool(np.isfinite(np.float64(cell)))
            except (ValueError, OverflowError):
                finite = False
            if not finite:
                shown = "empty" if cell is None or cell == "" else f"{cell!r}, not a finite number"
                return np.empty(0), f"column {name}: {shown}"
        raise AssertionError("a row of finite cells did not convert")

    def _notes(self, samples: Samples) -> tuple[str, ...]:
        """One sentence per set of rows with equal features and different labels; no label contradicts none."""
        members: dict[str, list[int]] = defaultdict(list)
        contents = samples.extra["content"]
        for row in np.flatnonzero(samples.labels != "").tolist():
            members[str(contents[row])].append(row)
        conflicts = [rows for rows in members.values() if len(set(samples.labels[rows].tolist())) > 1]
        notes = []
        for rows in conflicts[:MOST_NOTES]:
            names = sorted({self._facts[row][1] for row in rows})
            labels = class_order(samples.labels[rows].tolist())
            where = " and ".join(str(self._facts[row][0]) for row in rows[:MOST_NOTES])
            who = ", ".join(names[:MOST_NOTES])
            notes.append(f"{who}: the same features under the labels {' and '.join(labels)} (rows {where})")
        if len(conflicts) > MOST_NOTES:
            notes.append(f"{len(conflicts) - MOST_NOTES:,} more sets of rows with equal features and different labels")
        return tuple(notes)
