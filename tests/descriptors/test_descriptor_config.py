"""Descriptor options: bounds, the forms a user writes, presets overridden by what is said explicitly."""

import json

import pytest

from fercli.config.descriptors import PRESETS, DescriptorConfig
from fercli.errors import UsageError


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"descriptors": ()}, "--descriptors: name at least one"),
        ({"descriptors": ("lpq", "lpq")}, "--descriptors: name each one once, not lpq, lpq"),
        ({"phog_angle": 90}, "--phog-angle: input should be 180 or 360"),
        ({"phog_levels": 9}, "--phog-levels: input should be less than or equal to 8"),
        ({"phog_canny": "octave"}, "--phog-canny: input should be 'matlab'"),
        ({"lpq_windows": (3, 4)}, "--lpq-window: a window is an odd number of pixels, not 4"),
        ({"lpq_windows": (1,)}, "--lpq-window: input should be greater than or equal to 3"),
        ({"lpq_windows": ()}, "--lpq-window: name at least one"),
        ({"lpq_grid": "4by4"}, "--lpq-grid: a grid is written ROWSxCOLUMNS, such as 4x4, not 4by4"),
        ({"lpq_grid": (0, 3)}, "--lpq-grid: input should be greater than or equal to 1"),
        ({"pca": 0}, "--pca: give a number of components from 1 on, or the share of variance"),
        ({"pca": 1.0}, "--pca: give a number of components"),
        ({"pca": 2.5}, "--pca: give a number of components"),
    ],
)
def test_out_of_bounds(values, message):
    with pytest.raises(UsageError) as error:
        DescriptorConfig.of(**values)
    assert error.value.what.startswith(message)


@pytest.mark.parametrize(("written", "grid"), [("4x3", (4, 3)), ("5", (5, 5)), ((2, 1), (2, 1)), ("4X4", (4, 4))])
def test_grids_as_written(written, grid):
    assert DescriptorConfig.of(lpq_grid=written, lbp_grid=written).lpq_grid == grid


@pytest.mark.parametrize(("given", "kept"), [(5, 5), (5.0, 5), (0.98, 0.98), (None, None), (1, 1)])
def test_components(given, kept):
    pca = DescriptorConfig.of(pca=given).pca
    assert pca == kept
    assert type(pca) is type(kept)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets_are_within_bounds_and_give_way_to_explicit_options(name):
    assert DescriptorConfig.preset(name).lpq_windows == tuple(PRESETS[name]["lpq_windows"])
    changed = DescriptorConfig.preset(name, lpq_windows=(5,), phog_levels=2)
    assert (changed.lpq_windows, changed.phog_levels) == ((5,), 2)
    assert changed.phog_bins == PRESETS[name]["phog_bins"]


def test_what_the_papers_state():
    sps, spi, xu = (DescriptorConfig.preset(name) for name in ("dhall2011-sps", "dhall2011-spi", "xu"))
    assert (sps.phog_bins, sps.phog_levels, sps.phog_angle, sps.lpq_grid) == (8, 3, 360, (3, 3))
    assert (spi.phog_bins, spi.phog_levels, spi.phog_angle, spi.lpq_grid, spi.pca) == (16, 4, 360, (4, 4), 0.98)
    assert (xu.pca, xu.descriptors) == (5, ("phog", "lpq"))


def test_an_unknown_preset_lists_the_known_ones():
    with pytest.raises(UsageError, match="there is no preset dhall") as error:
        DescriptorConfig.preset("dhall")
    assert error.value.next_step == "use one of dhall2011-spi, dhall2011-sps, strong, xu"


def test_no_preset_is_the_defaults_and_json_brings_them_back():
    config = DescriptorConfig.preset(None)
    assert config == DescriptorConfig()
    assert DescriptorConfig.of(**json.loads(json.dumps(config.stored()))) == config
