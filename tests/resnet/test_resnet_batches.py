"""Batches and normalisation: exact, from the rows that were named, whatever holds the pictures."""

import numpy as np
import pytest
import torch

from fercli.errors import InputError
from fercli.resnet.batches import Normaliser, Pictures, fit_normalisation

CPU = torch.device("cpu")


@pytest.fixture(params=[(), (3,)], ids=["gray", "colour"])
def images(request):
    return np.random.default_rng(0).integers(0, 256, (30, 9, 7, *request.param), dtype=np.uint8)


def test_normalisation_is_numpys_over_the_named_rows_and_no_other(images):
    rows = np.array([3, 5, 8, 21])
    fitted = fit_normalisation(images, rows)
    axes = (0, 1, 2)
    chosen = images[rows].astype(np.float64)
    np.testing.assert_allclose(fitted.mean, np.atleast_1d(chosen.mean(axis=axes)), rtol=1e-12)
    np.testing.assert_allclose(fitted.sd, np.atleast_1d(chosen.std(axis=axes)), rtol=1e-12)
    spoiled = images.copy()
    spoiled[np.setdiff1d(np.arange(30), rows)] = 255
    assert fit_normalisation(spoiled, rows) == fitted
    assert fit_normalisation(images, rows[::-1]) == fitted


def test_normalised_training_rows_have_mean_0_and_deviation_1(images):
    pictures = Pictures(images, CPU)
    rows = np.arange(20)
    batch = Normaliser(fit_normalisation(images, rows), CPU)(pictures.raw(rows))
    assert batch.shape == (20, images.shape[3] if images.ndim == 4 else 1, 9, 7)
    assert batch.is_contiguous(memory_format=torch.channels_last)
    assert float(batch.mean()) == pytest.approx(0, abs=1e-5)
    assert float(batch.std(correction=0)) == pytest.approx(1, abs=1e-5)


def test_a_black_data_set_has_no_contrast_to_divide_by():
    fitted = fit_normalisation(np.zeros((4, 5, 5), dtype=np.uint8), np.arange(4))
    assert (fitted.mean, fitted.sd) == ((0.0,), (1.0,))


def test_resident_and_streamed_pictures_are_the_same(images, tmp_path):
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    rows = np.array([4, 0, 17])
    streamed, resident = Pictures(mapped, CPU), Pictures(mapped, CPU, resident=True)
    assert (streamed.resident, resident.resident) == (False, True)
    assert torch.equal(streamed.raw(rows), resident.raw(rows))
    assert torch.equal(streamed.raw(torch.from_numpy(rows)), resident.raw(torch.from_numpy(rows)))
    expected = images[rows][:, None] if images.ndim == 3 else images[rows].transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(streamed.raw(rows).numpy(), expected)


@pytest.mark.parametrize("bad", [np.zeros((2, 4, 4), np.float32), np.zeros((2, 4, 4, 2), np.uint8)])
def test_what_is_no_picture_is_refused_with_its_shape(bad):
    with pytest.raises(InputError, match="pictures must be uint8") as refused:
        Pictures(bad, CPU)
    assert str(bad.shape) in refused.value.what


def test_no_rows_no_normalisation():
    with pytest.raises(InputError, match="no training row"):
        fit_normalisation(np.zeros((4, 5, 5), dtype=np.uint8), np.arange(0))
