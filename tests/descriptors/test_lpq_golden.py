"""LPQ against the golden values of the authors' lpq.m (Octave run; see tests/golden/README.md)."""

import re
from pathlib import Path

import numpy as np
import pytest

from fercli.descriptors.lpq import lpq
from fercli.descriptors.lpq_filters import FREQUENCIES, covariance, rotation, windows

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "lpq_public.npz")
CASE = re.compile(r"(?P<name>\w+)/w(?P<window>\d)_d(?P<decorrelate>[01])_f(?P<frequency>[123])_(?P<what>h|im)$")
CASES = [match for match in map(CASE.match, GOLDEN.files) if match]


def options(match):
    return {
        "window": int(match["window"]),
        "decorrelate": match["decorrelate"] == "1",
        "frequency": FREQUENCIES[int(match["frequency"]) - 1],
    }


def test_every_golden_case_is_covered():
    assert len([m for m in CASES if m["what"] == "h"]) == 8 * 24
    assert len([m for m in CASES if m["what"] == "im"]) == 8 * 10


@pytest.mark.parametrize("match", [m for m in CASES if m["what"] == "h"], ids=lambda m: m[0])
def test_counts(match):
    ties = int(GOLDEN[match[0].removesuffix("_h") + "_nambig"])
    counts = lpq(GOLDEN[f"{match['name']}/img"], mode="counts", **options(match))
    assert np.abs(counts - GOLDEN[match[0]]).sum() / 2 <= ties


@pytest.mark.parametrize("match", [m for m in CASES if m["what"] == "im"], ids=lambda m: m[0])
def test_codes_wherever_the_original_is_not_rounding_noise(match):
    golden = GOLDEN[match[0]]
    ties = np.unpackbits(GOLDEN[match[0].removesuffix("_im") + "_ambig"], axis=1, count=golden.shape[1])
    codes = lpq(GOLDEN[f"{match['name']}/img"], mode="codes", **options(match))
    np.testing.assert_array_equal(codes[ties == 0], golden[ties == 0])


@pytest.mark.parametrize("frequency", [1, 2, 3])
@pytest.mark.parametrize("window", [3, 5, 7, 9])
def test_filters(window, frequency):
    key = f"filters/w{window}_f{frequency}_"
    name = FREQUENCIES[frequency - 1]
    w0, w1 = windows(window, name)
    np.testing.assert_allclose(w0, GOLDEN[key + "w0"], rtol=0, atol=1e-14)
    np.testing.assert_allclose(w1, GOLDEN[key + "w1re"] + 1j * GOLDEN[key + "w1im"], rtol=0, atol=1e-14)
    np.testing.assert_allclose(covariance(window, name), GOLDEN[key + "D"], rtol=1e-12, atol=1e-11)
    np.testing.assert_allclose(rotation(window, name), GOLDEN[key + "V"].T, rtol=0, atol=3e-8)
