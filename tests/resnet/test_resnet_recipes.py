"""Recipes and schedules: the papers' values, overridable one by one, with bounds."""

import itertools
import math

import pytest

from fercli.config.resnet import RECIPES, ResNetConfig
from fercli.errors import UsageError
from fercli.resnet.schedules import Plateau, rate


def test_du_is_what_the_paper_states_and_the_template_adds():
    du = ResNetConfig.of_recipe("du")
    assert (du.variant, du.optimizer, du.epochs) == ("du-improved-resnet50", "adam", 30)
    assert (du.lr, du.batch_size, du.plateau_patience, du.patience, du.plateau_factor) == (1e-3, 64, 20, 20, 0.5)
    extras = ("flip", "shift", "rotate", "brightness", "erase", "label_smoothing", "weight_decay")
    assert not any(getattr(du, name) for name in extras)
    assert du.architecture((48, 48), 1, 7).head_width == 64


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_value_of_a_recipe_can_be_overridden_and_is_stored(recipe):
    stored = ResNetConfig.of_recipe(recipe).stored()
    assert stored["recipe"] == recipe
    assert set(stored) == set(ResNetConfig.model_fields)
    changed = ResNetConfig.of_recipe(recipe, lr=0.5, epochs=7, flip=True, erase=None, variant="cnn", width=8)
    assert (changed.lr, changed.epochs, changed.flip, changed.variant, changed.width) == (0.5, 7, True, "cnn", 8)
    assert changed.batch_size == stored["batch_size"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"lr": 0}, "--lr: .*greater than 0"),
        ({"batch_size": 0}, "--batch-size: "),
        ({"optimizer": "lion"}, "--optimizer: "),
        ({"epochs": 1.5}, "--epochs: "),
        ({"dropout": 1.0}, "--dropout: "),
        ({"optimizer": "nesterov", "momentum": 0}, "--optimizer nesterov .*: give a --momentum above 0"),
        ({"epochs": 3, "warmup": 3}, "--warmup 3 must end before --epochs 3"),
    ],
)
def test_values_out_of_bounds_name_their_option(values, message):
    with pytest.raises(UsageError, match=message):
        ResNetConfig.of_recipe(**values)


def test_an_unknown_recipe_lists_the_known():
    with pytest.raises(UsageError, match="no recipe 'best'") as refused:
        ResNetConfig.of_recipe("best")
    assert "du" in refused.value.next_step


def test_cosine_rises_linearly_then_falls_to_almost_nothing():
    config = ResNetConfig.of(epochs=10, warmup=2, lr=1.0, schedule="cosine")
    rates = [rate(config, 1.0, epoch, step, 5) for epoch in range(1, 11) for step in range(5)]
    assert rates[:10] == pytest.approx([i / 11 for i in range(1, 11)])
    assert rates[10] == 1.0
    assert rates[30] == pytest.approx(0.5)
    assert all(later < earlier for earlier, later in itertools.pairwise(rates[10:]))
    assert 0 < rates[-1] < 0.01


def test_plateau_halves_after_its_patience_and_stops_at_the_floor():
    config = ResNetConfig.of(schedule="plateau", plateau_patience=2, lr=1e-3, min_lr=4e-4)
    state, factors = Plateau(), []
    for loss in [1.0, 0.9, 0.95, 0.9, 0.91, 0.92, 0.93, 0.94, 0.8, math.nan]:
        state = state.after(loss, config)
        factors.append(state.factor)
    assert factors == [1, 1, 1, 0.5, 0.5, 0.4, 0.4, 0.4, 0.4, 0.4]
    assert state.best == 0.8
    assert rate(config, 0.5, 3, 0, 10) == 5e-4
    assert rate(ResNetConfig.of(schedule="constant", lr=0.3), 0.5, 3, 0, 10) == 0.3


def test_strong_picks_no_epoch_and_may_be_taken_with_another_variant():
    strong = ResNetConfig.of_recipe("strong")
    assert (strong.keep, strong.patience, strong.chooses) == ("last", 0, False)
    assert (strong.optimizer, strong.crop, strong.views, strong.stem) == ("nesterov", 44, "flip", "small")
    assert strong.architecture((48, 48), 1, 7).input_size == (44, 44)
    other = ResNetConfig.of_recipe("strong", variant="cnn", width=8)
    assert (other.stem, other.crop) == (None, 44)
    with pytest.raises(UsageError, match="--stem has no part to act on in cnn"):
        ResNetConfig.of_recipe("strong", variant="cnn", stem="small").architecture((48, 48), 1, 7)


def test_a_crop_that_does_not_fit_is_refused():
    with pytest.raises(UsageError, match="crops of 44x44 pixels do not fit into pictures of 40x48") as refused:
        ResNetConfig.of_recipe("strong").architecture((40, 48), 1, 7)
    assert "--crop 40" in refused.value.next_step
