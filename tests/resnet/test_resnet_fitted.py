"""A stored network scores as the trained one did, alone or in a batch; damaged files are refused."""

import copy
import json

import numpy as np
import pytest
import torch

from fercli.config.resnet import Architecture
from fercli.errors import ArtifactError, InputError
from fercli.records import Scorer
from fercli.resnet.batches import Normaliser, Pictures, fit_normalisation
from fercli.resnet.fitted import FittedNet, NetScorer
from fercli.resnet.scoring import evaluating, loss_and_accuracy, probabilities, scoring_batch
from fercli.resnet.variants import build

CPU = torch.device("cpu")
CLASSES = ("angry", "happy", "sad")


@pytest.fixture(params=["cnn", "xu-resnet", "du-improved-resnet50"])
def fitted(request):
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (20, 32, 32), dtype=np.uint8)
    shape = Architecture.of_variant(request.param, (32, 32), 1, 3)
    network = build(shape)
    normalisation = fit_normalisation(images, np.arange(20))
    # One pass in training mode, so that the stored statistics of batch norm are not the identity.
    with torch.no_grad():
        network.train()(Normaliser(normalisation, CPU)(Pictures(images, CPU).raw(np.arange(20))))
    return FittedNet(shape, CLASSES, normalisation, network.state_dict()), images


def scorer(net) -> Scorer:
    return NetScorer(net, CPU)


def test_alone_or_in_a_batch_a_picture_scores_the_same(fitted):
    net, images = fitted
    together = scorer(net).scores(images)
    alone = np.concatenate([scorer(net).scores(images[i : i + 1]) for i in (0, 7, 19)])
    np.testing.assert_allclose(alone, together[[0, 7, 19]], atol=1e-5)
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-6)
    assert together.dtype == np.float32
    assert together.std() > 1e-3


def test_what_was_written_reads_back_and_scores_the_same(fitted):
    net, images = fitted
    weights = net.weights()
    again = FittedNet.read(json.loads(json.dumps(net.record())), weights, where="runs/r")
    np.testing.assert_array_equal(scorer(again).scores(images), scorer(net).scores(images))
    assert again.weights() == weights
    assert (again.classes, again.architecture, again.normalisation) == (CLASSES, net.architecture, net.normalisation)


def test_the_batch_size_of_scoring_and_the_mode_of_the_network_do_not_matter(fitted):
    net, images = fitted
    network, pictures = net.network().train(), Pictures(images, CPU)
    normaliser = Normaliser(net.normalisation, CPU)
    by_three = probabilities(network, pictures, normaliser, np.arange(20), batch=3)
    np.testing.assert_allclose(by_three, scorer(net).scores(images), atol=1e-5)
    assert network.training
    with pytest.raises(RuntimeError), evaluating(network):
        raise RuntimeError
    assert network.training


def test_loss_and_accuracy_leave_out_unlabelled_rows(fitted):
    net, images = fitted
    scores = scorer(net).scores(images)
    targets = scores.argmax(axis=1).astype(np.int64)
    targets[:3] = -1
    targets[3] = (targets[3] + 1) % 3
    network, normaliser = net.network(), Normaliser(net.normalisation, CPU)
    loss, accuracy = loss_and_accuracy(network, Pictures(images, CPU), normaliser, np.arange(20), targets)
    assert accuracy == 16 / 17
    assert loss == pytest.approx(-np.log(scores[np.arange(3, 20), targets[3:]]).mean(), rel=1e-4)


def test_pictures_of_another_size_or_colour_are_refused(fitted):
    net, _ = fitted
    with pytest.raises(InputError, match="trained on 32x32 gray pictures, these are 30x32 gray"):
        scorer(net).scores(np.zeros((1, 30, 32), np.uint8))
    with pytest.raises(InputError, match="these are 32x32 colour"):
        scorer(net).scores(np.zeros((1, 32, 32, 3), np.uint8))


@pytest.mark.parametrize("damage", ["truncated", "other", "format", "field", "option", "crop"])
def test_damaged_files_are_refused_by_name(fitted, damage):
    net, _ = fitted
    record, weights = copy.deepcopy(net.record()), net.weights()
    if damage == "truncated":
        weights = weights[:-9]
    elif damage == "other":
        record["architecture"]["classes"] = 4
    elif damage == "format":
        record["version"] = 9
    elif damage == "field":
        del record["normalisation"]["mean"]
    elif damage == "crop":
        # Larger than the pictures: nothing of them would reach the last pooling.
        record["architecture"]["crop"] = max(record["architecture"]["size"]) + 1
    else:
        record["architecture"]["unknown"] = 1
    with pytest.raises(ArtifactError, match="the network cannot be read") as refused:
        FittedNet.read(record, weights, where="runs/r/model")
    assert refused.value.where == "runs/r/model"


def test_large_pictures_are_scored_in_small_batches():
    assert [scoring_batch(size) for size in ((48, 48), (224, 224), (576, 720), (4000, 4000))] == [256, 41, 5, 1]
