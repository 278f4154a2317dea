"""Optimizers against their formulas."""

import pytest
import torch
from torch import nn

from fercli.config.resnet import ResNetConfig
from fercli.resnet.optimizers import make_optimizer


@pytest.mark.parametrize("name", ["sgd", "momentum", "nesterov"])
def test_the_sgd_family_follows_its_formulas(name):
    network = nn.Linear(3, 2)
    settings = ResNetConfig.of(optimizer=name, lr=0.1, momentum=0.8, weight_decay=0.01)
    weight, bias = network.weight.detach().clone(), network.bias.detach().clone()
    speed = [torch.zeros_like(weight), torch.zeros_like(bias)]
    optimizer = make_optimizer(network, settings, torch.device("cpu"))
    keep = {"sgd": 0.0, "momentum": 0.8, "nesterov": 0.8}[name]
    for step in range(4):
        gradients = [torch.full_like(weight, step + 1.0), torch.full_like(bias, -1.0)]
        network.weight.grad, network.bias.grad = gradients[0].clone(), gradients[1].clone()
        optimizer.step()
        for index, (value, decay) in enumerate(((weight, 0.01), (bias, 0.0))):
            slope = gradients[index] + decay * value
            speed[index] = keep * speed[index] + slope
            value -= 0.1 * (slope + keep * speed[index] if name == "nesterov" else speed[index])
    torch.testing.assert_close(network.weight.detach(), weight)
    torch.testing.assert_close(network.bias.detach(), bias)
