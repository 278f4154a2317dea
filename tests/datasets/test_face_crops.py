"""Squares around faces: where they lie, what happens at borders, and that eyes come out level."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data

from fercli.config.import_dataset import ImportDatasetConfig
from fercli.datasets.face_cascades import ViolaJones
from fercli.datasets.face_crops import Faceless, cropped_pictures, face_crop, tilt
from fercli.datasets.face_detection import Face
from fercli.errors import InputError
from fercli.records import LeftOut, Picture

RAMP = np.add.outer(np.arange(60) * 2, np.arange(80)).astype(np.uint8)


def picture(pixels, source="a.png"):
    return Picture(source, "happy", "", "", source, pixels, pixels.shape[1], pixels.shape[0])


def test_a_box_inside_is_cut_as_it_is():
    crop = face_crop(RAMP, Face((10, 20, 30, 30)), margin=0, align=True)
    np.testing.assert_array_equal(crop.pixels, RAMP[20:50, 10:40])
    assert crop.angle == 0


def test_margins_grow_every_side_and_may_be_negative():
    np.testing.assert_array_equal(
        face_crop(RAMP, Face((20, 20, 20, 20)), margin=0.25, align=False).pixels, RAMP[15:45, 15:45]
    )
    np.testing.assert_array_equal(
        face_crop(RAMP, Face((20, 20, 20, 20)), margin=-0.25, align=False).pixels, RAMP[25:35, 25:35]
    )


def test_a_tall_box_becomes_a_square_about_its_middle():
    crop = face_crop(RAMP, Face((30, 10, 20, 40)), margin=0, align=False)
    np.testing.assert_array_equal(crop.pixels, RAMP[10:50, 20:60])


def test_beyond_the_border_its_pixels_are_repeated():
    crop = face_crop(RAMP, Face((0, 0, 20, 20)), margin=0.5, align=False).pixels
    assert crop.shape == (40, 40)
    np.testing.assert_array_equal(crop[10:, 10:], RAMP[:30, :30])
    np.testing.assert_array_equal(crop[:10, 10:], np.tile(RAMP[0, :30], (10, 1)))


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 79), st.integers(0, 59), st.integers(1, 80), st.floats(-0.3, 2), st.floats(-25, 25), st.booleans()
)
def test_any_box_gives_a_square_of_its_side(left, top, side, margin, angle, color):
    turn = np.tan(np.radians(angle))
    eyes = ((left + 0.3 * side, top + 0.4 * side), (left + 0.7 * side, top + 0.4 * side * (1 + turn)))
    pixels = np.repeat(RAMP[..., None], 3, axis=2) if color else RAMP
    crop = face_crop(pixels, Face((left, top, side, side), eyes), margin=margin, align=True)
    wanted = max(1, round(side * (1 + 2 * margin)))
    assert crop.pixels.shape == (wanted, wanted, 3)[: pixels.ndim]
    assert crop.pixels.dtype == np.uint8


def test_turning_brings_the_eyes_onto_a_horizontal_about_the_middle_of_the_box():
    canvas = np.zeros((200, 200), np.uint8)
    eyes = (80.0, 90.0), (120.0, 110.0)
    for x, y in eyes:
        cv2.circle(canvas, (int(x), int(y)), 4, 255, -1)
    crop = face_crop(canvas, Face((50, 50, 100, 100), eyes), margin=0, align=True)
    assert crop.angle == pytest.approx(26.565, abs=1e-3)
    ys, xs = np.nonzero(crop.pixels > 128)
    left, right = xs < 50, xs > 50
    assert ys[left].mean() == pytest.approx(ys[right].mean(), abs=0.5)
    # the middle of the eyes is the middle of the box, which the turn leaves where it was
    assert (xs.mean(), ys.mean()) == (pytest.approx(50, abs=1), pytest.approx(50, abs=1))
    assert xs[right].mean() - xs[left].mean() == pytest.approx(np.hypot(40, 20), abs=1)


def test_a_turn_by_less_than_a_degree_leaves_the_pixels_alone():
    face = Face((10, 10, 40, 40), ((20.0, 25.0), (40.0, 25.2)))
    assert tilt(face) == 0
    np.testing.assert_array_equal(face_crop(RAMP, face, margin=0, align=True).pixels, RAMP[10:50, 10:50])


@pytest.mark.parametrize("degrees", [-15, 12])
def test_the_astronaut_comes_out_upright_however_she_is_turned(degrees):
    turn = cv2.getRotationMatrix2D((226, 115), degrees, 1)
    turned = cv2.warpAffine(data.astronaut(), turn, (512, 512), borderMode=cv2.BORDER_REFLECT)
    (face,) = ViolaJones().faces(turned)
    (plain,) = ViolaJones().faces(data.astronaut())
    assert tilt(face) - tilt(plain) == pytest.approx(-degrees, abs=4)
    crop = face_crop(turned, face, margin=0.3, align=True).pixels
    (again,) = ViolaJones().faces(cv2.resize(crop, (200, 200)))
    assert abs(tilt(again)) < 4


def test_pictures_are_cut_or_left_out_by_name():
    noise = np.random.default_rng(0).integers(0, 255, (60, 80), dtype=np.uint8)
    items = [picture(data.astronaut(), "a.png"), LeftOut("b.txt", "why"), picture(noise, "c.png")]
    faceless = Faceless()
    cut, kept, missing = cropped_pictures(items, ImportDatasetConfig(faces="crop", margin=0), faceless)
    assert kept == LeftOut("b.txt", "why")
    assert missing == LeftOut("c.png", "no-face")
    width, height = map(int, cut.extra["face"].split(",")[2:])
    assert cut.pixels.shape == (width, height, 3)
    assert float(cut.extra["face_angle"]) == pytest.approx(3.6, abs=2)
    assert (cut.width, cut.height) == (512, 512)
    assert (faceless.count, faceless.shown[0][1:]) == (1, ("happy", "c.png"))


def test_pictures_without_a_face_are_kept_whole_or_end_the_import():
    noise = np.random.default_rng(0).integers(0, 255, (60, 80), dtype=np.uint8)
    (whole,) = cropped_pictures([picture(noise)], ImportDatasetConfig(faces="crop", no_face="keep"), Faceless())
    np.testing.assert_array_equal(whole.pixels, noise)
    assert whole.extra == {"face": "", "face_angle": ""}
    with pytest.raises(InputError, match="no face found") as caught:
        list(cropped_pictures([picture(noise)], ImportDatasetConfig(faces="crop", no_face="fail"), Faceless()))
    assert caught.value.where == "a.png"
