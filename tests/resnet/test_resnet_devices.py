"""The device that was asked for, or an error that says what is there."""

from contextlib import nullcontext

import pytest
import torch

from fercli.errors import EnvironmentFailure, UsageError
from fercli.resnet import devices
from fercli.resnet.devices import Device, resolve


@pytest.fixture
def with_devices(monkeypatch):
    def place(*names):
        monkeypatch.setattr(devices, "available", lambda: tuple(Device(name, name, 0) for name in (*names, "cpu")))

    return place


def test_auto_takes_cuda_then_mps_then_the_cpu(with_devices):
    with_devices("cuda:0", "cuda:1", "mps")
    assert resolve("auto") == resolve("cuda") == torch.device("cuda:0")
    assert resolve("cuda:1") == torch.device("cuda:1")
    with_devices("mps")
    assert resolve("auto") == resolve("mps") == torch.device("mps")
    with_devices()
    assert resolve("auto") == resolve("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "cuda:3", "mps"])
def test_a_device_that_is_not_there_is_an_error_and_never_the_cpu(with_devices, monkeypatch, name):
    with_devices()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(EnvironmentFailure, match=f"device {name} is not available") as refused:
        resolve(name)
    assert refused.value.code == 5
    assert "--device cpu" in refused.value.next_step


def test_a_number_beyond_the_last_gpu_names_the_numbers(with_devices, monkeypatch):
    with_devices("cuda:0", "cuda:1")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(EnvironmentFailure, match="numbered 0 to 1") as refused:
        resolve("cuda:2")
    assert "--device cuda:1" in refused.value.next_step


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "cpu:1", "", "mps:0"])
def test_other_names_are_a_usage_error(name):
    with pytest.raises(UsageError, match="there is no device"):
        resolve(name)


def test_the_cpu_is_always_there_and_last():
    assert devices.available()[-1].name == "cpu"


def test_auto_precision_is_bf16_on_a_gpu_that_has_it_and_fp32_elsewhere(monkeypatch):
    has, asked = {"it": True}, []
    monkeypatch.setattr(torch.cuda, "device", lambda device: asked.append(device) or nullcontext())
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda *, including_emulation: has["it"])
    cuda, cpu = torch.device("cuda:1"), torch.device("cpu")
    assert devices.precision_on(cuda, "auto") == "bf16"
    assert asked == [cuda]
    has["it"] = False
    assert devices.precision_on(cuda, "auto") == "fp32"
    assert devices.precision_on(cuda, "bf16") == "bf16"
    assert (devices.precision_on(cpu, "auto"), devices.precision_on(cpu, "bf16")) == ("fp32", "bf16")
    assert devices.precision_on(torch.device("mps"), "auto") == "fp32"
