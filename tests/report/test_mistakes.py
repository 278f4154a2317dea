"""Errors by their confidence, and their pictures in the page."""

from base64 import b64decode

import cv2
import numpy as np
import pytest

from fercli.records import Predictions
from fercli.report.material import Mistake
from fercli.report.mistakes import gallery, most_confident
from fercli.report.thumbnails import thumbnail


def predictions(rows):
    """rows: id, repeat, truth, probability of class 0 of two."""
    first = np.array([row[3] for row in rows])
    return Predictions(
        ids=np.array([row[0] for row in rows]),
        repeats=np.array([row[1] for row in rows]),
        folds=np.zeros(len(rows), dtype=np.int64),
        splits=np.full(len(rows), ""),
        truth=np.array([row[2] for row in rows]),
        probabilities=np.stack([first, 1 - first], axis=1),
        classes=("happy", "sad"),
    )


def test_errors_come_by_confidence_from_the_first_repeat():
    found = most_confident(
        predictions(
            [
                ("right", 0, 0, 0.99),
                ("slight", 0, 1, 0.6),
                ("sure", 0, 0, 0.1),
                ("unlabelled", 0, -1, 0.99),
                ("equal", 0, 1, 0.6),
                ("later", 1, 1, 0.99),
            ]
        )
    )
    assert [(one.id, one.truth, one.answer) for one in found] == [
        ("sure", "happy", "sad"),
        ("slight", "sad", "happy"),
        ("equal", "sad", "happy"),
    ]
    assert found[0].confidence == pytest.approx(0.9)
    assert most_confident(predictions([("right", 0, 0, 0.99)])) == []


def test_only_so_many_are_kept():
    assert len(most_confident(predictions([(f"row{row}", 0, 1, 0.7) for row in range(30)]), 5)) == 5


def test_a_thumbnail_keeps_colours_and_proportions_and_never_grows():
    picture = np.zeros((200, 400, 3), dtype=np.uint8)
    picture[..., 0] = 250  # red
    small = cv2.imdecode(np.frombuffer(thumbnail(picture, 100), np.uint8), cv2.IMREAD_COLOR)
    assert small.shape == (50, 100, 3)
    assert small[10, 10].tolist() == [0, 0, 250]  # OpenCV's order
    gray = np.arange(48 * 48, dtype=np.uint8).reshape(48, 48)
    assert np.array_equal(cv2.imdecode(np.frombuffer(thumbnail(gray), np.uint8), cv2.IMREAD_UNCHANGED), gray)


def test_pictures_stand_inside_the_page_and_names_are_escaped():
    png = thumbnail(np.full((4, 4), 7, dtype=np.uint8))
    html = gallery((Mistake('<img src="x">', "sad & blue", "happy", 0.987, png), Mistake("b", "sad", "happy", 0.5)))
    start = html.index("base64,") + len("base64,")
    assert b64decode(html[start : html.index('"', start)]) == png
    assert '<img src="x">' not in html
    assert "sad &amp; blue" in html
    assert "taken for happy, 99\N{NO-BREAK SPACE}%" in html
    assert "1 row without a picture" in html
    assert "licence" in html


def test_without_any_picture_nothing_is_said_of_licences():
    html = gallery((Mistake("b", "sad", "happy", 0.5),))
    assert "licence" not in html
    assert "1 row without a picture" in html
    assert "No held-out row was answered wrongly" in gallery(())
