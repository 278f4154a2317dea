"""Mixtures against known pictures, and their draws against the papers' distributions."""

import numpy as np
import pytest
import torch

from fercli.config.resnet import ResNetConfig
from fercli.resnet import training
from fercli.resnet.batches import Pictures
from fercli.resnet.mixing import Mixture, draw_mixture
from fercli.resnet.progress import Task
from fercli.resnet.starting import start


def test_mixup_blends_each_picture_with_that_at_its_place_from_the_end():
    pictures = torch.rand(5, 3, 4, 6)
    mixed = Mixture(0.3).of(pictures)
    torch.testing.assert_close(mixed, 0.3 * pictures + 0.7 * pictures.flip(0))
    torch.testing.assert_close(mixed[2], pictures[2])


def test_cutmix_pastes_its_rectangle_only():
    pictures = torch.arange(2 * 4 * 6.0).reshape(2, 1, 4, 6)
    before = pictures.clone()
    mixed = Mixture(0.75, (1, 2, 3, 5)).of(pictures)
    inside = torch.zeros(4, 6, dtype=torch.bool)
    inside[1:3, 2:5] = True
    assert torch.equal(mixed[0, 0][inside], pictures[1, 0][inside])
    assert torch.equal(mixed[:, :, ~inside], pictures[:, :, ~inside])
    assert torch.equal(pictures, before)


def drawn(count=4000, size=(48, 40), **values):
    config = ResNetConfig.of(**values)
    return [draw_mixture(config, size, 0, 0, 0, 1, step, 0) for step in range(count)]


def test_shares_of_mixup_follow_their_beta_distribution():
    shares = np.array([mixture.share for mixture in drawn(mixup=0.4)])
    assert shares.mean() == pytest.approx(0.5, abs=0.02)
    assert shares.var() == pytest.approx(1 / (4 * 1.8), abs=0.01)
    assert all(mixture.box is None for mixture in drawn(20, mixup=0.4))


def test_the_share_of_cutmix_is_what_its_rectangle_leaves():
    for mixture in drawn(500, cutmix=1.0):
        top, left, bottom, right = mixture.box
        assert 0 <= top <= bottom <= 48
        assert 0 <= left <= right <= 40
        assert mixture.share == pytest.approx(1 - (bottom - top) * (right - left) / (48 * 40))


def test_with_both_half_of_the_batches_take_each_and_without_none_does():
    cut = [mixture.box is not None for mixture in drawn(1000, mixup=0.2, cutmix=1.0)]
    assert np.mean(cut) == pytest.approx(0.5, abs=0.05)
    assert set(drawn(10)) == {None}


def test_draws_are_a_function_of_seed_and_path():
    config = ResNetConfig.of(cutmix=1.0)
    one = draw_mixture(config, (48, 48), 3, 0, 1, 2, 3, 0)
    assert one == draw_mixture(config, (48, 48), 3, 0, 1, 2, 3, 0)
    assert one != draw_mixture(config, (48, 48), 3, 0, 1, 2, 4, 0)
    assert one != draw_mixture(config, (48, 48), 4, 0, 1, 2, 3, 0)


def test_every_micro_batch_of_every_step_epoch_and_fold_has_a_mixture_of_its_own(monkeypatch):
    shares = []

    def noted(*given):
        shares.append(draw_mixture(*given).share)
        return draw_mixture(*given)

    monkeypatch.setattr(training, "draw_mixture", noted)
    random, rows = np.random.default_rng(0), np.arange(48)
    pictures = Pictures(random.integers(0, 256, (48, 16, 16), dtype=np.uint8), torch.device("cpu"))
    config = ResNetConfig.of(variant="cnn", width=4, epochs=2, batch_size=8, accumulate=2, mixup=1.0)
    for fold in range(2):
        task = Task(random.integers(0, 3, 48), rows, rows[:0], rows[:0], path=(0, fold))
        list(start(pictures, task, config, config.architecture((16, 16), 1, 3)).epochs())
    # Six micro-batches of 8, two of them a step, in two epochs of two folds.
    assert len(shares) == len(set(shares)) == 24
