"""Canny's steps against plain versions of themselves; the maps as wholes stand in the golden tests."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fercli.benchmarks import descriptor_reference as plain
from fercli.benchmarks.descriptors import pictures
from fercli.descriptors.canny import CANNIES, canny, canny_batch, high_thresholds
from fercli.descriptors.thinning import thin_once


@settings(deadline=None, max_examples=60)
@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 3), st.integers(1, 200)),
        elements=st.floats(0, 1, width=32, allow_subnormal=False),
    )
)
def test_the_order_statistic_gives_the_threshold_of_matlabs_histogram(magnitudes):
    expected = []
    for row in magnitudes:
        counts = np.bincount(np.floor(63 * row.astype(np.float64) + 0.5).astype(int), minlength=64)
        expected.append((np.flatnonzero(np.cumsum(counts) > 0.7 * row.size)[0] + 1) / 64)
    np.testing.assert_array_equal(high_thresholds(magnitudes), expected)


def test_agrees_with_the_plain_transcription():
    images = pictures(40, 48, 52)
    np.testing.assert_array_equal(canny_batch(images), [plain.canny(image) for image in images])


@pytest.mark.parametrize("generation", CANNIES)
def test_a_disc_has_one_closed_thin_outline(generation):
    y, x = np.mgrid[:64, :64] - 31.5
    edges = canny(np.where(np.hypot(x, y) < 20, 200, 40).astype(np.uint8), generation)
    parts, _ = cv2.connectedComponents((~edges).astype(np.uint8), connectivity=4)
    assert parts == 3  # edge, inside, outside
    radius = np.hypot(x, y)[edges]
    assert radius.min() > 17.5
    assert radius.max() < 22.5


@pytest.mark.parametrize("generation", ["matlab", "opencv"])
@pytest.mark.parametrize("turn", [1, 2, 3])
def test_the_map_turns_with_the_picture(generation, turn):
    """Not so the others: an even filter moves the map down and right, and thinning begins at one side."""
    images = pictures(8, 40, 40)
    turned = np.rot90(images, turn, axes=(1, 2))
    assert (
        np.mean(np.rot90(canny_batch(images, generation), turn, axes=(1, 2)) != canny_batch(turned, generation)) < 1e-3
    )


@pytest.mark.parametrize("generation", CANNIES)
def test_border_pixels_are_never_edges(generation):
    images = np.random.default_rng(3).integers(0, 256, (5, 20, 23), dtype=np.uint8)
    edges = canny_batch(images, generation)
    assert edges.any()
    edges[:, 1:-1, 1:-1] = False
    assert not edges.any()


@pytest.mark.parametrize("shape", [(1, 1), (2, 9), (3, 3)])
@pytest.mark.parametrize("generation", CANNIES)
def test_pictures_with_hardly_an_inside(shape, generation):
    image = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape) * 20
    edges = canny(image, generation)
    assert edges.shape == shape
    assert edges.sum() <= 1


def thin_slowly(edges):
    """Guo and Hall, pixel by pixel, in the words of MATLAB's bwmorph documentation."""
    for second in (False, True):
        padded = np.pad(edges, 1)
        removed = np.zeros_like(edges)
        for y, x in np.argwhere(edges):
            w = padded[y : y + 3, x : x + 3]
            ring = [w[1, 2], w[0, 2], w[0, 1], w[0, 0], w[1, 0], w[2, 0], w[2, 1], w[2, 2]]
            x1, x2, x3, x4, x5, x6, x7, x8 = (bool(v) for v in ring)
            g1 = (not x1 and (x2 or x3)) + (not x3 and (x4 or x5)) + (not x5 and (x6 or x7)) + (not x7 and (x8 or x1))
            n1 = (x1 or x2) + (x3 or x4) + (x5 or x6) + (x7 or x8)
            n2 = (x2 or x3) + (x4 or x5) + (x6 or x7) + (x8 or x1)
            g3 = (x6 or x7 or not x4) and x5 if second else (x2 or x3 or not x8) and x1
            removed[y, x] = g1 == 1 and 2 <= min(n1, n2) <= 3 and not g3
        edges = edges & ~removed
    return edges


def test_thinning_is_guo_and_halls():
    maps = np.random.default_rng(5).random((4, 16, 19)) < 0.6
    thinned = thin_once(maps.transpose(1, 0, 2)).transpose(1, 0, 2)
    np.testing.assert_array_equal(thinned, [thin_slowly(edges) for edges in maps])
