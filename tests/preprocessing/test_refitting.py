"""Stored preprocessing against its training rows: what is theirs passes whatever its rounding, what is not is named."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.config.preprocessing import PreprocessingConfig
from fercli.preprocessing.foldwise import fit, fit_folds
from fercli.preprocessing.pca import Projection
from fercli.preprocessing.refitting import misfits
from fercli.records import Block
from fercli.seeds import generator

BLOCKS = (Block("a", 0, 6), Block("b", 6, 9, ("x", "y", "z")))
ROWS = np.arange(0, 60, 2)


def features(seed=0, rows=60):
    values = generator(seed, "refitting").normal(size=(rows, 9))
    values[:, 7] = np.exp(3 * values[:, 7])
    return (values * np.array([3, 1, 1, 2, 1, 1, 1, 1, 0.01]) + 5).astype(np.float32)


CONFIGS = [
    PreprocessingConfig(),
    PreprocessingConfig(pca=2),
    PreprocessingConfig(pca=0.9, scaling="minmax"),
    PreprocessingConfig(pca=4, log="none", scaling="none"),
    PreprocessingConfig(log=("a.1", "y"), scaling="zscore"),
]


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_what_the_rows_give_alone_or_among_other_folds_has_no_misfit(config):
    values = features()
    assert misfits(fit(values, BLOCKS, ROWS, config), values, BLOCKS, ROWS, config) == []
    sets = [np.setdiff1d(np.arange(60), np.arange(start, 60, 4)) for start in range(4)]
    for own, rows in zip(fit_folds(values, BLOCKS, sets, config), sets, strict=True):
        assert misfits(own, values, BLOCKS, rows[::-1], config) == []


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), row=st.sampled_from(ROWS.tolist()))
def test_a_fit_without_one_of_its_rows_is_a_misfit(seed, row):
    values, config = features(seed), PreprocessingConfig(pca=2)
    fewer = np.setdiff1d(ROWS, [row])
    found = {one.part for one in misfits(fit(values, BLOCKS, fewer, config), values, BLOCKS, ROWS, config)}
    assert {"PCA, mean", "PCA, variance", "PCA, direction: share off"} <= found


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), factor=st.floats(2, 1000))
def test_rows_that_are_not_fitted_on_play_no_part(seed, factor):
    values, config = features(seed), PreprocessingConfig(pca=2)
    fitted = fit(values, BLOCKS, ROWS, config)
    others = np.setdiff1d(np.arange(60), ROWS)
    changed = values.copy()
    changed[others] *= np.float32(factor)
    changed[others[0], 0] = np.nan
    assert misfits(fitted, changed, BLOCKS, ROWS, config) == []


def test_the_sign_of_a_component_plays_no_part_but_its_columns_must_follow():
    values, config = features(), PreprocessingConfig(pca=2, log="none")
    fitted = fit(values, BLOCKS, ROWS, config)
    first = fitted.projections[0]
    turned = replace(first, components=first.components * np.array([[-1.0], [1.0]]))
    # Of a centred component both signs have the same mean 0 and the same deviation.
    same = replace(fitted, projections=(turned, *fitted.projections[1:]))
    assert misfits(same, values, BLOCKS, ROWS, config) == []


def test_components_of_equal_variance_may_be_turned_into_each_other():
    values = np.concatenate([np.eye(4), -np.eye(4)]).astype(np.float32)
    config, rows, blocks = PreprocessingConfig(pca=2, log="none", scaling="none"), np.arange(8), (Block("a", 0, 4),)
    fitted = fit(values, blocks, rows, config)
    first = fitted.projections[0]
    angle = 0.3
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    other = replace(fitted, projections=(replace(first, components=turn @ first.components),))
    assert misfits(other, values, blocks, rows, config) == []


def edited(fitted, **parts):
    return replace(fitted, **parts)


@pytest.mark.parametrize(
    ("part", "column", "change"),
    [
        ("scaler, center", "x", lambda f: edited(f, scaling=replace(f.scaling, center=f.scaling.center + _at(2, 5)))),
        (
            "scaler, scale",
            "y",
            lambda f: edited(f, scaling=replace(f.scaling, scale=f.scaling.scale * (1 + _at(3, 5)))),
        ),
        ("log shift, origin", "y", lambda f: edited(f, log=replace(f.log, origin=f.log.origin + _at(3, 5)))),
        ("log shift, scale", "y", lambda f: edited(f, log=replace(f.log, scale=f.log.scale * (1 + _at(3, 5))))),
        ("log shift, columns", "y", lambda f: edited(f, log=replace(f.log, direction=f.log.direction * 0))),
        ("PCA, mean", "a.4", lambda f: _projected(f, mean=f.projections[0].mean + _at(4, 6))),
        ("PCA, variance", "a.pc2", lambda f: _projected(f, variances=f.projections[0].variances * [1, 1 + 1e-6])),
        ("PCA, direction: share off", "a.pc1", lambda f: _projected(f, components=_tilted(f.projections[0]))),
        (
            "PCA, component: length",
            "a.pc1",
            lambda f: _projected(f, components=f.projections[0].components * [[1.001], [1]]),
        ),
        ("PCA, total variance", "a", lambda f: _projected(f, total_variance=f.projections[0].total_variance * 1.01)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_one_changed_number_is_named_by_part_and_column(part, column, change):
    values, blocks, config = features(), BLOCKS, PreprocessingConfig(pca=2)
    if not part.startswith("PCA"):
        values, blocks, config = values[:, 4:], (Block("a", 0, 2), Block("b", 2, 5, BLOCKS[1].columns)), CONFIGS[0]
    fitted = fit(values, blocks, ROWS, config)
    named = [(one.part, one.column) for one in misfits(change(fitted), values, blocks, ROWS, config)]
    assert (part, column) in named


def _at(place, width):
    return np.eye(width)[place] * 1e-5


def _projected(fitted, **parts):
    return replace(fitted, projections=(replace(fitted.projections[0], **parts), *fitted.projections[1:]))


def _tilted(projection: Projection):
    turned = projection.components.copy()
    turned[0] += 1e-3 * turned[1]
    turned[0] /= np.linalg.norm(turned[0])
    return turned


def test_a_number_that_is_none_is_a_misfit():
    values, config = features(), PreprocessingConfig()
    fitted = fit(values, BLOCKS, ROWS, config)
    broken = replace(fitted, scaling=replace(fitted.scaling, center=np.full(9, np.nan)))
    assert [(one.part, one.columns) for one in misfits(broken, values, BLOCKS, ROWS, config)] == [("scaler, center", 9)]


@pytest.mark.parametrize(
    ("stored", "asked", "part"),
    [
        (None, 2, "PCA, whether there is one"),
        (2, None, "PCA, whether there is one"),
        (2, 3, "PCA, components kept"),
    ],
)
def test_another_pca_than_was_asked_for_is_a_misfit(stored, asked, part):
    values = features()
    fitted = fit(values, (Block("a", 0, 9),), ROWS, PreprocessingConfig(pca=stored))
    found = misfits(fitted, values, (Block("a", 0, 9),), ROWS, PreprocessingConfig(pca=asked))
    assert found[0].part == part


def test_other_blocks_than_the_data_has_are_a_misfit():
    values = features()
    fitted = fit(values, (Block("a", 0, 9),), ROWS, PreprocessingConfig())
    assert [one.part for one in misfits(fitted, values, BLOCKS, ROWS, PreprocessingConfig())] == ["blocks"]


def test_wide_blocks_are_read_a_few_columns_at_a_time():
    values = generator(0, "refitting.wide").normal(size=(12, 300)).astype(np.float32)
    blocks, config = (Block("a", 0, 290), Block("b", 290, 300)), PreprocessingConfig()
    fitted = fit(values, blocks, np.arange(9), config)
    assert misfits(fitted, values, blocks, np.arange(9), config) == []
    found = misfits(fitted, values, blocks, np.arange(10), config)
    assert {one.part for one in found} >= {"scaler, center", "scaler, scale"}
    assert max(one.columns for one in found) == 300
