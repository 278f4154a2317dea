"""Rows for protocol tests, made from plain lists."""

import numpy as np

from fercli.records import Samples


def rows(
    labels: list[str],
    *,
    groups: list[str] | None = None,
    splits: list[str] | None = None,
    contents: list[str] | None = None,
    classes: tuple[str, ...] | None = None,
) -> Samples:
    """Samples with ids r0, r1 …; contents are all different unless given."""
    count = len(labels)
    ids = np.array([f"r{number}" for number in range(count)])
    return Samples(
        ids=ids,
        labels=np.array(labels),
        splits=np.array(splits or [""] * count),
        groups=np.array(groups or [""] * count),
        sources=ids,
        widths=np.zeros(count, dtype=np.int64),
        heights=np.zeros(count, dtype=np.int64),
        classes=classes or tuple(sorted(set(labels) - {""})),
        extra={"content": np.array(contents if contents is not None else ids.tolist())},
    )


def plain(count: int = 60) -> Samples:
    """Three classes in turn, no groups, no splits."""
    return rows([("angry", "happy", "sad")[number % 3] for number in range(count)])


def in_films(count: int = 60, films: int = 12) -> Samples:
    """Three classes in turn, in films of consecutive rows."""
    labels = [("angry", "happy", "sad")[number % 3] for number in range(count)]
    return rows(labels, groups=[f"film{number * films // count}" for number in range(count)])


def with_splits(train: int = 40, validation: int = 10, test: int = 10) -> Samples:
    """Three classes in turn over the official splits."""
    splits = ["train"] * train + ["validation"] * validation + ["test"] * test
    return rows([("angry", "happy", "sad")[number % 3] for number in range(len(splits))], splits=splits)
