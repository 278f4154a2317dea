"""Faces that are found and faces that are not, which of several is taken, and detectors that cannot be loaded."""

import cv2
import numpy as np
import pytest
from skimage import data

from fercli.config.faces import FacesConfig
from fercli.datasets import face_cascades
from fercli.datasets.face_cascades import ViolaJones
from fercli.datasets.face_detection import Face, chosen, clipped, detector_of, smallest_side
from fercli.errors import EnvironmentFailure, InputError, UsageError


@pytest.fixture(scope="module")
def astronaut():
    return data.astronaut()


def test_one_face_on_the_astronaut_with_both_eyes(astronaut):
    (face,) = ViolaJones().faces(astronaut)
    left, top, width, height = face.box
    assert (170 <= left <= 185, 60 <= top <= 72, 88 <= width <= 105, 88 <= height <= 105) == (True,) * 4
    (x0, y0), (x1, y1) = face.eyes
    np.testing.assert_allclose([(x0, y0), (x1, y1)], [(202, 101), (248, 104)], atol=4)


@pytest.mark.parametrize("name", ["coins", "camera", "coffee", "chelsea", "page", "rocket", "cell"])
def test_no_face_on_things(name):
    assert ViolaJones().faces(getattr(data, name)()) == []


def test_most_faces_of_the_wild_and_none_beside_them():
    crops = (data.lfw_subset() * 255).astype(np.uint8)
    detector = ViolaJones(eyes=False)

    def found(crop):
        large = cv2.resize(crop, (100, 100), interpolation=cv2.INTER_LINEAR)
        return len(detector.faces(cv2.copyMakeBorder(large, 20, 20, 20, 20, cv2.BORDER_REPLICATE)))

    hits = [found(crop) for crop in crops]
    assert sum(map(bool, hits[:100])) >= 95
    assert sum(hits[100:]) == 0


def test_several_faces_come_largest_first_and_boxes_are_of_the_picture_not_of_the_search(astronaut):
    face = astronaut[30:200, 140:310]
    wall = np.full((800, 1200, 3), 100, np.uint8)
    wall[40:210, 50:220] = face
    wall[300:640, 700:1040] = cv2.resize(face, (340, 340))
    first, second = ViolaJones().faces(wall)
    assert first.box[2] > 1.6 * second.box[2]
    np.testing.assert_allclose(second.box, (87, 76, 97, 97), atol=8)
    np.testing.assert_allclose(first.box, (774, 372, 194, 194), atol=14)


def test_the_smallest_face_that_counts(astronaut):
    assert ViolaJones(smallest=140).faces(astronaut) == []
    assert len(ViolaJones(smallest=60).faces(astronaut)) == 1
    assert smallest_side((512, 700, 3), None) == 25
    assert smallest_side((100, 700), None) == 24
    assert smallest_side((100, 700), 80) == 80


@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 3), (3, 400), (19, 19), (24, 2000, 3)])
def test_tiny_and_narrow_pictures_hold_no_face(shape):
    assert ViolaJones().faces(np.full(shape, 128, np.uint8)) == []


def test_gray_and_colour_give_the_same_faces(astronaut):
    from fercli.datasets.images import to_gray

    assert ViolaJones().faces(to_gray(astronaut)) == ViolaJones().faces(astronaut)


def test_which_of_several():
    large, central, equal = Face((0, 0, 50, 50)), Face((40, 40, 20, 20)), Face((0, 60, 50, 50))
    faces = [large, equal, central]
    assert chosen(faces, "all", (100, 100)) == faces
    assert chosen(faces, "largest", (100, 100)) == [large]
    assert chosen(faces, "central", (100, 100)) == [central]
    assert chosen([], "central", (100, 100)) == []


def test_boxes_are_cut_at_the_borders():
    assert clipped(-3.4, 2.6, 10.2, 99, (20, 9, 3)) == (0, 3, 9, 17)
    assert clipped(30, 30, 40, 40, (20, 9)) == (30, 30, 0, 0)


def test_a_missing_cascade_is_named(monkeypatch, tmp_path):
    face_cascades._cascade.cache_clear()
    monkeypatch.setattr(cv2.data, "haarcascades", str(tmp_path))
    with pytest.raises(EnvironmentFailure, match="OpenCV's face cascade is missing"):
        ViolaJones()
    face_cascades._cascade.cache_clear()


def test_options_that_do_not_go_together():
    with pytest.raises(UsageError, match="--detector yunet needs its network: give --detector-model FILE"):
        FacesConfig.of(detector="yunet")
    with pytest.raises(UsageError, match="--detector-model is YuNet's network: say --detector yunet"):
        FacesConfig.of(detector_model="a.onnx")
    with pytest.raises(UsageError, match="--margin: input should be less than or equal to 2"):
        FacesConfig.of(margin=3)


def test_yunet_files_that_cannot_be_read(tmp_path):
    missing = FacesConfig(detector="yunet", detector_model=str(tmp_path / "none.onnx"))
    with pytest.raises(InputError, match="there is no such file") as caught:
        detector_of(missing)
    assert caught.value.where == f"--detector-model {tmp_path}/none.onnx"
    (tmp_path / "text.onnx").write_text("not a network")
    with pytest.raises(InputError, match="OpenCV does not take this file for a YuNet network"):
        detector_of(FacesConfig(detector="yunet", detector_model=str(tmp_path / "text.onnx")))
