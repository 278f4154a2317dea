"""Spellings of expressions and splits."""

import pytest

from fercli.datasets.labels import canonical, canonical_split, class_order
from fercli.records import EXPRESSIONS


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("Anger", "angry"),
        ("ANGRY", "angry"),
        (" happiness ", "happy"),
        ("Sadness", "sad"),
        ("surprised", "surprise"),
        ("fearful", "fear"),
        ("Disgusted", "disgust"),
        ("Contempt", "Contempt"),
        ("", ""),
    ],
)
def test_canonical_maps_known_spellings_and_keeps_others(written, stored):
    assert canonical(written) == stored


def test_class_order_is_the_stored_order_with_others_sorted_after():
    assert class_order(["surprise", "zeal", "angry", "Contempt", "angry", ""]) == (
        "angry",
        "surprise",
        "Contempt",
        "zeal",
    )
    assert class_order(reversed(EXPRESSIONS)) == EXPRESSIONS


@pytest.mark.parametrize(
    ("written", "stored"),
    [("Training", "train"), ("PublicTest", "validation"), ("val", "validation"), ("PrivateTest", "test"), ("x", "")],
)
def test_canonical_split(written, stored):
    assert canonical_split(written) == stored
