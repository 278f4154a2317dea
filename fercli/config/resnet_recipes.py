"""Recipes of `train-resnet`: what each sets over the defaults of `ResNetConfig`, and where that comes from."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_NO_AUGMENTATION = {"flip": False, "shift": 0, "rotate": 0.0, "brightness": 0.0, "erase": 0.0}

RECIPES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        # One cosine to zero and the last epoch: no epoch is picked, so nothing is selected on any row.
        "default": MappingProxyType({}),
        # The paper gives the structure, 576x720 frames and the overfitting (95 % train, 30 % test), no more;
        # Adam is its optimizer elsewhere, the rest are plain values that reach the training accuracy it shows.
        "xu": MappingProxyType(
            {
                "variant": "xu-resnet",
                "precision": "fp32",
                "epochs": 30,
                "batch_size": 32,
                "optimizer": "adam",
                "lr": 1e-3,
                "weight_decay": 0.0,
                "schedule": "constant",
                **_NO_AUGMENTATION,
            }
        ),
        # In the paper: Adam (0.9, 0.999, 1e-8), cross entropy, 30 epochs, "callbacks". Not in the paper, taken
        # from the public template that its head resembles: learning rate, batch size, both patiences, factor and
        # the last epoch's weights. The template's augmentation is left out: the paper calls it future work.
        "du": MappingProxyType(
            {
                "variant": "du-improved-resnet50",
                "precision": "fp32",
                "epochs": 30,
                "batch_size": 64,
                "optimizer": "adam",
                "lr": 1e-3,
                "weight_decay": 0.0,
                "schedule": "plateau",
                "plateau_factor": 0.5,
                "plateau_patience": 20,
                "patience": 20,
                **_NO_AUGMENTATION,
            }
        ),
        # What the best from-scratch networks on 48 pixels share (3x3 stem, crops of 44, label smoothing, Nesterov at
        # 0.1 for 128 pictures, mirrored views) with a cosine to zero and an average of the weights in place of their
        # pick of an epoch: nothing is selected on any row.
        "strong": MappingProxyType(
            {
                "variant": "resnet18",
                "stem": "small",
                "epochs": 60,
                "batch_size": 128,
                "optimizer": "nesterov",
                "lr": 0.1,
                "weight_decay": 5e-4,
                "label_smoothing": 0.1,
                "schedule": "cosine",
                "warmup": 2.0,
                "ema": 1.0,
                "shift": 0,
                "crop": 44,
                "rotate": 10.0,
                "scale": 0.1,
                "brightness": 0.1,
                "erase": 0.25,
                "views": "flip",
            }
        ),
    }
)
