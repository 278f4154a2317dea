"""PHOG and Canny against the golden values of the authors' anna_phog.m (Octave run; see tests/golden/README.md)."""

import re
from pathlib import Path

import numpy as np
import pytest

from fercli.descriptors.canny import canny
from fercli.descriptors.phog import phog, phog_batch

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "phog_public.npz")
CASE = re.compile(r"(?P<name>\w+)/phog_b(?P<bins>\d+)_a(?P<angle>\d+)_L(?P<levels>\d)_(?P<edges>\w+)$")
CASES = [match for match in map(CASE.match, GOLDEN.files) if match]
GENERATIONS = {"m13": "matlab", "m16": "matlab-2011", "old": "matlab-2010"}
NOISE = {("ramp", "old"), ("checker", "old")}
NAMES = sorted({match["name"] for match in CASES} - {"dark90", "dark101"})


def edge_map(name, key):
    shape = GOLDEN[f"{name}/img"].shape
    if key == "all":
        return np.ones(shape, dtype=bool)
    return np.unpackbits(GOLDEN[f"{name}/edge_{key}"], axis=1, count=shape[1]).astype(bool)


def test_every_golden_case_is_covered():
    assert len(CASES) == sum("/phog_" in key for key in GOLDEN.files) - 1  # the last one is test_region's


@pytest.mark.parametrize("match", CASES, ids=lambda match: match[0])
def test_descriptor(match):
    descriptor = phog(
        GOLDEN[f"{match['name']}/img"],
        bins=int(match["bins"]),
        angle=int(match["angle"]),
        levels=int(match["levels"]),
        edges=edge_map(match["name"], match["edges"]),
    )
    np.testing.assert_allclose(descriptor, GOLDEN[match[0]], rtol=0, atol=1e-12)


def test_region():
    descriptor = phog(
        GOLDEN["camera/img"], edges=edge_map("camera", "m13"), roi=GOLDEN["camera/roi"].astype(int).tolist()
    )
    np.testing.assert_allclose(descriptor, GOLDEN["camera/phog_roi_b8_a360_L3_m13"], rtol=0, atol=1e-12)


@pytest.mark.parametrize(("name", "key"), [(n, k) for n in NAMES for k in GENERATIONS if (n, k) != ("constant", "old")])
def test_canny_map(name, key):
    mine = canny(GOLDEN[f"{name}/img"], GENERATIONS[key])
    if (name, key) in NOISE:
        # The original differs from itself by this many pixels between single and double precision.
        own = GOLDEN[f"{name}/single_diff"][list(GENERATIONS).index(key)]
        assert np.count_nonzero(mine != edge_map(name, key)) <= own
    else:
        np.testing.assert_array_equal(mine, edge_map(name, key))


def test_canny_of_a_constant_picture_has_no_edges_where_the_original_follows_rounding_noise():
    assert edge_map("constant", "old").any()
    assert not canny(GOLDEN["constant/img"], "matlab-2010").any()


@pytest.mark.parametrize(("bins", "angle"), [(8, 360), (16, 360), (8, 180)])
def test_bins_and_magnitudes_pixel_by_pixel(bins, angle):
    """One pixel at a time as the only edge: the descriptor is one in its bin, whatever its magnitude."""
    image, expected = GOLDEN["odd/img"], GOLDEN[f"odd/bin_b{bins}_a{angle}"]
    edges = np.eye(image.size, dtype=bool).reshape(-1, *image.shape)
    counted = GOLDEN["odd/mag"].ravel() > 0
    images = np.broadcast_to(image, edges.shape)
    rows = phog_batch(images, bins=bins, angle=angle, levels=0, edges=edges)
    np.testing.assert_array_equal(rows[counted].argmax(axis=1) + 1, expected.ravel()[counted])
    np.testing.assert_array_equal(rows.sum(axis=1), counted)
