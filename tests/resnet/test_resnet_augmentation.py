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


@pytest.mark.parametrize(("size", "crop"), [((8, 8), 6), ((8, 9), 6), ((7, 10), 4), ((9, 9), 9)])
@pytest.mark.parametrize("turned", [False, True])
def test_a_crop_is_a_part_of_the_picture_or_of_its_mirror_image(size, crop, turned):
    picture = known(size)
    config = only(crop=crop, flip=True)
    drawn = draw(config, 900, size, 0, 0, 0, 1)
    draws = Draws(flip=drawn.flip, down=drawn.down, right=drawn.right, angle=torch.zeros(900) if turned else None)
    moved = move(picture.repeat(900, 1, 1, 1), draws, crop)
    assert moved.shape == (900, 1, crop, crop)
    parts = {}
    for mirrored in (0, 1):
        source = picture[0, 0].flip(-1) if mirrored else picture[0, 0]
        for top in range(size[0] - crop + 1):
            for left in range(size[1] - crop + 1):
                key = tuple(source[top : top + crop, left : left + crop].flatten().tolist())
                parts[key] = (mirrored, top, left)
    seen = {parts[tuple(part.round().flatten().tolist())] for part in moved[:, 0]}
    assert seen == set(parts.values())
    torch.testing.assert_close(moved, moved.round(), atol=2e-3, rtol=0)


def test_crop_and_shift_add_up_and_a_crop_of_everything_changes_nothing():
    config = only(crop=6, shift=2)
    drawn = draw(config, 2000, (8, 8), 0, 0, 0, 1)
    assert set(drawn.down.tolist()) == {-3, -2, -1, 0, 1, 2, 3}
    picture = known((6, 6))
    assert torch.equal(move(picture, Draws(), 6), picture)
    assert torch.equal(move(known((8, 9)), Draws(), 5), known((8, 9))[:, :, 1:6, 2:7])


def test_boxes_are_drawn_in_the_part_that_is_taken():
    boxes = draw(only(erase=1.0, crop=20), 2000, (48, 48), 0, 0, 0, 1).boxes
    assert float(boxes[:, 2:].max()) == 20
    picture = torch.ones(1, 1, 48, 48)
    blanked = move(picture, Draws(boxes=torch.tensor([[0.0, 0.0, 3.0, 20.0]])), 20)
    assert blanked.sum() == 400 - 60


@pytest.mark.parametrize("crop", [0, 13])
def test_zoom_is_a_factor_on_lengths_about_the_centre(crop):
    picture = torch.zeros(1, 1, 21, 21)
    picture[0, 0, 10, 8:13] = 1.0
    larger = move(picture, Draws(zoom=column(1.8)), crop)[0, 0]
    assert larger[larger.shape[0] // 2].sum() == pytest.approx(9.0, abs=0.3)
    torch.testing.assert_close(larger, larger.flip(0).flip(1), atol=1e-5, rtol=0)
    drawn = draw(only(scale=0.2), 3000, (48, 48), 0, 0, 0, 1).zoom
    assert (float(drawn.min()), float(drawn.max())) == (pytest.approx(0.8, abs=0.01), pytest.approx(1.2, abs=0.01))


def test_crop_and_scale_leave_the_other_draws_as_they_are():
    plain = only(flip=True, shift=3, rotate=5.0, brightness=0.1, erase=0.5)
    one = draw(plain, 40, (48, 48), 0, 0, 0, 1)
    other = draw(plain.model_copy(update={"scale": 0.1}), 40, (48, 48), 0, 0, 0, 1)
    for name in ("flip", "down", "right", "angle", "gain", "boxes"):
        assert torch.equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("size", [(16, 30), (17, 12)])
def test_a_turned_and_zoomed_crop_is_the_centre_of_the_whole_turned_picture(size):
    pictures = torch.rand(3, 1, *size, generator=torch.Generator().manual_seed(0))
    draws = Draws(flip=column(0, 1, 1), angle=column(0.3, -0.5, 0.1), zoom=column(1.2, 0.9, 1.0))
    whole, crop = move(pictures, draws), 10
    top, left = (size[0] - crop) // 2, (size[1] - crop) // 2
    expected = whole[:, :, top : top + crop, left : left + crop]
    torch.testing.assert_close(move(pictures, draws, crop), expected, atol=1e-5, rtol=0)
