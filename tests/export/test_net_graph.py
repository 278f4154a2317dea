"""A network as an ONNX graph scores as the network does: every kind of layer, view, colour and batch.

Logits of a deep net with random weights differ by some 1e-5 between two orders of summation; a wrong layer by 0.1.
"""

import json
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from fercli.config.resnet import Architecture
from fercli.errors import FerError
from fercli.export.graph import OPSET
from fercli.export.net_graph import net_graph
from fercli.inference.exported import onnx_scorer
from fercli.resnet.batches import Normalisation
from fercli.resnet.fitted import FittedNet, NetScorer
from fercli.resnet.variants import build

CLASSES = ("angry", "happy", "sad")
CASES: dict[str, tuple[str, tuple[int, int], int, dict[str, Any], str]] = {
    "cnn": ("cnn", (24, 20), 1, {"width": 8}, "none"),
    "colour, ten crops": ("cnn", (24, 20), 3, {"width": 8}, "ten-crop"),
    "crop of the middle": ("cnn", (24, 24), 1, {"width": 8, "crop": 20}, "flip"),
    "squeeze and excitation": ("resnet18", (24, 24), 1, {"stem": "small-pool", "se": True, "drop_path": 0.1}, "flip"),
    "du head, equal channels": ("du-improved-resnet50", (32, 32), 1, {}, "none"),
    "grouped convolutions": ("resnext50_32x4d", (33, 40), 3, {}, "none"),
    "branches and pooling with a remainder": ("googlenet", (49, 47), 3, {}, "none"),
}


def made_net(variant: str, size: tuple[int, int], channels: int, options: dict[str, Any], views: Any) -> FittedNet:
    """Random weights, and statistics of batch norm as one batch of pictures gives them, so that every layer acts."""
    shape = Architecture.of_variant(variant, size, channels, 3, **options)
    network = build(shape).train()
    random = torch.Generator().manual_seed(0)
    noise = torch.randn(8, channels, *shape.input_size, generator=random)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d | torch.nn.BatchNorm1d):
                module.momentum = 1.0
                module.weight.uniform_(0.5, 1.5, generator=random)
                module.bias.normal_(0, 0.2, generator=random)
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        network(noise)
        logits = network.eval()(1.5 * noise)
        last = [module for module in network.modules() if isinstance(module, torch.nn.Linear)][-1]
        last.weight /= logits.std(dim=0)[:, None]
        last.bias.copy_((last.bias - logits.mean(dim=0)) / logits.std(dim=0))
    mean, sd = (110.0, 120.0, 130.0)[:channels], (50.0, 60.0, 70.0)[:channels]
    return FittedNet(shape, CLASSES, Normalisation(mean, sd), network.state_dict(), views)


def onnx_of(net: FittedNet) -> bytes:
    shape = net.architecture
    graph = net_graph(
        net.network(),
        size=shape.size,
        channels=shape.channels,
        classes=3,
        mean=net.normalisation.mean,
        sd=net.normalisation.sd,
        views=net.views,
    )
    facts = {
        "format": "fercli-export",
        "version": 1,
        "model": shape.variant,
        "classes": CLASSES,
        "input": "pixels",
        "size": shape.size,
        "channels": shape.channels,
        "views": len(net.views),
        "run": "r",
        "fingerprint": "f",
        "fercli": "0",
    }
    return graph.bytes("net", {key: json.dumps(value) for key, value in facts.items()}, producer="0")


def pictures(size: tuple[int, int], channels: int, count: int) -> np.ndarray:
    shape = (count, *size, *([3] if channels == 3 else []))
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("case", list(CASES))
def test_the_graph_scores_as_the_network(case):
    net = made_net(*CASES[case])
    batch = pictures(net.architecture.size, net.architecture.channels, 5)
    ours = NetScorer(net, torch.device("cpu")).scores(batch)
    assert np.ptp(ours, axis=0).max() > 1e-6, "every picture scores the same: nothing would be seen"
    exported = onnx_scorer(onnx_of(net), where="net.onnx", threads=1)
    np.testing.assert_allclose(exported.scores(batch), ours, atol=1e-4)
    alone = np.concatenate([exported.scores(batch[row : row + 1]) for row in range(5)])
    np.testing.assert_allclose(alone, ours, atol=1e-4)
    assert exported.scores(batch[:0]).shape == (0, 3)


def test_more_pictures_than_are_scored_at_a_time():
    net = made_net(*CASES["colour, ten crops"])
    batch = pictures((24, 20), 3, 60)  # 25 at a time, for ten views of each
    exported = onnx_scorer(onnx_of(net), where="net.onnx", threads=1)
    np.testing.assert_allclose(exported.scores(batch), NetScorer(net, torch.device("cpu")).scores(batch), atol=1e-4)


def test_the_file_has_one_opset_a_dynamic_batch_and_logits_of_one_view():
    data = onnx_of(made_net(*CASES["cnn"]))
    model = onnx.load_model_from_string(data)
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", OPSET)]
    (given,) = model.graph.input
    assert given.name == "pictures"
    assert given.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert [side.dim_param or side.dim_value for side in given.type.tensor_type.shape.dim] == ["N", 24, 20]
    outputs = {entry.name: entry for entry in model.graph.output}
    assert list(outputs) == ["probabilities", "logits"]
    assert [side.dim_param or side.dim_value for side in outputs["logits"].type.tensor_type.shape.dim] == ["N", 3]
    assert data == onnx_of(made_net(*CASES["cnn"]))
    many = onnx.load_model_from_string(onnx_of(made_net(*CASES["crop of the middle"])))
    assert [entry.name for entry in many.graph.output] == ["probabilities"]


def test_a_layer_that_nobody_taught_the_exporter_is_named():
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 3, 3), torch.nn.GELU()).eval()
    with pytest.raises(FerError, match="cannot translate GELU"):
        net_graph(network, size=(8, 8), channels=1, classes=3, mean=[0.0], sd=[1.0])
