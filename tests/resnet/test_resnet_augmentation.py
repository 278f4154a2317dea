"""Augmentation against known pictures: what was flipped, shifted, turned, brightened and blanked."""

import math

import numpy as np
import pytest
import torch

from fercli.config.resnet import ResNetConfig
from fercli.resnet.augmentation import Draws, brighten, draw, move

NONE = {"flip": False, "shift": 0, "rotate": 0.0, "brightness": 0.0, "erase": 0.0}


def only(**values):
    return ResNetConfig.of(**{**NONE, **values})


def known(size=(6, 8), channels=1):
    return torch.arange(1.0, 1 + channels * size[0] * size[1]).reshape(1, channels, *size)


def column(*values):
    return torch.tensor(values, dtype=torch.float32)


def test_flip_mirrors_left_and_right_of_the_chosen_pictures_only():
    pictures = known(channels=3).repeat(2, 1, 1, 1)
    moved = move(pictures, Draws(flip=column(1, 0)))
    assert torch.equal(moved[0], pictures[0].flip(-1))
    assert torch.equal(moved[1], pictures[1])


@pytest.mark.parametrize(("down", "right"), [(0, 0), (2, -3), (-1, 1), (6, 0), (40, -40)])
def test_shift_moves_whole_pixels_and_fills_with_the_mean(down, right):
    picture = known()
    moved = move(picture, Draws(down=column(down), right=column(right)))[0, 0].numpy()
    expected = np.zeros((6, 8), dtype=np.float32)
    for row in range(6):
        for at in range(8):
            if 0 <= row - down < 6 and 0 <= at - right < 8:
                expected[row, at] = picture[0, 0, row - down, at - right]
    np.testing.assert_array_equal(moved, expected)


@pytest.mark.parametrize("size", [(6, 6), (6, 8), (9, 5)])
def test_resampling_by_no_angle_equals_copying(size):
    pictures = known(size, 3).repeat(2, 1, 1, 1)
    common = {"flip": column(1, 0), "down": column(2, -1), "right": column(-1, 3)}
    copied, turned = move(pictures, Draws(**common)), move(pictures, Draws(**common, angle=column(0, 0)))
    torch.testing.assert_close(turned, copied, rtol=1e-4, atol=1e-3)


def test_a_quarter_turn_is_counter_clockwise():
    picture = known((7, 7))
    turned = move(picture, Draws(angle=column(np.pi / 2)))[0, 0].numpy()
    np.testing.assert_allclose(turned, np.rot90(picture[0, 0].numpy()), atol=1e-3)


def test_a_turn_keeps_lengths_on_pictures_that_are_not_square():
    picture = torch.zeros(1, 1, 21, 41)
    picture[0, 0, 10, 14:27] = 1.0
    turned = move(picture, Draws(angle=column(np.pi / 2)))[0, 0].numpy()
    np.testing.assert_allclose(turned[4:17, 20], 1.0, atol=1e-4)
    assert turned.sum() == pytest.approx(13.0, abs=1e-2)


def test_brightness_is_a_factor_cut_at_white():
    pixels = torch.tensor([100.0, 250.0]).reshape(1, 1, 1, 2).repeat(2, 1, 1, 1)
    lit = brighten(pixels, Draws(gain=column(1.1, 0.5)))
    torch.testing.assert_close(lit.flatten(), torch.tensor([110.0, 255.0, 50.0, 125.0]))


def test_erasing_blanks_exactly_its_rectangle():
    picture = torch.ones(2, 3, 6, 8)
    blanked = move(picture, Draws(boxes=torch.tensor([[1.0, 2.0, 4.0, 7.0], [0.0, 0.0, 0.0, 0.0]])))
    assert not blanked[0, :, 1:4, 2:7].any()
    assert blanked[0].sum() == 3 * (48 - 15)
    assert blanked[1].all()


def test_erased_areas_and_their_share_are_those_of_the_draw():
    boxes = draw(only(erase=0.25), 4000, (48, 48), 0, 0, 0, 1).boxes.numpy()
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) / 48**2
    assert (areas > 0).mean() == pytest.approx(0.25, abs=0.03)
    assert areas[areas > 0].min() > 0.015
    assert areas.max() < 0.21
    assert boxes.min() >= 0
    assert boxes.max() <= 48


def test_draws_stay_in_their_bounds_and_a_config_without_augmentation_draws_nothing():
    drawn = draw(only(shift=3, rotate=10.0, brightness=0.2, flip=True), 3000, (48, 48), 0, 0, 0, 1)
    assert set(drawn.down.tolist()) == set(drawn.right.tolist()) == {-3, -2, -1, 0, 1, 2, 3}
    assert math.degrees(float(drawn.angle.abs().max())) == pytest.approx(10, abs=0.1)
    assert (drawn.gain.min(), drawn.gain.max()) == (pytest.approx(0.8, abs=0.01), pytest.approx(1.2, abs=0.01))
    assert drawn.flip.mean() == pytest.approx(0.5, abs=0.04)
    assert draw(only(), 10, (48, 48), 0, 0, 0, 1) == Draws()
    picture = known()
    assert torch.equal(move(picture, Draws()), picture)


def test_draws_are_a_function_of_seed_and_path_and_parts_are_slices():
    config = only(shift=4, rotate=10.0)
    one, again = draw(config, 50, (48, 48), 1, 0, 2, 5), draw(config, 50, (48, 48), 1, 0, 2, 5)
    other = draw(config, 50, (48, 48), 1, 0, 2, 6)
    assert torch.equal(one.angle, again.angle)
    assert not torch.equal(one.angle, other.angle)
    pictures = torch.rand(50, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    parts = torch.cat([move(pictures[i : i + 10], one.part(i, i + 10)) for i in range(0, 50, 10)])
    assert torch.equal(parts, move(pictures, one))
