"""Rows in words and tables: how many of each class and split, and what was left out."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from fercli.records import SPLITS, LeftOut, Samples, Table

LISTED = 20


def class_table(samples: Samples, title: str) -> Table:
    """Rows per class and split, with totals."""
    present = [split for split in (*SPLITS, "") if (samples.splits == split).any()]
    counts = Counter(zip(samples.labels.tolist(), samples.splits.tolist(), strict=True))
    labels = [*samples.classes, *([""] if (samples.labels == "").any() else [])]
    rows: list[tuple[Any, ...]] = [
        (
            label or "(no label)",
            *(counts[label, split] for split in present),
            sum(counts[label, split] for split in present),
        )
        for label in labels
    ]
    totals = [int((samples.splits == split).sum()) for split in present]
    rows.append(("all", *totals, len(samples)))
    return Table(title, ("class", *(split or "no split" for split in present), "all"), tuple(rows))


def class_counts(samples: Samples) -> dict[str, dict[str, int]]:
    """{split or "all": {class: rows}} for JSON."""
    present = [split for split in (*SPLITS, "") if (samples.splits == split).any()]
    counts = Counter(zip(samples.splits.tolist(), samples.labels.tolist(), strict=True))
    return {split or "none": {label: counts[split, label] for label in samples.classes} for split in present}


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
