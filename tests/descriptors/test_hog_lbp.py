"""HOG and LBP: scikit-image's numbers, in batches, with gray pictures and honest refusals."""

import numpy as np
import pytest
from skimage.feature import hog as skimage_hog
from skimage.feature import local_binary_pattern

from fercli.benchmarks.descriptors import pictures
from fercli.descriptors import hog, lbp
from fercli.errors import InputError


@pytest.mark.parametrize(("orientations", "cell", "block"), [(9, 8, 2), (6, 5, 3), (12, 16, 1)])
def test_hog_is_scikit_images(orientations, cell, block):
    images = pictures(3, 48, 61)
    batch = hog.hog_batch(images, orientations=orientations, cell=cell, block=block)
    for row, image in zip(batch, images, strict=True):
        expected = skimage_hog(image, orientations, (cell, cell), (block, block), block_norm="L2-Hys")
        np.testing.assert_array_equal(row, expected)
        np.testing.assert_array_equal(hog.hog(image, orientations=orientations, cell=cell, block=block), expected)


@pytest.mark.parametrize(("points", "radius", "grid"), [(8, 1.0, (4, 4)), (12, 2.5, (1, 1)), (8, 2.0, (3, 5))])
def test_lbp_is_scikit_images_uniform_patterns_by_block(points, radius, grid):
    images = pictures(3, 30, 41)
    batch = lbp.lbp_batch(images, points=points, radius=radius, grid=grid)
    codes = points * (points - 1) + 3
    for row, image in zip(batch, images, strict=True):
        patterns = local_binary_pattern(image, points, radius, "nri_uniform").astype(int)
        rows = [patterns[30 * i // grid[0] : 30 * (i + 1) // grid[0]] for i in range(grid[0])]
        blocks = [r[:, 41 * j // grid[1] : 41 * (j + 1) // grid[1]] for r in rows for j in range(grid[1])]
        expected = [np.bincount(block.ravel(), minlength=codes) / block.size for block in blocks]
        np.testing.assert_allclose(row.reshape(-1, codes), expected, rtol=0, atol=1e-15)
    assert lbp.lbp(images[0], points=points, radius=radius, grid=grid).tobytes() == batch[0].tobytes()


def test_refusals_name_what_fits():
    small = np.zeros((12, 20), np.uint8)
    with pytest.raises(InputError, match="12x20 pixels hold no HOG block of 2x2 cells of 8 pixels") as error:
        hog.hog(small)
    assert error.value.next_step == "use cells of at most 6 pixels"
    assert hog.hog(small, cell=6).shape == (hog.columns(12, 20, orientations=9, cell=6, block=2),)
    with pytest.raises(InputError, match="an LBP grid of 13x1 blocks does not fit 12x20 codes"):
        lbp.lbp(small, grid=(13, 1))
