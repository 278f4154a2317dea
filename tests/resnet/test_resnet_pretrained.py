"""Weights to start from: what fits is taken, what does not is named, and no file runs code."""

import os
from urllib.error import URLError

import pytest
import safetensors.torch
import torch
import torchvision

from fercli.config.resnet import Architecture, ResNetConfig
from fercli.errors import EnvironmentFailure, InputError, UsageError
from fercli.resnet.pretrained import load_weights, read_weights
from fercli.resnet.variants import build


def network(name="resnet18", channels=1, classes=7, **options):
    return build(Architecture.of_variant(name, (32, 32), channels, classes, pretrained=True, **options))


@pytest.fixture(scope="module")
def theirs():
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        return torchvision.models.resnet18(weights=None).state_dict()


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("wrapped", [False, True])
def test_torchvisions_weights_fit_and_only_the_output_starts_anew(tmp_path, theirs, suffix, wrapped):
    path = tmp_path / f"weights{suffix}"
    tensors = {f"module.{name}": tensor for name, tensor in theirs.items()} if wrapped else theirs
    if suffix == ".pth":
        torch.save({"state_dict": tensors, "epoch": 3} if wrapped else tensors, path)
    else:
        safetensors.torch.save_file(tensors, path)
    ours = network()
    loaded = load_weights(ours, read_weights(str(path), "resnet18"), where=str(path))
    assert loaded.fresh == ("fc.weight", "fc.bias")
    assert loaded.taken == len(theirs) - 2
    assert torch.equal(ours.conv1.weight, theirs["conv1.weight"])
    assert ours.conv1.weight.shape == (64, 3, 7, 7)


def test_a_small_stem_starts_anew_and_the_rest_is_taken(theirs):
    loaded = load_weights(network(stem="small"), theirs, where="file")
    assert loaded.fresh == ("conv1.weight", "fc.weight", "fc.bias")


def test_weights_for_one_channel_give_the_same_answer_through_three_equal_ones():
    gray = build(Architecture.of_variant("resnet18", (32, 32), 1, 7)).eval()
    spread = network(classes=7)
    assert load_weights(spread, gray.state_dict(), where="file").fresh == ()
    picture = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(spread.eval()(picture), gray(picture), rtol=1e-4, atol=1e-5)


def test_du_takes_the_backbone_and_starts_the_head_anew():
    backbone = build(Architecture.of_variant("resnet50", (32, 32), 3, 1000)).state_dict()
    loaded = load_weights(network("du-improved-resnet50"), backbone, where="file")
    assert loaded.taken == len(backbone) - 2
    assert all(name.startswith(("fc.block", "fc.output")) for name in loaded.fresh)


def test_weights_of_another_network_are_refused_by_their_first_tensors(theirs):
    with pytest.raises(InputError, match=r"do not fit the network: layer1.0.conv1.weight") as refused:
        load_weights(network("resnet50"), theirs, where="w.pth")
    assert "more" in refused.value.what
    assert refused.value.where == "w.pth"
    del theirs["layer2.0.bn1.weight"]
    with pytest.raises(InputError, match=r"layer2.0.bn1.weight \(128,\): missing"):
        load_weights(network(), theirs, where="w.pth")


class _RunsCode:
    def __reduce__(self):
        return (os.system, ("true",))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.pth", None, "there is no such file"),
        ("code.pth", _RunsCode(), "not a file of plain tensors"),
        ("list.pth", [1, 2], "holds no state_dict"),
        ("broken.safetensors", b"nothing", "not a readable safetensors file"),
        ("broken.pth", b"nothing", "not a file of plain tensors"),
        ("weights.h5", b"nothing", "not from .h5"),
    ],
)
def test_files_that_are_no_weights_are_refused(tmp_path, name, content, message):
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(InputError, match=message) as refused:
        read_weights(str(path), "resnet18")
    assert str(path) in refused.value.where


def test_imagenet_weights_that_cannot_be_downloaded_name_the_file_to_fetch(monkeypatch, tmp_path):
    def unreachable(*_arguments, **_options):
        raise URLError("no route to host")

    monkeypatch.setattr(torch.hub, "download_url_to_file", unreachable)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(EnvironmentFailure, match="cannot be downloaded") as refused:
        read_weights("imagenet", "resnet50")
    assert refused.value.where.startswith("https://")
    assert refused.value.where.rsplit("/", 1)[1] in refused.value.next_step
    with pytest.raises(UsageError, match="no ImageNet weights for cnn"):
        read_weights("imagenet", "cnn")


def test_every_imagenet_name_is_one_of_torchvisions():
    from fercli.config.resnet import VARIANTS

    names = [variant.imagenet for variant in VARIANTS.values() if variant.imagenet]
    assert len(names) == len(VARIANTS) - 1
    assert all(torchvision.models.get_weight(name).url for name in names)
    assert ResNetConfig.of(weights="imagenet").architecture((48, 48), 1, 7).equal_channels
