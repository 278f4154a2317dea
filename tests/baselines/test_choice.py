"""The inner choice: groups whole, the first of equals, a temperature that makes margins honest probabilities."""

import numpy as np
import pytest

from fercli.baselines import choice as module
from fercli.baselines.choice import choose, temperature
from fercli.baselines.fitted import softmax
from fercli.config.baseline import DEFAULTS, TrainBaselineConfig
from fercli.config.preprocessing import PreprocessingConfig
from fercli.config.protocol import ProtocolConfig
from fercli.records import Block
from fercli.seeds import generator

BLOCKS = (Block("phog", 0, 6),)


def chosen(model, *, count=120, groups=None, copies=None, noise=1.0, train=None, **more):
    rng = generator(3, "choice")
    targets = rng.integers(0, 3, count)
    features = np.eye(6)[targets] + noise * rng.normal(size=(count, 6))
    return choose(
        features,
        BLOCKS,
        targets,
        np.arange(count) if groups is None else groups,
        np.arange(count) if copies is None else copies,
        np.arange(count) if train is None else train,
        3,
        TrainBaselineConfig(model=model, preprocessing=PreprocessingConfig(log="none"), **more),
        repeat=0,
        fold=0,
    )


def test_every_candidate_is_tried_once_and_the_best_is_in_force():
    answer = chosen("rbf-svm")
    assert len(answer.tried) == 9
    assert all(one.rows == 120 for one in answer.tried)
    best = max(one.accuracy for one in answer.tried)
    assert answer.parameters == next(one.parameters for one in answer.tried if one.accuracy == best)
    assert answer.scale == next(one.scale for one in answer.tried if one.parameters == answer.parameters)


def test_of_equals_the_first_of_the_grid_wins():
    answer = chosen("knn", noise=0.0)
    assert {one.accuracy for one in answer.tried} == {1.0}
    assert answer.parameters == {"neighbors": 25}


def test_groups_and_copies_are_never_divided(monkeypatch):
    seen = []
    real = module.fit_folds

    def watched(features, blocks, row_sets, config):
        seen.extend(row_sets)
        return real(features, blocks, row_sets, config)

    monkeypatch.setattr(module, "fit_folds", watched)
    groups = np.arange(120) // 6
    copies = np.arange(120)
    copies[6] = copies[0]  # joins the first two groups
    chosen("knn", groups=groups, copies=copies)
    assert len(seen) == 3
    units = np.where(groups == 1, 0, groups)
    for own in seen:
        held_out = np.setdiff1d(np.arange(120), own)
        assert 0 < len(held_out) < 120
        assert not set(units[own]) & set(units[held_out])


def test_a_large_fold_is_chosen_for_on_a_part_of_its_rows():
    answer = chosen("knn", count=400, grid_rows=100)
    assert answer.tried[0].rows == pytest.approx(100, abs=5)


@pytest.mark.parametrize("model", list(DEFAULTS))
def test_without_a_choice_the_defaults_hold(model):
    assert chosen(model, protocol=ProtocolConfig(monitor="none")) == module.Choice(DEFAULTS[model], 1.0)
    assert chosen(model, groups=np.zeros(120, dtype=int)) == module.Choice(DEFAULTS[model], 1.0)


@pytest.mark.parametrize("model", ["majority", "lda", "forest", "mlp"])
def test_models_without_a_grid_choose_nothing(model):
    assert chosen(model) == module.Choice({}, 1.0)


def test_the_temperature_undoes_a_known_one():
    random = generator(0, "temperature")
    scores = random.normal(size=(20_000, 3))
    honest = softmax(scores, 2.5)
    truth = np.array([random.choice(3, p=row) for row in honest])
    assert temperature(scores, truth) == pytest.approx(2.5, rel=0.05)
    assert temperature(10 * scores, truth) == pytest.approx(0.25, rel=0.05)


def test_probabilities_of_a_margin_tell_more_than_the_class_shares():
    answer = chosen("rbf-svm", count=300, noise=1.5)
    best = next(one for one in answer.tried if one.parameters == answer.parameters)
    assert best.log_loss < np.log(3)
