"""LPQ's invariances, its grid and modes, a plain transcription beside it, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from fercli.benchmarks import descriptor_reference as plain
from fercli.benchmarks.descriptors import pictures
from fercli.descriptors import lpq as module
from fercli.descriptors import pixels
from fercli.descriptors.lpq import columns, lpq, lpq_batch
from fercli.descriptors.lpq_filters import FREQUENCIES, kernels
from fercli.errors import InputError

WINDOWS = (3, 5, 7, 9, 13)


def bits(codes):
    return np.unpackbits(codes[..., None], axis=-1)


@pytest.mark.parametrize("value", [0, 1, 128, 255])
@pytest.mark.parametrize("frequency", ["uniform", "gaussian"])
@pytest.mark.parametrize("window", WINDOWS)
def test_a_constant_picture_has_code_zero_everywhere(value, frequency, window):
    """The responses are mathematically zero there; the original codes its rounding noise."""
    image = np.full((20, 31), value, np.uint8)
    assert not lpq(image, window=window, frequency=frequency, mode="codes").any()


def waves(window):
    """A picture of one plane wave for each of the four frequencies that LPQ looks at."""
    y, x = np.mgrid[: 8 * window, : 9 * window]
    phases = ((x, 0.3), (y, 1.1), (x + y, 2.0), (x - y, 4.4))
    return 128 + sum(25 * np.cos(2 * np.pi * along / window + phase) for along, phase in phases)


@pytest.mark.parametrize("sigma", [0.4, 0.7, 1])
@pytest.mark.parametrize("window", WINDOWS)
def test_a_symmetric_blur_changes_no_code_of_plane_waves(window, sigma):
    """A Gaussian only shrinks each wave, and each response sees its wave alone: exactly the same phases."""
    image = waves(window)
    blurred = ndimage.gaussian_filter(image, sigma, mode="wrap")
    before, after = (lpq(x, window=window, decorrelate=False, mode="codes") for x in (image, blurred))
    np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize("window", [5, 7, 9])
def test_a_blur_wide_enough_to_turn_the_phase_complements_the_code(window):
    image = waves(window)
    blurred = ndimage.uniform_filter1d(image, window + 2, axis=1, mode="wrap")  # negative at 1 / window
    before, after = (lpq(x, window=window, decorrelate=False, mode="codes") for x in (image, blurred))
    along_x = np.uint8(0b11110011)  # all but R2, which looks along y only
    np.testing.assert_array_equal(after & along_x, ~before & along_x)
    np.testing.assert_array_equal(after & ~along_x, before & ~along_x)


@pytest.mark.parametrize(
    ("window", "sigma", "agreement"), [(3, 0.5, 0.92), (5, 0.7, 0.93), (7, 1.0, 0.92), (9, 1.0, 0.94)]
)
def test_most_bits_survive_a_symmetric_blur_of_moderate_width(window, sigma, agreement):
    """Stated tolerance on busy pictures: a blur also brings in what lies just outside the window."""
    images = pictures(4, 96, 96).astype(np.float64)
    blurred = np.clip(ndimage.gaussian_filter(images, (0, sigma, sigma)), 0, 255)
    before, after = (lpq_batch(x, window=window, decorrelate=False, mode="codes") for x in (images, blurred))
    assert np.mean(bits(before) == bits(after)) > agreement


@pytest.mark.parametrize("gain", [0.25, 0.5, 2, 3])
@pytest.mark.parametrize("window", WINDOWS)
def test_brightness_scaling_changes_no_code(gain, window):
    images = pictures(2, 48, 48) // 3
    scaled = images.astype(np.float64) * gain
    for decorrelate in (False, True):
        options = {"window": window, "decorrelate": decorrelate, "mode": "codes"}
        changed = np.mean(lpq_batch(scaled, **options) != lpq_batch(images, **options))
        # Decorrelated at window 3, weights of 7e-7 beside weights of 1 put some responses astride the tie rule.
        assert changed <= (0.05 if window == 3 and decorrelate else 0)


def test_an_offset_changes_no_code_of_filters_without_a_mean():
    images = pictures(2, 48, 48) // 2
    np.testing.assert_array_equal(lpq_batch(images + 100, mode="codes"), lpq_batch(images, mode="codes"))


@pytest.mark.parametrize("frequency", FREQUENCIES)
@pytest.mark.parametrize("window", WINDOWS)
def test_codes_are_the_signs_of_plain_convolutions(window, frequency):
    image = pictures(1, 30, 37)[0].astype(np.float64)
    reach = window // 2
    inner = (slice(reach, 30 - reach), slice(reach, 37 - reach))
    expected = np.zeros((30 - window + 1, 37 - window + 1), dtype=np.int64)
    for component, kernel in enumerate(kernels(window, frequency)):
        response = ndimage.convolve(image, kernel, mode="constant")[inner]
        expected += (response > 1e-9 * 255 * np.abs(kernel).sum()) << component
    codes = lpq(image, window=window, frequency=frequency, decorrelate=False, mode="codes")
    np.testing.assert_array_equal(codes, expected)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize(("height", "width"), [(48, 48), (31, 57)])
def test_agrees_with_the_plain_transcription(window, height, width):
    images = pictures(6, height, width)
    theirs = [plain.lpq(image, window) for image in images]
    np.testing.assert_allclose(lpq_batch(images, window=window), theirs, rtol=0, atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(data=st.data(), window=st.sampled_from((3, 5, 7)), frequency=st.sampled_from(FREQUENCIES), raw=st.booleans())
def test_alone_or_in_a_batch_the_same_bits_that_sum_to_one(data, window, frequency, raw):
    height, width = data.draw(st.tuples(st.integers(7, 20), st.integers(7, 20)))
    images = data.draw(hnp.arrays(np.uint8, (3, height, width), elements=st.integers(0, 255)))
    options = {"window": window, "frequency": frequency, "decorrelate": not raw}
    batch = lpq_batch(images, **options)
    for row, image in zip(batch, images, strict=True):
        assert row.tobytes() == lpq(image, **options).tobytes()
        assert row.sum() == pytest.approx(1)


def test_counts_of_codes_by_block_row_by_row():
    image = pictures(1, 40, 33)[0]
    codes = lpq(image, mode="codes")
    assert codes.shape == (34, 27)
    assert codes.dtype == np.uint8
    expected = [
        np.bincount(codes[top:bottom, left:right].ravel(), minlength=256)
        for top, bottom in ((0, 11), (11, 22), (22, 34))
        for left, right in ((0, 13), (13, 27))
    ]
    counts = lpq(image, mode="counts", grid=(3, 2))
    np.testing.assert_array_equal(counts, np.concatenate(expected))
    normalized = lpq(image, grid=(3, 2)).reshape(6, 256)
    np.testing.assert_allclose(normalized, [block / block.sum() for block in expected], rtol=0, atol=1e-15)
    assert normalized.size == columns(40, 33, window=7, grid=(3, 2))


def test_strips_of_a_large_picture_join_without_a_seam(monkeypatch):
    images = pictures(2, 90, 50)
    codes, counts = lpq_batch(images, mode="codes"), lpq_batch(images, mode="counts", grid=(2, 2))
    for size in (50 * 7, 50 * 20, 2 * 90 * 50):
        monkeypatch.setattr(pixels, "TILE_PIXELS", size)
        monkeypatch.setattr(module, "TILE_PIXELS", size)
        np.testing.assert_array_equal(lpq_batch(images, mode="codes"), codes)
        np.testing.assert_array_equal(lpq_batch(images, mode="counts", grid=(2, 2)), counts)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": 4}, "odd number of pixels from 3 on, not 4"),
        ({"window": 1}, "odd number of pixels from 3 on, not 1"),
        ({"frequency": "stft"}, "one of uniform, gaussian, quadrature, not stft"),
        ({"mode": "h"}, "one of codes, counts, normalized, not h"),
        ({"grid": (11, 1)}, "an LPQ grid of 11x1 blocks does not fit 10x6 codes"),
        ({"grid": (0, 1)}, "an LPQ grid of 0x1 blocks"),
        ({"window": 13}, "16x12 pixels are smaller than an LPQ window of 13"),
    ],
)
def test_refusals(options, message):
    with pytest.raises(InputError, match=message):
        lpq(np.zeros((16, 12), np.uint8), **options)


def test_a_picture_too_small_says_which_window_would_fit():
    with pytest.raises(InputError) as error:
        lpq(np.zeros((16, 12), np.uint8), window=13)
    assert error.value.next_step == "use a window of at most 11"
    assert lpq(np.zeros((16, 12), np.uint8), window=11, mode="codes").shape == (6, 2)
