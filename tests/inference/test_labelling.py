"""From frames to rows: order, batches, abstention, and how much is held at a time."""

import numpy as np
import pytest

from fercli.config.predict import PredictConfig
from fercli.datasets.face_detection import Face
from fercli.inference import labelling
from fercli.inference.annotation import annotated
from fercli.inference.labelling import FaceRow, ModelInput, labelled_frames
from fercli.inference.streams import Frame

CLASSES = ("angry", "happy")


class Brightness:
    """Scores a picture by its mean: white is happy."""

    classes = CLASSES
    input = "pixels"

    def __init__(self):
        self.batches = []

    def scores(self, batch):
        self.batches.append(len(batch))
        happy = batch.reshape(len(batch), -1).mean(axis=1) / 255
        return np.stack([1 - happy, happy], axis=1).astype(np.float32)


class Halves:
    """Finds the left and the right half of pictures of two pixels and more, none in smaller ones."""

    def faces(self, pixels):
        width = pixels.shape[1] // 2
        return [Face((0, 0, width, width)), Face((width, 0, width, width))] if width else []


def gray(value, size=8):
    return np.full((size, size), value, np.uint8)


SHAPE = ModelInput((4, 4), "gray")


def labelled(frames, detector=None, scorer=None, keep=False, at_once=False, **config):
    scorer = scorer or Brightness()
    return list(
        labelled_frames(frames, detector, scorer, SHAPE, PredictConfig(**config), keep_pixels=keep, at_once=at_once)
    )


def test_rows_come_in_the_order_of_frames_whatever_becomes_of_them():
    frames = [
        Frame("a", "a", pixels=gray(0)),
        Frame("b", "b", problem="broken"),
        Frame("c", "c", pixels=gray(0, 1)),
        Frame("d", "d", problem="large", too_large=True),
        Frame("e", "e", 7, pixels=gray(255)),
    ]
    found = labelled(frames, Halves(), batch_size=2)
    rows = [row for entry in found for row in entry.rows]
    assert [(row.source, row.frame, row.face, row.status, row.predicted) for row in rows] == [
        ("a", 0, 1, "ok", "angry"),
        ("a", 0, 2, "ok", "angry"),
        ("b", 0, 0, "unreadable", None),
        ("c", 0, 0, "no-face", None),
        ("d", 0, 0, "too-large", None),
        ("e", 7, 1, "ok", "happy"),
        ("e", 7, 2, "ok", "happy"),
    ]
    assert [row.box for row in rows[:3]] == [(0, 0, 4, 4), (4, 0, 4, 4), None]


def test_the_whole_picture_is_the_face_without_a_detector():
    (entry,) = labelled([Frame("a", "a", pixels=gray(9))])
    assert entry.rows[0].box == (0, 0, 8, 8)


def test_one_of_several_faces():
    (entry,) = labelled([Frame("a", "a", pixels=gray(9))], Halves(), which="largest")
    assert len(entry.rows) == 1


def test_it_abstains_below_the_confidence_and_says_so():
    frames = [Frame("a", "a", pixels=gray(140)), Frame("b", "b", pixels=gray(250))]
    (first,), (second,) = (entry.rows for entry in labelled(frames, min_confidence=0.6))
    assert (first.status, first.predicted, second.status, second.predicted) == ("abstained", None, "ok", "happy")
    np.testing.assert_allclose(first.probabilities.sum(), 1, atol=1e-6)


@pytest.mark.parametrize(("at_once", "ahead"), [(False, 3), (True, 1)])
def test_no_more_than_a_batch_is_read_ahead(at_once, ahead):
    taken = []

    def many():
        for _ in range(50):
            taken.append(1)
            yield Frame("a", "a", pixels=gray(9))

    stream = labelled_frames(many(), None, Brightness(), SHAPE, PredictConfig(batch_size=3), at_once=at_once)
    next(stream)
    assert len(taken) == ahead


def test_pictures_without_faces_do_not_pile_up_either():
    taken = []

    def many():
        for _ in range(50):
            taken.append(1)
            yield Frame("a", "a", problem="broken")

    next(labelled_frames(many(), None, Brightness(), SHAPE, PredictConfig(batch_size=5)))
    assert len(taken) == 5


def test_large_pictures_that_wait_for_their_labels_are_bounded_in_bytes(monkeypatch):
    monkeypatch.setattr(labelling, "_WAITING_BYTES", 100)
    scorer = Brightness()
    found = labelled([Frame("a", "a", pixels=gray(9)) for _ in range(5)], scorer=scorer, keep=True)
    assert scorer.batches == [2, 2, 1]
    assert all(entry.frame.pixels is not None for entry in found)


def test_pixels_are_let_go_where_nobody_asked_for_them():
    (entry,) = labelled([Frame("a", "a", pixels=gray(9))])
    assert entry.frame.pixels is None


def test_many_faces_of_one_picture_are_scored_in_batches():
    class Crowd:
        def faces(self, pixels):
            return [Face((0, 0, 4, 4))] * 10

    scorer = Brightness()
    (entry,) = labelled([Frame("a", "a", pixels=gray(9))], Crowd(), scorer, batch_size=4)
    assert scorer.batches == [4, 4, 2]
    assert [row.face for row in entry.rows] == list(range(1, 11))


def test_labels_are_drawn_inside_the_picture_and_the_picture_stays():
    pixels = gray(100, 40)
    rows = [
        FaceRow("a", 0, 1, (0, 0, 39, 39), "ok", "happy", np.array([0.2, 0.8], np.float32)),
        FaceRow("a", 0, 2, (30, 30, 10, 10), "abstained", None, np.array([0.5, 0.5], np.float32)),
        FaceRow("a", 0, 0, None, "no-face"),
    ]
    drawn = annotated(pixels, rows, ("angry", "schläfrig", "happy"))
    assert drawn.shape == (320, 320, 3)
    assert (pixels == 100).all()
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) > 5
    large = np.full((700, 800, 3), 100, np.uint8)
    assert annotated(large, rows[:1], CLASSES).shape == large.shape
    np.testing.assert_array_equal(annotated(large, [], CLASSES), large)


def test_the_label_of_one_face_lies_over_the_box_of_the_next():
    """In a crowd the first row's label, above its box, would else be cut by boxes that are drawn after it."""
    ground = np.full((400, 400), 128, np.uint8)
    scores = np.array([0.2, 0.8], np.float32)
    below = FaceRow("a", 0, 1, (150, 200, 100, 100), "ok", "happy", scores)
    above = FaceRow("a", 0, 2, (160, 90, 100, 105), "ok", "angry", 1 - scores)
    alone, both = annotated(ground, [below], CLASSES), annotated(ground, [below, above], CLASSES)
    label = alone[183:197, 150:230]
    assert (label != 128).any(axis=2).all(), "the label of the first face lies here"
    np.testing.assert_array_equal(both[183:197, 150:230], label)
