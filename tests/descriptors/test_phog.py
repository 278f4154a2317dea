"""PHOG on pictures whose answer is known, against a plain transcription, and what it refuses."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fercli.benchmarks import descriptor_reference as plain
from fercli.benchmarks.descriptors import pictures
from fercli.descriptors import pixels
from fercli.descriptors.canny import CANNIES
from fercli.descriptors.phog import columns, phog, phog_batch
from fercli.errors import InputError

SIDES = st.tuples(st.integers(8, 24), st.integers(8, 24))


def plane(height=48, width=48):
    """x to the right and y down, from the middle of the picture."""
    y, x = np.mgrid[:height, :width]
    return x - (width - 1) / 2, y - (height - 1) / 2


@pytest.mark.parametrize("value", [0, 1, 128, 255])
@pytest.mark.parametrize("canny", CANNIES)
def test_a_constant_picture_gives_zeros(value, canny):
    np.testing.assert_array_equal(phog(np.full((32, 40), value, np.uint8), canny=canny), np.zeros(680))


@pytest.mark.parametrize(
    ("direction", "bin_of_8"),
    [((1, 0), 4), ((1, 1), 5), ((0, 1), 6), ((-1, 1), 7), ((-1, 0), 8), ((-1, -1), 1), ((0, -1), 3), ((1, -1), 3)],
)
def test_a_half_plane_fills_one_bin_even_on_a_bin_border(direction, bin_of_8):
    x, y = plane()
    image = np.where(direction[0] * x + direction[1] * y > 0, 200, 50).astype(np.uint8)
    whole = phog(image, levels=0)
    assert whole[bin_of_8 - 1] == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    ("direction", "bin_of_8"), [((1, 0), 4), ((1, 1), 6), ((0, 1), 8), ((1, -1), 2), ((0, -1), 1), ((-1, 1), 2)]
)
def test_a_half_plane_over_180_degrees(direction, bin_of_8):
    x, y = plane()
    image = np.where(direction[0] * x + direction[1] * y > 0, 200, 50).astype(np.uint8)
    assert phog(image, levels=0, angle=180)[bin_of_8 - 1] == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("degrees", [20, 70, 110, 160, 200, 250, 290, 340])
def test_a_soft_half_plane_between_the_borders(degrees):
    x, y = plane()
    distance = x * np.cos(np.deg2rad(degrees)) + y * np.sin(np.deg2rad(degrees))
    whole = phog(128 + 100 * np.tanh(distance / 3), levels=0)
    assert whole[int(np.ceil(((degrees + 180) % 360) / 45)) - 1] > 0.99


def test_gradients_on_axes_and_diagonals_fall_into_the_originals_bins_at_every_strength():
    from fercli.descriptors.phog import _bins

    strength = np.arange(1, 511) / 2
    zero = np.zeros_like(strength)
    expected = {(1, 0): 4, (1, 1): 5, (0, 1): 6, (-1, 1): 7, (-1, 0): 8, (-1, -1): 1, (0, -1): 3, (1, -1): 3}
    for (x, y), number in expected.items():
        bins = _bins(strength * x if x else zero, strength * y if y else -zero, 8, 360)
        assert set(bins.tolist()) == {number}, (x, y)


def test_a_circle_fills_all_bins_alike():
    x, y = plane(96, 96)
    image = 128 + 100 * np.tanh((30 - np.hypot(x, y)) / 2)
    np.testing.assert_allclose(phog(image, levels=0), 1 / 8, atol=0.02)


def test_a_checkerboard_has_as_much_of_a_direction_as_of_its_opposite():
    y, x = np.mgrid[:64, :64] // 8
    image = np.where((x + y) % 2, 190, 60).astype(np.uint8)
    whole = phog(image, levels=0, edges=np.ones((64, 64), bool))
    assert whole[3] == pytest.approx(whole[7], abs=1e-12)
    assert whole[3] + whole[7] == pytest.approx(whole[5] + (whole[2] - whole[4]), abs=1e-12)
    assert whole[1] == 0


def test_the_largest_angle_falls_into_the_last_bin_whatever_the_rounding():
    image = np.repeat(np.array([[200, 100, 0]], np.uint8), 2, axis=0)
    for bins in range(1, 361):  # 360 / (360 / 161) rounds up past 161
        assert phog(image, bins=bins, levels=0, edges=np.ones((2, 3), bool))[-1] == 1


@pytest.mark.parametrize(("total", "described"), [(100, False), (101, True)])
def test_a_picture_counts_from_a_pixel_sum_above_100(total, described):
    image = np.zeros((8, 8), np.uint8)
    image[3, 3] = total
    assert phog(image, levels=1, edges=np.ones((8, 8), bool)).any() == described


def test_every_level_repeats_the_sums_of_the_one_above_where_cells_nest():
    image = pictures(1, 48, 64)[0]
    descriptor = phog(image, bins=8, levels=3)
    starts = np.cumsum([0, 8, 32, 128, 512])
    totals = [descriptor[a:b].reshape(-1, 8).sum(axis=0) for a, b in itertools.pairwise(starts)]
    np.testing.assert_allclose(totals, np.repeat(totals[:1], 4, axis=0), atol=1e-12)


def test_cells_stand_column_by_column():
    image = np.full((32, 32), 50, np.uint8)
    image[20:28, 4:12] = 200  # in the lower left quarter: column 0, row 1, the second cell of level 1
    level1 = phog(image, levels=1)[8:].reshape(4, 8).sum(axis=1)
    np.testing.assert_allclose(level1, [0, 0.5, 0, 0], atol=1e-12)


@pytest.mark.parametrize(("height", "width"), [(48, 48), (47, 61), (33, 40)])
@pytest.mark.parametrize(("bins", "angle", "levels"), [(8, 360, 3), (16, 360, 4), (8, 180, 2), (9, 360, 3)])
def test_agrees_with_the_plain_transcription(height, width, bins, angle, levels):
    images = pictures(6, height, width)
    ours = phog_batch(images, bins=bins, angle=angle, levels=levels)
    theirs = [plain.phog(image, bins, angle, levels) for image in images]
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)
    assert ours.shape[1] == columns(height, width, bins=bins, levels=levels)


@settings(deadline=None, max_examples=40)
@given(
    data=st.data(),
    bins=st.integers(1, 20),
    angle=st.sampled_from([180, 360]),
    levels=st.integers(0, 3),
    canny=st.sampled_from(CANNIES),
)
def test_alone_or_in_a_batch_the_same_bits_that_sum_to_one_or_zero(data, bins, angle, levels, canny):
    height, width = data.draw(SIDES)
    images = data.draw(hnp.arrays(np.uint8, (3, height, width), elements=st.integers(0, 255)))
    options = {"bins": bins, "angle": angle, "levels": levels, "canny": canny}
    batch = phog_batch(images, **options)
    for row, image in zip(batch, images, strict=True):
        assert row.tobytes() == phog(image, **options).tobytes()
        assert row.sum() == pytest.approx(1) or not row.any()
        assert (row >= 0).all()


def test_no_row_depends_on_the_tile_that_it_fell_into(monkeypatch):
    images = pictures(7, 24, 30)
    whole = phog_batch(images)
    monkeypatch.setattr(pixels, "TILE_PIXELS", 2 * 24 * 30)
    assert phog_batch(images).tobytes() == whole.tobytes()
    assert phog_batch(images[::-1])[::-1].tobytes() == whole.tobytes()


def test_colour_becomes_gray_by_the_stated_formula():
    rng = np.random.default_rng(1)
    colour = rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)
    gray = np.floor(colour @ np.array([0.299, 0.587, 0.114]) + 0.5 + 1e-9).astype(np.uint8)
    np.testing.assert_array_equal(phog(colour), phog(gray))


def test_whole_numbers_mean_the_same_in_any_type():
    image = pictures(1, 24, 24)[0]
    expected = phog(image)
    for kind in (np.int16, np.float32, np.float64):
        np.testing.assert_array_equal(phog(image.astype(kind)), expected)


def test_edges_from_outside_decide_what_counts():
    image = pictures(1, 32, 32)[0]
    edges = np.zeros((32, 32), bool)
    assert not phog(image, edges=edges).any()
    edges[3, 29] = True
    cells = phog(image, levels=1, edges=edges)[8:].reshape(4, 8).sum(axis=1)
    np.testing.assert_allclose(cells, [0, 0, 0.5, 0], atol=1e-12)
    assert edges.sum() == 1


@pytest.mark.parametrize(
    ("shape", "levels", "legal"), [((48, 48), 6, 5), ((7, 48), 3, 2), ((48, 15), 4, 3), ((1, 1), 1, 0)]
)
def test_a_side_below_two_to_the_levels_is_refused_with_the_largest_legal_level(shape, levels, legal):
    with pytest.raises(InputError, match=f"{levels} PHOG levels do not fit {shape[0]}x{shape[1]} pixels") as error:
        phog(np.zeros(shape, np.uint8), levels=levels)
    assert error.value.next_step == f"use at most {legal} levels"
    assert phog(np.zeros(shape, np.uint8), levels=legal).sum() == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"angle": 90}, "span 180 or 360 degrees, not 90"),
        ({"bins": 0}, "1 bin or more, not 0"),
        ({"canny": "sobel"}, "one of matlab, matlab-2011, matlab-2010, opencv, not sobel"),
        ({"roi": (0, 5, 1, 5)}, "rows 0..5, columns 1..5 is not inside a picture of 16x16"),
        ({"edges": np.ones((3, 3), bool)}, r"edges of shape \(1, 3, 3\) do not fit"),
    ],
)
def test_refusals(options, message):
    with pytest.raises(InputError, match=message):
        phog(np.zeros((16, 16), np.uint8), **options)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((2, 16, 16), np.uint8), r"must be \(H, W\) or \(H, W, 3\)"),
        (np.full((16, 16), 256), "numbers in 0..255"),
        (np.full((16, 16), np.nan), "finite numbers"),
        (np.full((16, 16), True), "not bool"),
        (np.zeros((16, 0), np.uint8), "16x0 pixels hold nothing"),
    ],
)
def test_what_is_no_picture(image, message):
    with pytest.raises(InputError, match=message):
        phog(image)
