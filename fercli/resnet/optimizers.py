"""Optimizers by name."""

import torch
from torch import nn

from fercli.config.resnet import ResNetConfig


def make_optimizer(network: nn.Module, config: ResNetConfig, device: torch.device) -> torch.optim.Optimizer:
    """adam and adamw (betas 0.9, 0.999, eps 1e-8), sgd (plain), momentum (Polyak), nesterov
    (Sutskever et al. 2013, as torch writes it).

    Weight decay acts on weight matrices and kernels, never on biases and batch norm (He et al. 2019, "bag of
    tricks"); it is decoupled for adamw and part of the gradient for the others.
    """
    decayed = [parameter for parameter in network.parameters() if parameter.requires_grad and parameter.ndim > 1]
    others = [parameter for parameter in network.parameters() if parameter.requires_grad and parameter.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    fused = device.type in ("cuda", "cpu")
    if config.optimizer == "adam":
        return torch.optim.Adam(groups, lr=config.lr, fused=fused)
    if config.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=config.lr, fused=fused)
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=config.lr, fused=fused)
    nesterov = config.optimizer == "nesterov"
    return torch.optim.SGD(groups, lr=config.lr, momentum=config.momentum, nesterov=nesterov, fused=fused)
