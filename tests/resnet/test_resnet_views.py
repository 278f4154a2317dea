"""Views against pictures whose pixels are known, and their mean as a score."""

import numpy as np
import pytest
import torch

from fercli.config.resnet import ResNetConfig
from fercli.resnet.batches import Normalisation, Normaliser, Pictures
from fercli.resnet.fitted import FittedNet, NetScorer
from fercli.resnet.scoring import cross_entropy, logits, mean_of_views, probabilities, view_probabilities
from fercli.resnet.variants import build
from fercli.resnet.views import View, views_of


def test_view_sets_are_where_they_should_be():
    assert views_of("none", (48, 40)) == (View(0, 0, 48, 40),)
    assert views_of("flip", (48, 40)) == (View(0, 0, 48, 40), View(0, 0, 48, 40, mirrored=True))
    assert views_of("none", (48, 48), 44) == (View(2, 2, 44, 44),)
    ten = views_of("ten-crop", (48, 48), 44)
    assert [(view.top, view.left) for view in ten[::2]] == [(2, 2), (0, 0), (0, 4), (4, 0), (4, 4)]
    assert [view.mirrored for view in ten] == [False, True] * 5
    assert {(view.height, view.width) for view in ten} == {(44, 44)}
    # The simpler sets are a part of the larger one where a crop was trained.
    assert ten[:2] == views_of("flip", (48, 48), 44)
    assert {(view.height, view.width) for view in views_of("ten-crop", (48, 96))} == {(44, 88)}


def test_a_view_is_its_part_of_the_picture():
    pictures = torch.arange(2 * 3 * 5 * 7.0).reshape(2, 3, 5, 7)
    view = View(1, 2, 3, 4, mirrored=True)
    assert torch.equal(view.of(pictures), pictures[:, :, 1:4, 2:6].flip(-1))
    assert View(0, 0, 5, 7).of(pictures).is_contiguous(memory_format=torch.channels_last)


@pytest.fixture(scope="module")
def net():
    config = ResNetConfig.of(variant="cnn", width=4, crop=18, views="ten-crop")
    architecture = config.architecture((20, 22), 1, 3)
    network = build(architecture, 3)
    with torch.no_grad():
        network.fc.weight *= 20
    state = network.state_dict()
    return FittedNet(architecture, ("a", "b", "c"), Normalisation((120.0,), (60.0,)), state, "ten-crop")


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (9, 20, 22), dtype=np.uint8)


def test_scores_are_the_mean_of_each_views_softmax(net, images):
    network, pictures = net.network(), Pictures(images, torch.device("cpu"))
    normaliser = Normaliser(net.normalisation, pictures.device)
    rows = np.arange(9)
    by_hand = []
    for view in net.views:
        part = images[:, view.top : view.top + 18, view.left : view.left + 18]
        part = part[:, :, ::-1] if view.mirrored else part
        entering = (torch.from_numpy(part.astype(np.float32)) - 120) / 60
        by_hand.append(torch.softmax(network(entering[:, None]), dim=1).detach().numpy())
    seen = view_probabilities(network, pictures, normaliser, rows, net.views, batch=4)
    np.testing.assert_allclose(seen, by_hand, atol=1e-5)
    scored = probabilities(network, pictures, normaliser, rows, views=net.views)
    np.testing.assert_allclose(scored, np.mean(by_hand, axis=0), atol=1e-5)
    assert np.abs(scored - seen[0]).max() > 1e-3
    assert mean_of_views(seen[:1]) is not seen
    assert logits(network, pictures, normaliser, rows, views=net.views[:2]).dtype == torch.float32


def test_a_stored_network_scores_by_its_views_again(net, images):
    read = FittedNet.read(net.record(), net.weights(), where="here")
    assert read.views == net.views
    scorer, plain = NetScorer(read, torch.device("cpu")), NetScorer(net, torch.device("cpu"), batch=2)
    np.testing.assert_allclose(scorer.scores(images), plain.scores(images), atol=1e-6)
    by_centre = FittedNet(net.architecture, net.classes, net.normalisation, net.state)
    assert np.abs(scorer.scores(images) - NetScorer(by_centre, torch.device("cpu")).scores(images)).max() > 1e-3
    with pytest.raises(Exception, match="names the views 'five'"):
        FittedNet.read({**net.record(), "views": "five"}, net.weights(), where="here")
    older = {key: value for key, value in net.record().items() if key != "views"}
    assert FittedNet.read(older, net.weights(), where="here").view_set == "none"


def test_mirrored_views_score_a_mirrored_picture_the_same(net, images):
    flip = NetScorer(
        FittedNet(net.architecture, net.classes, net.normalisation, net.state, "flip"), torch.device("cpu")
    )
    np.testing.assert_allclose(flip.scores(images), flip.scores(images[:, :, ::-1].copy()), atol=1e-5)


def test_cross_entropy_of_probabilities_leaves_unlabelled_rows_out():
    scored = np.array([[0.5, 0.5], [0.25, 0.75], [0.0, 1.0]], dtype=np.float32)
    assert cross_entropy(scored, np.array([0, 1, -1])) == pytest.approx(-(np.log(0.5) + np.log(0.75)) / 2)
    assert cross_entropy(scored[2:], np.array([0])) == pytest.approx(-np.log(1e-15))
    assert cross_entropy(scored, np.array([-1, -1, -1])) is None
