"""The decoder: sizes from headers, colour as stored, broken files refused by name."""

import sys

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.datasets import images
from fercli.datasets.image_headers import BrokenImage, is_image_name, read_header
from fercli.datasets.images import as_color, decode, fit_to, to_gray
from fercli.errors import EnvironmentFailure, InputError

RNG = np.random.default_rng(7)
GRAY = RNG.integers(0, 256, (20, 31), dtype=np.uint8)
RGB = RNG.integers(0, 256, (20, 31, 3), dtype=np.uint8)


def encoded(pixels, suffix):
    if suffix == ".gif" and pixels.ndim == 2:
        pixels = np.stack([pixels] * 3, axis=2)
    stored = pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[..., ::-1])
    return cv2.imencode(suffix, stored)[1].tobytes()


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".webp", ".tiff", ".gif", ".ppm"])
def test_header_states_the_size_of_every_format(suffix):
    header = read_header(encoded(RGB, suffix))
    assert (header.height, header.width) == (20, 31)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".ppm"])
def test_lossless_colour_comes_back_as_rgb(suffix):
    assert np.array_equal(decode(encoded(RGB, suffix), source="a"), RGB)


@pytest.mark.parametrize("suffix", [".png", ".tiff", ".pgm"])
def test_gray_files_stay_gray_unless_forced(suffix):
    data = encoded(GRAY, suffix)
    assert np.array_equal(decode(data, source="a"), GRAY)
    assert np.array_equal(decode(data, source="a", color="rgb"), np.stack([GRAY] * 3, axis=2))


def test_colour_file_with_equal_channels_stays_colour():
    assert decode(encoded(np.stack([GRAY] * 3, axis=2), ".png"), source="a").shape == (20, 31, 3)


def test_gray_is_the_stated_formula():
    red, green, blue = (RGB[..., channel].astype(object) for channel in range(3))
    expected = (299 * red + 587 * green + 114 * blue + 500) // 1000
    assert np.array_equal(to_gray(RGB), expected.astype(np.uint8))
    assert np.array_equal(decode(encoded(RGB, ".png"), source="a", color="gray"), expected.astype(np.uint8))
    assert to_gray(np.full((1, 1, 3), 255, np.uint8)) == 255


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".gif", ".webp", ".pgm"])
def test_truncated_files_are_refused_at_every_length(suffix):
    data = encoded(GRAY, suffix)
    for length in range(0, len(data) - 2, max(1, len(data) // 40)):
        with pytest.raises(InputError) as caught:
            decode(data[:length], source="faces/a")
        assert caught.value.where == "faces/a"


def test_every_flipped_bit_of_a_png_is_noticed():
    data = bytearray(encoded(GRAY[:4, :4], ".png"))
    for position in range(len(data)):
        data[position] ^= 0x10
        with pytest.raises(InputError):
            decode(bytes(data), source="a")
        data[position] ^= 0x10


def test_png_checksum_message():
    data = bytearray(encoded(GRAY, ".png"))
    data[-20] ^= 1
    with pytest.raises(InputError, match="checksum of PNG chunk 'IDAT' is wrong"):
        decode(bytes(data), source="a")


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([".png", ".jpg", ".bmp", ".gif", ".webp", ".tiff", ".pgm"]), st.data())
def test_damaged_bytes_give_pixels_or_an_input_error(suffix, data):
    damaged = bytearray(encoded(GRAY, suffix))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        pixels = decode(bytes(damaged), source="a", max_pixels=10_000)
    except InputError:
        return
    assert pixels.dtype == np.uint8


def test_too_many_pixels_are_refused_before_decoding(monkeypatch):
    monkeypatch.setattr(images, "opencv", lambda: pytest.fail("decoded"))
    with pytest.raises(InputError, match="31x20 pixels are more than the limit of 619 pixels"):
        decode(encoded(GRAY, ".png"), source="a", max_pixels=619)


def test_text_is_no_image():
    with pytest.raises(BrokenImage, match="not a PNG, JPEG"):
        read_header(b"emotion,pixels,Usage\n")
    with pytest.raises(BrokenImage, match="empty"):
        read_header(b"")


def test_missing_system_library_is_named(monkeypatch):
    images.opencv.cache_clear()

    class Finder:
        def find_spec(self, name, *_):
            if name == "cv2":
                raise ImportError("libGL.so.1: cannot open shared object file: No such file or directory")

    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    monkeypatch.delitem(sys.modules, "cv2")
    with pytest.raises(EnvironmentFailure, match=r"libGL\.so\.1") as caught:
        images.opencv()
    assert "libgl1" in caught.value.next_step
    images.opencv.cache_clear()


def test_fit_pads_with_black_crops_the_middle_and_stretches():
    white = np.full((10, 20), 255, np.uint8)
    padded = fit_to(white, (20, 20), "pad")
    assert (padded[5:15] == 255).all()
    assert padded[:5].max() == 0
    assert padded[15:].max() == 0
    assert (fit_to(white, (20, 20), "stretch") == 255).all()
    marked = white.copy()
    marked[:, :5] = 0
    marked[:, 15:] = 0
    assert (fit_to(marked, (10, 10), "crop") == 255).all()


def test_shrinking_averages_areas():
    blocks = RNG.integers(0, 256, (4, 4), dtype=np.uint8)
    large = np.kron(blocks, np.ones((3, 3), np.uint8))
    assert np.array_equal(fit_to(large, (4, 4), "pad"), blocks)


def test_same_size_is_untouched_and_as_color_auto_keeps():
    assert fit_to(RGB, (20, 31)) is RGB
    assert as_color(RGB, "auto") is RGB


def test_image_names():
    assert is_image_name("a/b.JPeG")
    assert not is_image_name("a/jpg")
    assert not is_image_name("labels.csv")
