"""What the rows alone say, and sets of equal values."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.datasets.audit_rows import (
    copies_of_training_rows,
    groups_across_splits,
    groups_per_class,
    unreadable,
    whole_frame_crops,
)
from fercli.datasets.duplicate_sets import DuplicateSets, sets_of
from fercli.datasets.duplicates_exact import exact_sets
from fercli.records import LeftOut, Samples


def rows_of(labels, *, splits=None, groups=None, sizes=None, extra=None):
    count = len(labels)
    widths, heights = zip(*(sizes or [(0, 0)] * count), strict=True)
    names = np.array([f"r{row}" for row in range(count)])
    return Samples(
        ids=names,
        labels=np.array(labels),
        splits=np.array(splits or [""] * count),
        groups=np.array(groups or [""] * count),
        sources=names,
        widths=np.array(widths),
        heights=np.array(heights),
        classes=tuple(sorted(set(labels) - {""})),
        extra=extra or {},
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 6), max_size=40))
def test_sets_are_the_rows_that_share_a_number(numbers):
    wanted = defaultdict(list)
    for row, number in enumerate(numbers):
        wanted[number].append(row)
    found = [rows.tolist() for rows in sets_of(np.array(numbers, dtype=np.int64))]
    assert found == sorted(rows for rows in wanted.values() if len(rows) > 1)


def test_equal_digests_of_different_pixels_are_no_copies():
    images = np.zeros((7, 4, 4), dtype=np.uint8)
    images[[1, 4]] = 5
    images[6] = 9
    assert [rows.tolist() for rows in exact_sets(images, np.zeros(7, dtype=np.int64))] == [[0, 2, 3, 5], [1, 4]]
    assert exact_sets(images, np.arange(7)) == []


def test_a_negative_zero_equals_zero():
    rows = np.array([[1.0], [0.0], [-0.0]], dtype=np.float32)
    assert [found.tolist() for found in exact_sets(rows, np.zeros(3, dtype=np.int64))] == [[1, 2]]


def test_rows_without_split_or_label_take_no_side():
    samples = rows_of(["a", "", "b", "a", "a"], splits=["train", "", "test", "train", ""])
    parts = [np.array([0, 1]), np.array([0, 2]), np.array([0, 3]), np.array([3, 4])]
    sets = DuplicateSets.of(parts, samples)
    assert sets.cross_split.tolist() == [False, True, False, False]
    assert sets.conflicting.tolist() == [False, True, False, False]
    assert sets.counts() == {"groups": 4, "images": 8, "cross_split": 1, "conflicting": 1}


def test_the_worst_sets_come_first():
    samples = rows_of(["a", "b", "a", "a", "a", "a", "b"], splits=["train", "test", *["train"] * 5])
    sets = DuplicateSets.of([np.array([0, 1]), np.array([2, 3, 4]), np.array([5, 6])], samples)
    assert sets.worst(3) == [0, 2, 1]
    assert sets.worst(1) == [0]


def test_copies_of_training_rows_are_counted_per_split():
    splits = ["train", "validation", "validation", "test", "test", "validation"]
    samples = rows_of(["a"] * 6, splits=splits)
    sets = DuplicateSets.of([np.array([0, 1, 2]), np.array([3, 4])], samples)
    assert copies_of_training_rows(samples, sets) == {"validation": 2, "test": 0}
    assert copies_of_training_rows(rows_of(["a", "a"]), DuplicateSets.of([np.array([0, 1])], samples)) == {}


def test_groups_per_class_and_across_splits():
    samples = rows_of(
        ["a", "a", "a", "b", "b", "a"],
        groups=["x", "x", "y", "x", "", "z"],
        splits=["train", "train", "train", "test", "test", ""],
    )
    a, b = groups_per_class(samples)
    assert (a.label, a.groups, a.smallest, a.median, a.largest) == ("a", 3, 1, 1.0, 2)
    assert (b.label, b.groups, b.smallest, b.median, b.largest) == ("b", 1, 1, 1.0, 1)
    assert groups_across_splits(samples) == ["x"]
    assert groups_per_class(rows_of(["a"])) == []
    assert groups_across_splits(rows_of(["a"])) == []


@pytest.mark.parametrize(
    "reason",
    [
        "the JPEG file is truncated: its end marker is missing",
        "the file is empty",
        "broken PNG file: whatever",
        "listed in list.csv, but not there",
        "row 207, column phog.1: 'NaN', not a finite number",
        "2,303 pixels are no square",
        "a reason nobody has thought of",
    ],
)
def test_what_could_not_be_read_is_unreadable(reason):
    assert unreadable([LeftOut("x", reason)]) == [LeftOut("x", reason)]


@pytest.mark.parametrize(
    "reason",
    [
        "not the name of a picture",
        "in no class folder",
        "not listed in list.csv",
        "expression 9: uncertain",
        "most votes for no face",
        "no emotion with more than half of the votes",
        "no face found",
        "12 frames between the first and the peak",
    ],
)
def test_what_was_not_wanted_is_not_unreadable(reason):
    assert unreadable([LeftOut("x", reason)]) == []


def test_crops_that_are_their_whole_frame():
    boxes = np.array(["0,0,30,20", "1,0,29,20", "0,0,29,20", "", "-2,0,40,20", "nonsense"])
    samples = rows_of(["a"] * 6, sizes=[(30, 20)] * 6, extra={"face": boxes})
    assert whole_frame_crops(samples).tolist() == [0, 4]
    assert whole_frame_crops(rows_of(["a"])) is None
