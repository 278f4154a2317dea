"""A trained network as it is stored: `model.json` and `weights.safetensors`, and nothing that can run code."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors import SafetensorError
from torch import Tensor, nn

from fercli.config.resnet import Architecture, ViewSet
from fercli.errors import ArtifactError, InputError
from fercli.resnet.batches import Normalisation, Normaliser, Pictures
from fercli.resnet.scoring import probabilities
from fercli.resnet.variants import build
from fercli.resnet.views import View, views_of

FORMAT = "fercli-resnet"
VERSION = 1


@dataclass(frozen=True)
class FittedNet:
    """Everything that scoring needs: shape, weights, normalisation of the training rows, class names in order, and the
    set of views that a picture is scored by."""

    architecture: Architecture
    classes: tuple[str, ...]
    normalisation: Normalisation
    state: Mapping[str, Tensor]
    view_set: ViewSet = "none"

    @property
    def views(self) -> tuple[View, ...]:
        """The views whose mean probabilities a picture scores."""
        return views_of(self.view_set, self.architecture.size, self.architecture.crop)

    def record(self) -> dict[str, Any]:
        """`model.json`."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "architecture": self.architecture.stored(),
            "classes": list(self.classes),
            "normalisation": self.normalisation.stored(),
            "views": self.view_set,
        }

    def weights(self) -> bytes:
        """`weights.safetensors`; equal weights give equal bytes."""
        data: bytes = safetensors.torch.save({name: tensor.contiguous() for name, tensor in self.state.items()})
        return data

    def network(self) -> nn.Module:
        """The network on the CPU, in evaluation mode."""
        network = build(self.architecture)
        network.load_state_dict(dict(self.state))
        return network.eval()

    @classmethod
    def read(cls, record: Mapping[str, Any], weights: bytes, *, where: str) -> "FittedNet":
        """The network of a `model.json` and a `weights.safetensors`; ArtifactError naming `where` if they are damaged
        or do not belong together."""
        try:
            if record["format"] != FORMAT or record["version"] != VERSION:
                raise _damaged(where, f"model.json is {record['format']} {record['version']}, not {FORMAT} {VERSION}")
            architecture = Architecture(**record["architecture"])
            facts = record["normalisation"]
            normalisation = Normalisation(tuple(map(float, facts["mean"])), tuple(map(float, facts["sd"])))
            views = record.get("views", "none")
            if views not in get_args(ViewSet):
                raise _damaged(where, f"model.json names the views {views!r}, which this release does not know")
            classes = record["classes"]
            if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
                raise _damaged(where, "its classes are no list of names")
            if len(classes) != architecture.classes:
                raise _damaged(where, f"it has {architecture.classes} outputs and names {len(classes)} classes")
            if not len(normalisation.mean) == len(normalisation.sd) == architecture.channels:
                raise _damaged(where, f"its normalisation is not one of {architecture.channels} channels")
            if not all(map(math.isfinite, (*normalisation.mean, *normalisation.sd))) or 0 in normalisation.sd:
                raise _damaged(where, "its normalisation is no finite number")
            state = safetensors.torch.load(weights)
            with torch.device("meta"):
                expected = build(architecture).state_dict()
        except (KeyError, TypeError, ValueError, OverflowError, ValidationError, SafetensorError) as error:
            raise _damaged(where, str(error).splitlines()[0]) from None
        shapes = {name: tuple(tensor.shape) for name, tensor in expected.items()}
        if shapes != {name: tuple(tensor.shape) for name, tensor in state.items()}:
            raise _damaged(where, "the weights do not have the shapes that model.json describes")
        return cls(architecture, tuple(classes), normalisation, state, views)


class NetScorer:
    """A fitted network behind the `records.Scorer` seam: uint8 pictures in, class probabilities out."""

    input = "pixels"

    def __init__(self, fitted: FittedNet, device: torch.device, *, batch: int | None = None) -> None:
        self.classes = fitted.classes
        self._architecture = fitted.architecture
        self._device = device
        self._batch = batch
        self._views = fitted.views
        self._network = fitted.network().to(device).to(memory_format=torch.channels_last)
        self._normaliser = Normaliser(fitted.normalisation, device)

    def scores(self, batch: NDArray[Any]) -> NDArray[np.float32]:
        """(n, H, W[, 3]) uint8 -> (n, C) float32; InputError for pictures of another size or colour."""
        pictures = Pictures(batch, self._device, resident=False)
        wanted = self._architecture
        if pictures.size != wanted.size or pictures.channels != wanted.channels:
            raise InputError(
                f"the network was trained on {_shape(wanted.size, wanted.channels)} pictures, "
                f"these are {_shape(pictures.size, pictures.channels)}",
                next_step="import or convert the pictures to that size and colour",
            )
        rows = np.arange(len(batch))
        return probabilities(self._network, pictures, self._normaliser, rows, views=self._views, batch=self._batch)


def _shape(size: Sequence[int], channels: int) -> str:
    return f"{size[0]}x{size[1]} {'gray' if channels == 1 else 'colour'}"


def _damaged(where: str, reason: str) -> ArtifactError:
    return ArtifactError(
        f"the network cannot be read: {reason}",
        where=where,
        next_step="train it again, or restore the file from a copy",
    )
