"""Our blocks against torchvision's, squeeze-and-excitation by hand, stochastic depth by its draws."""

import pytest
import torch
import torchvision
from torchvision.ops import StochasticDepth

from fercli.config.resnet import Architecture
from fercli.resnet.determinism import has_dropout
from fercli.resnet.pretrained import load_weights
from fercli.resnet.residual import BasicBlock, residual_network
from fercli.resnet.variants import build, describe


def features(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50", "wide_resnet50_2", "resnext50_32x4d"])
def test_without_additions_the_network_is_torchvisions(name):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        theirs = torchvision.models.get_model(name)
        torch.manual_seed(5)
        ours = residual_network(name)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    pictures = features(2, 3, 40, 40)
    theirs.train()
    ours.train()
    with torch.no_grad():
        assert torch.equal(ours(pictures), theirs(pictures))
    for name, tensor in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], tensor)


def test_squeeze_and_excitation_scales_each_channel_of_the_branch_before_the_shortcut():
    block = residual_network("resnet18", se=True).layer1[0].eval()
    assert isinstance(block, BasicBlock)
    squeeze = block.branch[0]
    inputs = features(3, 64, 5, 7)
    with torch.no_grad():
        branch = block.bn2(block.conv2(torch.relu(block.bn1(block.conv1(inputs)))))
        pooled = branch.mean(dim=(2, 3))
        hidden = torch.relu(pooled @ squeeze.fc1.weight[:, :, 0, 0].T + squeeze.fc1.bias)
        scale = torch.sigmoid(hidden @ squeeze.fc2.weight[:, :, 0, 0].T + squeeze.fc2.bias)
        expected = torch.relu(inputs + branch * scale[:, :, None, None])
        torch.testing.assert_close(block(inputs), expected, rtol=1e-5, atol=1e-6)
    assert hidden.shape == (3, 64 // 16)


def test_squeezing_adds_two_layers_a_block_to_the_count():
    plain = describe(Architecture.of_variant("xu-resnet", (48, 48), 1, 7))
    squeezed = describe(Architecture.of_variant("xu-resnet", (48, 48), 1, 7, se=True, drop_path=0.2))
    widths = [64, 64, 128, 128, 256, 256, 512, 512]
    weights = sum(2 * width * (width // 16) for width in widths)
    assert squeezed.multiply_adds == plain.multiply_adds + weights
    assert squeezed.parameters == plain.parameters + weights + sum(width + width // 16 for width in widths)


def test_stochastic_depth_leaves_out_whole_branches_more_often_the_deeper():
    network = residual_network("resnet18", drop_path=0.4)
    drops = [module.p for module in network.modules() if isinstance(module, StochasticDepth)]
    assert drops == pytest.approx([0.05 * block for block in range(1, 9)])
    block = network.layer4[1].train()
    inputs = features(400, 512, 1, 1).abs()
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        out = block(inputs)
        left_out = (out == inputs).all(dim=(1, 2, 3)).double().mean().item()
    assert left_out == pytest.approx(0.4, abs=0.08)
    assert has_dropout(network)
    assert not has_dropout(residual_network("resnet18", se=True))
    with torch.no_grad():
        evaluated = network.eval()(features(2, 3, 32, 32))
        assert torch.equal(evaluated, network(features(2, 3, 32, 32)))


def test_weights_without_squeezing_start_a_squeezing_network_and_the_squeezing_starts_anew():
    plain = build(Architecture.of_variant("resnet18", (32, 32), 3, 7))
    squeezed = build(Architecture.of_variant("resnet18", (32, 32), 3, 7, se=True), 1)
    loaded = load_weights(squeezed, plain.state_dict(), where="file")
    assert loaded.taken == len(plain.state_dict())
    assert len(loaded.fresh) == 8 * 4
    assert all(".branch.0.fc" in name for name in loaded.fresh)
