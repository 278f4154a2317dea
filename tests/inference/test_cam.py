"""Grad-CAM: the paper's equations on the whole graph, for every kind of network, alone and in a batch."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from fercli.config.resnet import Architecture
from fercli.errors import ArtifactError
from fercli.inference.cam import GradCam, closing_pooling, grad_cam, shares
from fercli.inference.model_files import ModelFiles
from fercli.resnet.batches import Normalisation
from fercli.resnet.fitted import FittedNet
from fercli.resnet.variants import build

CLASSES = ("angry", "happy", "sad")
CPU = torch.device("cpu")


def fitted(variant: str, side: int, *, crop: int = 0, channels: int = 1, **options) -> FittedNet:
    architecture = Architecture.of_variant(variant, (side, side), channels, 3, crop=crop, **options)
    network = build(architecture, 3)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):  # fresh statistics would leave the maps nearly flat
                module.running_mean.uniform_(-0.3, 0.3, generator=torch.Generator().manual_seed(1))
    return FittedNet(
        architecture, CLASSES, Normalisation((120.0,) * channels, (60.0,) * channels), network.state_dict()
    )


def pictures(count: int, side: int, *, channels: int = 1):
    shape = (count, side, side) if channels == 1 else (count, side, side, channels)
    return np.random.default_rng(5).integers(0, 256, shape, dtype=np.uint8)


def by_the_book(net: FittedNet, stack, targets):
    """Equations 1 and 2 of Selvaraju et al. (2017), picture by picture, with gradients through the whole network."""
    network, mean, sd = net.network(), net.normalisation.mean[0], net.normalisation.sd[0]
    kept = {}

    def keep(_module, inputs):
        inputs[0].retain_grad()
        kept["map"] = inputs[0]

    closing_pooling(network).register_forward_pre_hook(keep)
    found = []
    for picture, target in zip(stack, targets, strict=True):
        pixels = torch.tensor((picture.astype(np.float32) - mean) / sd)[None, None].requires_grad_(True)
        network.zero_grad()
        network(pixels)[0, target].backward()
        weights = kept["map"].grad[0].mean(dim=(1, 2))
        evidence = torch.relu((weights[:, None, None] * kept["map"][0]).sum(dim=0)).detach()
        large = functional.interpolate(evidence[None, None], size=picture.shape, mode="bilinear", align_corners=False)
        found.append(large[0, 0].numpy())
    return np.stack(found)


@pytest.mark.parametrize(
    ("variant", "side", "options"),
    [
        ("cnn", 32, {"width": 4}),
        ("resnet18", 40, {}),
        ("du-improved-resnet50", 48, {}),
        ("googlenet", 32, {}),
    ],
)
def test_maps_are_those_of_the_paper(variant, side, options):
    net = fitted(variant, side, **options)
    stack, targets = pictures(3, side), np.array([0, 2, 1])
    maps = GradCam(net, CPU).maps(stack, targets)
    assert maps.shape == (3, side, side)
    assert maps.dtype == np.float32
    assert (maps >= 0).all()
    assert maps.any(axis=(1, 2)).any()
    expected = by_the_book(net, stack, targets)
    np.testing.assert_allclose(maps, expected, atol=1e-4 * expected.max())


def test_a_map_is_the_same_alone_and_in_a_batch_and_another_class_has_another_one():
    cam = GradCam(fitted("cnn", 32, width=4), CPU)
    stack = pictures(5, 32)
    together = cam.maps(stack, np.array([0, 1, 2, 0, 1]))
    alone = np.concatenate([cam.maps(stack[i : i + 1], np.array([i % 3])) for i in range(5)])
    np.testing.assert_allclose(together, alone, atol=1e-5 * together.max())
    other = cam.maps(stack, np.array([1, 2, 0, 1, 2]))
    assert not np.allclose(shares(other), shares(together), atol=1e-4)
    assert cam.maps(stack[:0], np.array([], dtype=np.int64)).shape == (0, 32, 32)


def test_a_net_of_crops_looks_at_the_centre_and_colour_is_taken_as_it_is():
    cropped = GradCam(fitted("cnn", 40, crop=32, width=4), CPU)
    stack = pictures(2, 40)
    maps = cropped.maps(stack, np.array([0, 1]))
    assert not maps[:, :4].any()
    assert not maps[:, :, 36:].any()
    whole = GradCam(fitted("cnn", 32, width=4), CPU).maps(stack[:, 4:36, 4:36], np.array([0, 1]))
    np.testing.assert_allclose(maps[:, 4:36, 4:36], whole, atol=1e-6)
    colour = GradCam(fitted("cnn", 32, channels=3, width=4), CPU)
    assert colour.maps(pictures(2, 32, channels=3), np.array([0, 1])).shape == (2, 32, 32)


def test_shares_sum_to_one_and_no_evidence_stays_none():
    maps = np.zeros((2, 3, 3), dtype=np.float32)
    maps[0, 1, 1], maps[0, 2, 2] = 3, 1
    found = shares(maps)
    assert found[0, 1, 1] == 0.75
    assert found.sum(axis=(1, 2)).tolist() == [1, 0]


def test_a_model_on_columns_has_no_maps():
    files = ModelFiles("run/bp", "model", lambda name: b'{"kind": "bp"}')
    with pytest.raises(ArtifactError, match="run/bp does not hold a network on pictures"):
        grad_cam(files)
