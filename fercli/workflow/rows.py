"""Rows in words and tables: how many of each class and split, and what was left out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from fercli.records import SPLITS, LeftOut, Samples, Table

LISTED = 20


def class_counts(samples: Samples) -> dict[str, dict[str, int]]:
    """{split: {class: rows}}, rows without a split under "none", rows without a label under ""."""
    present = [split for split in (*SPLITS, "") if (samples.splits == split).any()]
    counts = Counter(zip(samples.splits.tolist(), samples.labels.tolist(), strict=True))
    labels = [*samples.classes, *([""] if (samples.labels == "").any() else [])]
    return {split or "none": {label: counts[split, label] for label in labels} for split in present}


def class_table(counts: Mapping[str, Mapping[str, int]], title: str) -> Table:
    """The counts of `class_counts` with totals."""
    splits, labels = list(counts), list(next(iter(counts.values()), {}))
    rows: list[tuple[Any, ...]] = [
        (label or "(no label)", *(counts[split][label] for split in splits), sum(counts[s][label] for s in splits))
        for label in labels
    ]
    totals = [sum(counts[split].values()) for split in splits]
    rows.append(("all", *totals, sum(totals)))
    heads = ["no split" if split == "none" else split for split in splits]
    return Table(title, ("class", *heads, "all"), tuple(rows))


def group_count(samples: Samples) -> int:
    """Number of known groups."""
    return len(set(samples.groups.tolist()) - {""})


def left_out_table(left_out: Sequence[LeftOut]) -> Table:
    """The first rows or files that were left out, with the reason of each."""
    shown = tuple((item.source, item.reason) for item in left_out[:LISTED])
    more = len(left_out) - len(shown)
    return Table(
        f"Left out: {len(left_out):,}",
        ("source", "reason"),
        shown,
        notes=(f"and {more:,} more, all listed in left_out.csv of the artifact",) if more else (),
    )


def left_out_json(left_out: Sequence[LeftOut]) -> list[dict[str, str]]:
    """What was left out, for JSON."""
    return [{"source": item.source, "reason": item.reason} for item in left_out]
