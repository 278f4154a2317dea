"""Permutation importance: the same as permuting raw columns, and nothing for what the model does not use."""

import numpy as np
import pytest

from fercli.config.preprocessing import PreprocessingConfig
from fercli.inference.permutation import ColumnModel, permuted_scores, units_of
from fercli.preprocessing.foldwise import apply, fit
from fercli.records import Block
from fercli.seeds import generator

BLOCKS = (Block("phog", 0, 6), Block("lpq", 6, 11))


def made(pca, *, use=None):
    """A linear model over fitted columns; use: the fitted columns that it looks at."""
    random = np.random.default_rng(2)
    features = random.gamma(2.0, size=(40, 11)).astype(np.float32)
    fitted = fit(features, BLOCKS, np.arange(40), PreprocessingConfig(pca=pca))
    weights = random.normal(size=(len(fitted.names), 3))
    if use is not None:
        weights[np.setdiff1d(np.arange(len(weights)), use)] = 0

    def scores(columns):
        raised = np.exp(columns @ weights)
        return raised / raised.sum(axis=1, keepdims=True)

    return features, ColumnModel(fitted, ("a", "b", "c"), scores)


def test_units_are_the_blocks_and_the_first_columns_of_each():
    _, model = made(3)
    assert [(unit.kind, unit.name, unit.block, unit.columns.tolist()) for unit in units_of(model.fitted, 2)] == [
        ("block", "phog", "phog", [0, 1, 2]),
        ("block", "lpq", "lpq", [3, 4, 5]),
        ("component", "phog.pc1", "phog", [0]),
        ("component", "phog.pc2", "phog", [1]),
        ("component", "lpq.pc1", "lpq", [3]),
        ("component", "lpq.pc2", "lpq", [4]),
    ]
    assert [unit.kind for unit in units_of(model.fitted, 0)] == ["block", "block"]
    _, raw = made(None)
    assert [unit.name for unit in units_of(raw.fitted, 1)] == ["phog", "lpq", "phog.0", "lpq.0"]


@pytest.mark.parametrize("pca", [3, None])
def test_a_block_is_permuted_as_its_raw_columns_would_be(pca):
    features, model = made(pca)
    blocks = [unit for unit in units_of(model.fitted, 0) if unit.kind == "block"]
    drawn = list(permuted_scores(model, model.columns(features), blocks, 2, seed=9, path=(0, 1)))
    assert len(drawn) == 4
    for unit, number, scores in drawn:
        order = generator(9, "explain.permutation", 0, 1, unit.kind, unit.name, number).permutation(40)
        block = next(entry for entry in BLOCKS if entry.name == unit.name)
        raw = features.copy()
        raw[:, block.start : block.stop] = features[order, block.start : block.stop]
        np.testing.assert_allclose(scores, model.scores(apply(model.fitted, raw)), atol=1e-9)


def test_only_what_the_model_uses_matters():
    features, model = made(3, use=[1])
    columns = model.columns(features)
    clean = model.scores(columns)
    changed = {
        unit.name: float(np.abs(scores - clean).max())
        for unit, _, scores in permuted_scores(model, columns, units_of(model.fitted, 3), 1, seed=0, path=())
    }
    used = {name for name, difference in changed.items() if difference > 1e-9}
    assert used == {"phog", "phog.pc2"}
    again = [scores for _, _, scores in permuted_scores(model, columns, units_of(model.fitted, 3), 1, seed=0, path=())]
    other = [
        scores for _, _, scores in permuted_scores(model, columns, units_of(model.fitted, 3), 1, seed=0, path=(1,))
    ]
    assert np.abs(again[0] - clean).max() == changed["phog"]
    assert not np.array_equal(again[0], other[0])
