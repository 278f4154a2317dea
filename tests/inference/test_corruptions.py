"""Corruptions: the strength that is stated, level 0 untouched, and the same picture whatever is corrupted beside it."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.config.robustness import GRADES, HIGHEST, KINDS
from fercli.inference import corruptions
from fercli.inference.corruptions import corrupted

RANDOM = np.random.default_rng(0)
# Smooth pictures with an edge, as faces are: noise of their own would hide what blur and JPEG take away.
SMOOTH = np.clip(
    120 + 60 * np.sin(np.linspace(0, 9, 40))[:, None] + 40 * np.cos(np.linspace(0, 7, 32)) + np.eye(40, 32) * 50, 0, 255
).astype(np.uint8)
COLOUR = np.stack([SMOOTH, 255 - SMOOTH, SMOOTH // 2], axis=-1)


class Chosen:
    """A generator that draws what the test says."""

    def __init__(self, *, integers=(), random=()):
        self._integers, self._random = list(integers), list(random)

    def integers(self, low, high):
        value = self._integers.pop(0)
        assert low <= value < high
        return value

    def random(self):
        return self._random.pop(0)


@pytest.mark.parametrize("kind", KINDS)
def test_level_0_changes_nothing_and_levels_grow_worse(kind):
    ids = [f"row{index}" for index in range(30)]
    pictures = np.repeat(SMOOTH[None], 30, axis=0)
    assert corrupted(pictures, ids, kind, 0, seed=0) is pictures
    distances = []
    for level in range(1, HIGHEST + 1):
        worse = corrupted(pictures, ids, kind, level, seed=0)
        assert worse.dtype == np.uint8
        assert worse.shape == pictures.shape
        distances.append(float(np.mean(np.abs(worse.astype(float) - pictures))))
    assert distances[0] > 0
    assert distances == sorted(distances)
    assert np.array_equal(pictures, np.repeat(SMOOTH[None], 30, axis=0)), "the clean pictures were written to"


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    level=st.integers(1, HIGHEST),
    rows=st.lists(st.integers(0, 5), min_size=1, max_size=6, unique=True),
    seed=st.integers(0, 2**40),
    colour=st.booleans(),
)
def test_a_picture_is_the_same_in_any_subset_and_order(kind, level, rows, seed, colour):
    one = COLOUR if colour else SMOOTH
    pictures = np.stack([np.roll(one, 3 * index, axis=0) for index in range(6)])
    ids = [f"film/{index}" for index in range(6)]
    whole = corrupted(pictures, ids, kind, level, seed=seed)
    some = corrupted(pictures[rows], [ids[row] for row in rows], kind, level, seed=seed)
    np.testing.assert_array_equal(some, whole[rows])


@pytest.mark.parametrize("kind", ["noise", "occlusion", "brightness", "rotation"])
def test_what_is_drawn_depends_on_seed_level_and_row(kind):
    pictures = np.repeat(SMOOTH[None], 24, axis=0)
    ids = [str(index) for index in range(24)]
    first = corrupted(pictures, ids, kind, 2, seed=0)
    assert len(np.unique(first.reshape(24, -1), axis=0)) > 1, "all rows are corrupted alike"
    assert not np.array_equal(first, corrupted(pictures, ids, kind, 2, seed=1))
    if kind in ("brightness", "rotation"):
        assert len(np.unique(first.reshape(24, -1), axis=0)) == 2, "to either side, and nothing between"


def test_noise_has_the_stated_deviation_in_every_channel():
    gray = np.full((60, 60, 3), 128, dtype=np.uint8)
    noisy = corruptions.noise(gray, 20, np.random.default_rng(1)).astype(float) - 128
    np.testing.assert_allclose(noisy.std(axis=(0, 1)), 20, rtol=0.05)
    np.testing.assert_allclose(noisy.mean(axis=(0, 1)), 0, atol=1.2)
    assert abs(np.corrcoef(noisy[..., 0].ravel(), noisy[..., 1].ravel())[0, 1]) < 0.05


def test_blur_has_the_stated_width_relative_to_the_shorter_side():
    step = np.zeros((50, 100), dtype=np.uint8)
    step[:, 50:] = 200
    blurred = corruptions.blur(step, 6, RANDOM)[25].astype(float)
    density = np.diff(blurred)
    at = np.arange(len(density))
    centre = (density @ at) / density.sum()
    assert np.sqrt((density @ (at - centre) ** 2) / density.sum()) == pytest.approx(0.06 * 50, rel=0.03)
    flat = np.full((20, 20), 77, dtype=np.uint8)
    np.testing.assert_array_equal(corruptions.blur(flat, 6, RANDOM), flat)


def test_jpeg_is_what_a_file_of_that_quality_holds_and_keeps_the_colours():
    stored = corruptions.jpeg(COLOUR, 40, RANDOM)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(COLOUR, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 40])
    np.testing.assert_array_equal(stored, cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB))
    red = np.zeros((16, 16, 3), dtype=np.uint8)
    red[..., 0] = 200
    np.testing.assert_allclose(corruptions.jpeg(red, 60, RANDOM), red, atol=6)
    assert corruptions.jpeg(SMOOTH, 5, RANDOM).shape == SMOOTH.shape


def test_occlusion_covers_the_stated_area_and_nothing_else():
    covered = corruptions.occlusion(COLOUR, 25, Chosen(integers=(20, 16)))
    np.testing.assert_array_equal(covered[20:40, 16:32], corruptions.GRAY)
    covered[20:40, 16:32] = COLOUR[20:40, 16:32]
    np.testing.assert_array_equal(covered, COLOUR)
    places = {
        tuple(np.argwhere(corruptions.occlusion(np.zeros((9, 9), np.uint8), 12, np.random.default_rng(s)))[0].tolist())
        for s in range(200)
    }
    assert places == {(row, column) for row in range(7) for column in range(7)}, "every place inside, and no other"


def test_resolution_takes_away_what_the_smaller_picture_cannot_hold():
    lines = np.repeat(np.arange(48)[:, None] % 2 * 200, 48, axis=1).astype(np.uint8)
    np.testing.assert_allclose(corruptions.resolution(lines, 50, RANDOM), 100, atol=1)
    flat = np.full((31, 17, 3), 90, dtype=np.uint8)
    np.testing.assert_array_equal(corruptions.resolution(flat, 17, RANDOM), flat)


def test_brightness_is_cut_off_at_both_ends():
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    up, down = (corruptions.brightness(ramp, 100, Chosen(random=(value,))) for value in (0.2, 0.7))
    np.testing.assert_array_equal(up, np.minimum(ramp.astype(int) + 100, 255))
    np.testing.assert_array_equal(down, np.maximum(ramp.astype(int) - 100, 0))


def test_rotation_turns_by_the_stated_angle_about_the_middle_and_leaves_no_black_corner():
    bar = np.zeros((101, 101), dtype=np.uint8)
    bar[50, 20:81] = 255
    turned = corruptions.rotation(bar, 30, Chosen(random=(0.0,))).astype(float)
    y, x = np.mgrid[:101, :101] - 50
    assert (turned * x).sum() / turned.sum() == pytest.approx(0, abs=0.2)
    angle = 0.5 * np.arctan2(2 * (turned * x * y).sum(), (turned * (x**2 - y**2)).sum())
    assert np.degrees(angle) == pytest.approx(-30, abs=0.5)  # counter-clockwise: y points down
    other = corruptions.rotation(bar, 30, Chosen(random=(0.9,))).astype(float)
    assert 0.5 * np.arctan2(2 * (other * x * y).sum(), (other * (x**2 - y**2)).sum()) == pytest.approx(-angle, abs=0.01)
    white = np.full((24, 36, 3), 250, dtype=np.uint8)
    np.testing.assert_array_equal(corruptions.rotation(white, 30, Chosen(random=(0.0,))), white)


def test_every_kind_has_a_function_and_grades_that_change():
    assert set(corruptions.CORRUPTIONS) == set(KINDS)
    for grades in GRADES.values():
        rising = np.diff(grades.strengths)
        assert (rising > 0).all() or (rising < 0).all()
