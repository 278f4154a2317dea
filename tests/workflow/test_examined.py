"""Which rows a limit keeps, where the mass of a map lies, and what the descriptors see."""

import numpy as np
import pytest

from fercli.config.descriptors import DescriptorConfig
from fercli.descriptors.extraction import extract
from fercli.errors import InputError
from fercli.workflow.descriptor_views import seen
from fercli.workflow.examined import proportional
from fercli.workflow.net_maps import Looked, mass


def test_a_limit_keeps_the_shares_of_the_classes_and_smaller_ones_are_parts_of_larger_ones():
    labels = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [60, 30, 10]))
    kept = {count: proportional(labels, count, 7) for count in (10, 20, 50, 100)}
    for count, places in kept.items():
        assert len(places) == count
        assert np.array_equal(places, np.unique(places))
        np.testing.assert_allclose(np.bincount(labels[places], minlength=3), np.array([0.6, 0.3, 0.1]) * count, atol=1)
    assert set(kept[10]) < set(kept[20]) < set(kept[50]) < set(kept[100])
    assert not np.array_equal(proportional(labels, 10, 8), kept[10])
    assert proportional(labels, 1000, 0).tolist() == list(range(100))


def found(averages):
    count = len(averages)
    return Looked(averages, averages, np.full(count, 3), np.array([3, *[0] * (count - 1)]), ())


def test_the_middle_row_and_column_count_half_to_either_side():
    averages = np.zeros((3, 3, 9))
    averages[1] = 1 / 27
    averages[2, 1, 0] = 1.0
    none, even, left = mass(found(averages), ("a", "b", "c"))
    assert {key: none[key] for key in ("class", "maps", "empty", "top_left", "middle")} == {
        "class": "a",
        "maps": 3,
        "empty": 3,
        "top_left": None,
        "middle": None,
    }
    for corner in ("top_left", "top_right", "bottom_left", "bottom_right"):
        assert even[corner] == pytest.approx(0.25)
    assert even["middle"] == pytest.approx(1 / 9)
    assert (left["top_left"], left["bottom_left"], left["top_right"], left["middle"]) == (0.5, 0.5, 0, 0)


def test_each_quadrant_is_called_by_its_own_name():
    averages = np.zeros((4, 4, 4))
    for index, (row, column) in enumerate(((0, 0), (0, 3), (3, 0), (3, 3))):
        averages[index, row, column] = 1.0
    names = ("top_left", "top_right", "bottom_left", "bottom_right")
    for name, entry in zip(names, mass(found(averages), names), strict=True):
        assert [entry[other] for other in names] == [float(other == name) for other in names]


FACE = np.random.default_rng(3).integers(0, 256, (26, 37), dtype=np.uint8)


def test_the_cells_of_a_view_are_the_descriptor():
    config = DescriptorConfig(phog_bins=4, phog_levels=2, lpq_windows=(3, 5))
    view = seen(FACE, config)
    columns = extract(FACE[None], config)[0]
    cells = np.concatenate([level.cells.transpose(1, 0, 2).ravel() for level in view.levels])
    np.testing.assert_allclose(cells, columns[: len(cells)], atol=1e-7)
    histograms = np.concatenate([window.histogram for window in view.windows])
    np.testing.assert_allclose(histograms, columns[len(cells) :], atol=1e-7)
    assert [window.codes.shape for window in view.windows] == [(24, 35), (22, 33)]
    third = view.levels[2]
    assert third.cells.shape == (4, 4, 4)
    assert third.rows.tolist() == [0, 6, 12, 18, 24], "a cell is floor(26 / 4) pixels tall"
    assert third.columns.tolist() == [0, 9, 18, 27, 36]


def test_an_edge_counts_into_the_cell_where_it_is_seen():
    picture = np.full((32, 32), 40, dtype=np.uint8)
    picture[4:12, 20:28] = 220  # in the upper right
    level = seen(picture, DescriptorConfig(phog_bins=8, phog_levels=1, descriptors=("phog",))).levels[1]
    share = level.cells.sum(axis=2) / level.cells.sum()
    assert share[0, 1] == pytest.approx(1)
    assert seen(picture, DescriptorConfig(descriptors=("phog",))).windows == ()
    lpq_only = seen(np.stack([picture] * 3, axis=-1), DescriptorConfig(descriptors=("lpq",)))
    assert (lpq_only.edges, lpq_only.levels) == (None, ())


def test_there_is_a_view_of_phog_and_lpq_only():
    with pytest.raises(InputError, match="a view of PHOG and of LPQ only, not of hog, lbp"):
        seen(FACE, DescriptorConfig(descriptors=("hog", "lbp")))
