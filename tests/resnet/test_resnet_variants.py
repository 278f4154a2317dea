"""Structure of every variant: shapes, counts against torchvision's, and what the papers state."""

import pytest
import torch
import torchvision

from fercli.config.resnet import VARIANTS, Architecture
from fercli.errors import InputError, UsageError
from fercli.resnet.variants import build, describe, layers


def architecture(name, size=(48, 48), channels=3, classes=7, **options):
    return Architecture.of_variant(name, size, channels, classes, **options)


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_variant_maps_pictures_to_one_logit_per_class(name, channels):
    kinds = {layer.name: layer for layer in layers(architecture(name, (40, 56), channels, 5))}
    last = list(kinds.values())[-1]
    assert last.output == (5,)
    assert last.kind in ("Output", "Linear")


@pytest.mark.parametrize(
    "name", ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "wide_resnet50_2", "resnext50_32x4d"]
)
def test_parameters_are_torchvisions_but_for_the_output_layer(name):
    with torch.device("meta"):
        theirs = torchvision.models.get_model(name)
    count = sum(parameter.numel() for parameter in theirs.parameters())
    features = theirs.fc.in_features
    assert describe(architecture(name)).parameters == count - 1000 * (features + 1) + 7 * (features + 1)


def test_published_counts_at_the_imagenet_size():
    eighteen = describe(architecture("resnet18", (224, 224), 3, 1000))
    assert eighteen.parameters == 11_689_512
    assert eighteen.multiply_adds == pytest.approx(1.814e9, rel=1e-3)
    fifty = describe(architecture("resnet50", (224, 224), 3, 1000))
    assert fifty.parameters == 25_557_032
    assert fifty.multiply_adds == pytest.approx(4.089e9, rel=1e-3)
    google = describe(architecture("googlenet", (224, 224), 3, 1000))
    assert google.parameters == 6_624_904
    assert google.multiply_adds == pytest.approx(1.498e9, rel=1e-3)


def test_xu_resnet_has_eight_blocks_with_identity_and_projected_shortcuts():
    network = build(architecture("xu-resnet"))
    blocks = [module for module in network.modules() if type(module).__name__ == "BasicBlock"]
    assert len(blocks) == 8
    assert sum(block.downsample is not None for block in blocks) == 3
    assert network.conv1.kernel_size == (7, 7)
    shapes = {layer.name: layer.output for layer in layers(architecture("xu-resnet", (576, 720)))}
    assert shapes["layer4.1.bn2"] == (512, 18, 23)
    assert shapes["avgpool"] == (512, 1, 1)


def test_du_feeds_2x2x2048_maps_into_two_blocks_and_only_the_second_has_a_shortcut():
    shapes = {layer.name: layer.output for layer in layers(architecture("du-improved-resnet50", channels=1))}
    assert shapes["layer4.2.bn3"] == (2048, 2, 2)
    assert shapes["fc.block1.dropout"] == (8192,)
    assert shapes["fc.block1.linear"] == (64,)
    assert shapes["fc.output"] == (7,)
    network = build(architecture("du-improved-resnet50", channels=1)).eval()
    assert (network.fc.block1.dropout.p, network.fc.block2.dropout.p) == (0.5, 0.5)
    # With the last batch norm silenced, block 2 is the identity and block 1 is zero: the shortcut is all there is.
    torch.nn.init.zeros_(network.fc.block2.norm.weight)
    features = torch.randn(3, 64, generator=torch.Generator().manual_seed(0))
    assert torch.equal(network.fc.block2(features), features)
    torch.nn.init.zeros_(network.fc.block1.norm.weight)
    assert not network.fc.block1(torch.ones(2, 8192)).any()


@pytest.mark.parametrize("size", [(48, 48), (50, 33), (97, 64)])
@pytest.mark.parametrize("stem", ["imagenet", "small-pool", "small"])
def test_dus_head_fits_whatever_the_size_and_stem(size, stem):
    assert layers(architecture("du-improved-resnet50", size, stem=stem, head_width=32))[-1].output == (7,)


def test_gray_pictures_as_equal_channels_give_what_repeated_channels_give():
    network = build(architecture("du-improved-resnet50", (32, 32), 1)).eval()
    gray = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(network(gray), network(gray.expand(-1, 3, -1, -1)), rtol=1e-4, atol=1e-5)
    assert network.conv1.weight.shape[1] == 3
    assert build(architecture("resnet18", (32, 32), 1)).conv1.weight.shape[1] == 1


@pytest.mark.parametrize(("stem", "side"), [("imagenet", 2), ("small-pool", 3), ("small", 6)])
def test_stems_decide_how_much_of_the_picture_is_left(stem, side):
    shapes = {layer.name: layer.output for layer in layers(architecture("resnet18", stem=stem))}
    assert shapes["layer4.1.bn2"] == (512, side, side)


def test_cnn_has_no_shortcut_and_scales_with_its_width():
    narrow, wide = describe(architecture("cnn", width=8)), describe(architecture("cnn", width=16))
    assert narrow.parameters < wide.parameters < 4 * narrow.parameters
    assert layers(architecture("cnn", width=8))[-2].output == (64, 3, 3)


@pytest.mark.parametrize(
    ("name", "option", "owner"),
    [
        ("cnn", {"stem": "small"}, "resnet18"),
        ("googlenet", {"stem": "small"}, "resnet18"),
        ("resnet50", {"head_width": 32}, "du-improved-resnet50"),
        ("resnet18", {"width": 16}, "cnn"),
        ("cnn", {"se": True}, "resnet18"),
        ("googlenet", {"drop_path": 0.1}, "resnet18"),
    ],
)
def test_an_option_without_a_part_is_refused_and_its_owners_are_named(name, option, owner):
    with pytest.raises(UsageError, match=f"has no part to act on in {name}") as refused:
        architecture(name, **option)
    assert owner in refused.value.next_step
    assert name not in refused.value.next_step.split("one of ")[1].split(", ")


def test_unknown_variants_and_too_small_pictures_are_named():
    with pytest.raises(UsageError, match="no variant 'vgg'") as refused:
        architecture("vgg")
    assert "xu-resnet" in refused.value.next_step
    with pytest.raises(InputError, match="at least 16 pixels a side") as small:
        build(architecture("cnn", (12, 20)))
    assert small.value.where == "pictures of 12x20"


def test_initial_weights_depend_on_seed_and_path_alone_and_leave_torchs_generator_as_it_was():
    shape = architecture("cnn", (16, 16), width=4)
    before = torch.random.get_rng_state()
    one = build(shape, 3, 0, 1).state_dict()
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.rand(5)
    again, other = build(shape, 3, 0, 1).state_dict(), build(shape, 3, 0, 2).state_dict()
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not torch.equal(one["fc.weight"], other["fc.weight"])
