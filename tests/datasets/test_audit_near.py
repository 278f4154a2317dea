"""Near copies: the tables miss no pair, the pixels decide, crowds stay linear."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.fft import dctn

from fercli.datasets import duplicates_near, perceptual_hash
from fercli.datasets.duplicates_near import candidate_pairs, difference, near_sets
from fercli.datasets.perceptual_hash import distance, hashes, low_frequencies, packed, thresholds
from fercli.seeds import generator


def smooth(count, side=24, *parts):
    """Pictures with something in every low frequency."""
    noise = generator(5, "audit", *parts).normal(size=(count, 6, 6)).repeat(side // 6, 1).repeat(side // 6, 2)
    noise = (noise + np.roll(noise, 1, 1) + np.roll(noise, 1, 2)) / 3
    return np.clip(128 + 45 * noise, 0, 255).astype(np.uint8)


@st.composite
def flipped_words(draw):
    """Hashes around a few centres, so that every distance from 0 to 12 occurs."""
    seed = draw(st.integers(0, 10**6))
    rng = np.random.default_rng(seed)
    centres = rng.integers(0, 2, (draw(st.integers(1, 4)), 64)).astype(bool)
    bits = centres[rng.integers(0, len(centres), draw(st.integers(2, 50)))].copy()
    for row in bits:
        flips = rng.choice(64, rng.integers(0, 7), replace=False)
        row[flips] ^= True
    return packed(bits)


@settings(max_examples=60, deadline=None)
@given(words=flipped_words(), bits=st.integers(0, 8))
def test_candidates_are_exactly_the_pairs_within_the_bits_each_once(words, bits):
    found = [
        tuple(sorted(pair))
        for left, right, _ in candidate_pairs(words, bits)
        for pair in zip(left.tolist(), right.tolist(), strict=True)
    ]
    wanted = {
        (i, j) for i, j in combinations(range(len(words)), 2) if bin(int(words[i]) ^ int(words[j])).count("1") <= bits
    }
    assert len(found) == len(set(found))
    assert set(found) == wanted


@pytest.mark.parametrize(("bits", "threshold"), [(6, 0.4), (3, 0.4), (8, 0.2), (6, 0.0)])
def test_near_sets_equal_comparing_every_pair(bits, threshold):
    base = smooth(25)
    rng = generator(1, "noise")
    levels = rng.integers(1, 30, (75, 1, 1))
    noisy = base.repeat(3, axis=0) + rng.normal(size=(75, 24, 24)) * levels
    images = np.concatenate([base, np.clip(noisy, 0, 255).astype(np.uint8)])
    coefficients, _ = low_frequencies(images)
    codes = hashes(coefficients, thresholds(coefficients))
    rows = rng.permutation(len(images))
    found = near_sets(images, rows, codes[rows], bits=bits, threshold=threshold)

    joined = {at: {at} for at in range(len(images))}
    pairs = 0
    for i, j in combinations(range(len(images)), 2):
        first, second = (images[rows[at]][None] for at in (i, j))
        if distance(codes[rows[[i]]], codes[rows[[j]]])[0] <= bits and difference(first, second)[0] <= threshold:
            pairs += 1
            union = joined[i] | joined[j]
            for at in union:
                joined[at] = union
    wanted = sorted({tuple(sorted(part)) for part in joined.values() if len(part) > 1})
    assert [tuple(part.tolist()) for part in found.members] == wanted
    assert found.crowded == 0
    assert (pairs > 15) == (threshold > 0)  # the case tests something


def test_a_crowd_is_one_set_and_costs_its_chain(monkeypatch):
    rng = generator(2, "crowd")
    images = np.clip(smooth(1, 24) + rng.integers(-2, 3, (1500, 24, 24)), 0, 255).astype(np.uint8)
    compared = []

    def counted(left, right):
        compared.append(len(left))
        return difference(left, right)

    monkeypatch.setattr(duplicates_near, "difference", counted)
    codes = np.zeros(1500, dtype=np.uint64)
    found = near_sets(images, np.arange(1500), codes, bits=6, threshold=0.4)
    assert [len(part) for part in found.members] == [1500]
    assert sum(compared) < 4 * 1500
    assert found.crowded > 1000  # and it says so


def test_a_crowd_of_unlike_pictures_is_bounded():
    words = np.zeros(400, dtype=np.uint64)
    pairs = list(candidate_pairs(words, 6, crowd=5))
    assert sum(len(left) for left, _, _ in pairs) <= 5 * 400
    assert len({row for _, _, crowded in pairs for row in crowded.tolist()}) == 400 - 6


def test_difference_is_that_of_correlation_and_blind_to_light():
    rng = generator(3, "difference")
    left = rng.integers(0, 256, (20, 9, 7)).astype(np.uint8)
    right = rng.integers(0, 256, (20, 9, 7)).astype(np.uint8)
    rho = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(left, right, strict=True)]
    np.testing.assert_allclose(difference(left, right), np.sqrt(2 - 2 * np.array(rho)), atol=1e-12)
    half = left // 4
    np.testing.assert_allclose(difference(half, 3 * half + 10), 0, atol=1e-12)
    np.testing.assert_allclose(difference(left, 255 - left), 2, atol=1e-12)
    np.testing.assert_allclose(difference(left, np.full_like(left, 9)), 1, atol=1e-12)


def test_coefficients_are_those_of_the_cosine_transform():
    images = smooth(4)
    coefficients, spread = low_frequencies(images)
    rows, columns = perceptual_hash._frequencies()
    for image, ours, deviation in zip(images, coefficients, spread, strict=True):
        centred = image - image.mean()
        reference = dctn(centred / np.linalg.norm(centred), norm="ortho")
        np.testing.assert_allclose(ours, reference[rows, columns], atol=1e-5)
        assert deviation == pytest.approx(image.std(), rel=1e-5)
    assert len(set(zip(rows.tolist(), columns.tolist(), strict=True))) == 64
    assert (0, 0) not in set(zip(rows.tolist(), columns.tolist(), strict=True))


def test_a_colour_picture_hashes_like_its_gray_and_a_tiny_one_hashes():
    images = smooth(6)
    gray, _ = low_frequencies(images)
    colour, _ = low_frequencies(images[..., None].repeat(3, axis=3))
    np.testing.assert_allclose(colour, gray, atol=1e-6)
    tiny, spread = low_frequencies(images[:, :3, :2])
    assert tiny.shape == (6, 64)
    assert np.isfinite(tiny).all()
    assert len(spread) == 6
    assert np.count_nonzero(tiny[0]) <= 3 * 2 - 1  # there are no more frequencies


def test_bits_say_which_coefficients_are_above_the_median():
    rough = generator(4, "rough").integers(0, 256, (1100, 12, 12)).astype(np.uint8)
    coefficients, _ = low_frequencies(rough)
    for count, limits in ((1100, np.median(coefficients, axis=0)), (1023, np.zeros(64))):
        codes = hashes(coefficients, thresholds(coefficients[:count]))
        for i, j in ((0, 1), (7, 40)):
            wanted = ((coefficients[i] > limits) != (coefficients[j] > limits)).sum()
            assert distance(codes[[i]], codes[[j]])[0] == wanted


def test_copies_among_very_few_pictures_are_found():
    """With a median of three pictures every bit would lie between the two copies."""
    images = smooth(2)[[0, 0, 1]].astype(np.float64)
    images[1] += generator(9, "few").normal(size=(24, 24)) * 6
    images = np.clip(images, 0, 255).astype(np.uint8)
    coefficients, _ = low_frequencies(images)
    found = near_sets(images, np.arange(3), hashes(coefficients, thresholds(coefficients)), bits=6, threshold=0.4)
    assert [part.tolist() for part in found.members] == [[0, 1]]


def test_a_frequency_that_no_picture_has_makes_no_bit():
    """Blown up from 6 x 6 by 5, they have no frequency 6; rounding must not become a bit."""
    small = generator(6, "small").integers(30, 220, (80, 6, 6)).astype(np.uint8)
    images = small.repeat(5, axis=1).repeat(5, axis=2)
    coefficients, _ = low_frequencies(images)
    limits = thresholds(coefficients)
    rows, columns = perceptual_hash._frequencies()
    lacking = (rows == 6) | (columns == 6)
    assert np.isinf(limits[lacking]).all()
    assert np.isfinite(limits[~lacking]).all()
    darker, _ = low_frequencies(images // 2 + 20)
    assert distance(hashes(coefficients, limits), hashes(darker, limits)).max() <= 6
    assert np.isinf(thresholds(coefficients[:0])).all()
