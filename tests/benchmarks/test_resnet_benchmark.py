import json
from dataclasses import asdict

import numpy as np
import pytest
import torch

from fercli.benchmarks import resnet, resnet_reference
from fercli.benchmarks.descriptors import pictures
from fercli.config.resnet import ResNetConfig
from fercli.errors import UsageError
from fercli.resnet.variants import describe

SMALL = {"images": 16, "batch": 8, "pairs": 2, "side": 64}


@pytest.fixture(scope="module")
def faces():
    return pictures(16, 48, 48), np.arange(16) % resnet.CLASSES


@pytest.fixture
def rivals(faces, tmp_path):
    def made(variant="cnn", **more):
        options = {"width": 4} if variant == "cnn" else {}
        config = ResNetConfig.of_recipe(variant=variant, epochs=100, batch_size=8, **options, **more)
        return resnet.Rivals(*faces, config, torch.device("cpu"), tmp_path, seed=3)

    return made


def test_ceilings_first_then_three_implementations_of_every_variant():
    before = torch.get_num_threads()
    product, convolution, copy, *found = resnet.benchmark(variants=("cnn", "xu-resnet"), width=4, threads=1, **SMALL)
    assert (product.unit, convolution.unit, copy.unit) == ("GFLOP/s", "GFLOP/s", "GB/s")
    assert product.rate == pytest.approx(2 * 64**3 / product.seconds / 1e9)
    assert convolution.rate == pytest.approx(2 * 9 * 10**2 * 16 * 48**2 / convolution.seconds / 1e9)
    assert copy.rate == pytest.approx(2 * 4 * 16 * 64**2 / copy.seconds / 1e9)
    names = [(timing.variant, timing.implementation) for timing in found]
    assert names == [(v, i) for v in ("cnn 4", "xu-resnet") for i in ("ours", "bare loop", "plain loop")]
    for timing in found[::3]:
        assert timing.agreement is timing.faster is timing.faster_cpu is None
        assert timing.of_matmul == pytest.approx(timing.gflops / product.rate)
        assert timing.of_convolution == pytest.approx(timing.gflops / convolution.rate)
    adds = describe(ResNetConfig.of_recipe(variant="xu-resnet").architecture((48, 48), 1, 7)).multiply_adds
    assert found[3].gflops == pytest.approx(6 * adds * found[3].images_per_second / 1e9)
    for timing in found[1::3]:
        assert timing.agreement <= 1e-5
        assert 0 < timing.faster.low <= timing.faster.median <= timing.faster.high
    assert torch.get_num_threads() == before
    json.dumps([asdict(timing) for timing in found])


@pytest.mark.parametrize(
    ("variant", "more"), [("cnn", {}), ("cnn", {"dropout": 0.5}), ("xu-resnet", {}), ("cnn", {"brightness": 0.0})]
)
def test_the_first_loss_is_that_of_the_bare_loop(rivals, variant, more):
    ours, theirs = rivals(variant, **more).first_losses()
    assert ours == pytest.approx(theirs, abs=1e-5)
    assert 1 < ours < 4


def test_the_loss_depends_on_what_is_compared(rivals):
    """Guards the guard: without the augmentation the bare loop's first loss is another one."""
    one = rivals()
    ours, _ = one.first_losses()
    one.config = one.config.model_copy(update={"rotate": 0.0, "shift": 0, "flip": False})
    assert abs(one.first_losses()[0] - ours) > 1e-4


def test_a_different_loss_is_not_timed(rivals, monkeypatch):
    honest = resnet_reference.BareLoop.steps
    monkeypatch.setattr(
        resnet_reference.BareLoop, "steps", lambda self, order, epoch: honest(self, order.flip(0), epoch)
    )
    with pytest.raises(ArithmeticError, match="cnn: our first loss and that of the bare loop differ by"):
        next(rivals().timings(1, 1, 1.0, 1.0))


def test_different_pictures_are_not_timed(rivals, tmp_path):
    one = rivals()
    file = min(tmp_path.glob("*/*.png"))
    file.rename(tmp_path / "6" / file.name)
    one.plain.data.samples = type(one.plain.data)(str(tmp_path)).samples
    with pytest.raises(ArithmeticError, match="the plain loop reads other pictures or labels than ours"):
        one.check()


def test_both_loops_learn(rivals):
    one = rivals(lr=0.01)
    bare = one.bare(one.training())
    first, *_, last = [bare.epoch(number) for number in range(1, 13)]
    assert last < 0.9 * first
    first, *_, last = [one.plain.epoch() for _ in range(12)]
    assert last < 0.9 * first


def test_rounds_go_forwards_and_backwards():
    seen = []
    ways = {name: lambda name=name: seen.append(name) for name in "abc"}
    spent = resnet.interleaved(ways, 2)
    assert "".join(seen) == "abc" + "abc" + "cba"
    assert {name: len(taken) for name, taken in spent.items()} == {"a": 2, "b": 2, "c": 2}


def test_spread_is_median_and_range():
    assert resnet.Spread.of([3.0, 1.0, 2.5]) == resnet.Spread(2.5, 1.0, 3.0)


def test_an_unknown_variant_is_refused_before_anything_is_measured():
    with pytest.raises(UsageError, match="there is no variant 'vgg'"):
        next(resnet.benchmark(variants=("cnn", "vgg")))


def test_in_bf16_ours_and_the_bare_loop_agree_and_the_plain_loop_stays_in_fp32():
    product, convolution, copy, *found = resnet.benchmark(variants=("cnn",), width=4, precision="bf16", **SMALL)
    assert (product.precision, convolution.precision, copy.precision) == ("bf16", "bf16", "")
    assert [timing.precision for timing in found] == ["bf16", "bf16", "fp32"]
    assert found[1].agreement <= 1e-2
    assert found[0].of_matmul == pytest.approx(found[0].gflops / product.rate)


def test_a_stem_is_of_the_variants_that_have_one_and_of_the_plain_loop_too():
    _, _, _, *found = resnet.benchmark(
        variants=("cnn", "xu-resnet"), width=4, stem="small-pool", **{**SMALL, "pairs": 1}
    )
    assert [timing.variant for timing in found[::3]] == ["cnn 4", "xu-resnet small-pool stem"]
    small = ResNetConfig.of_recipe(variant="xu-resnet", stem="small-pool").architecture((48, 48), 1, 7)
    assert found[3].gflops == pytest.approx(6 * describe(small).multiply_adds * found[3].images_per_second / 1e9)


def test_the_plain_loop_takes_torchvisions_stem_only_where_ours_is_that(rivals):
    assert rivals("xu-resnet", stem="small").plain.network.conv1.kernel_size == (3, 3)


def test_the_compiled_pass_is_timed_under_its_name(monkeypatch):
    from fercli.resnet import compiling

    calls = []

    def as_it_is(graph, inputs):
        calls.append(1)
        return graph.forward

    monkeypatch.setattr(compiling, "BACKEND", as_it_is)
    _, _, _, ours, *others = resnet.benchmark(variants=("cnn",), width=4, compile=True, **{**SMALL, "pairs": 1})
    assert ours.implementation == "ours, compiled"
    assert [timing.implementation for timing in others] == ["bare loop", "plain loop"]
    assert calls
    torch.compiler.reset()
