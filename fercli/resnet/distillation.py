"""A trained network that a new one learns from: it answers the very pictures that the new one sees."""

import torch
from torch import Tensor

from fercli.resnet.batches import Normalisation
from fercli.resnet.fitted import FittedNet


class Teacher:
    """A fitted network in evaluation mode, without gradients.

    The pictures that it is asked about are augmented, cropped and mixed like the new network's (Beyer et al. 2022:
    a teacher has to see what its student sees), and normalised anew where its own training rows were others.
    """

    def __init__(self, net: FittedNet, normalisation: Normalisation, device: torch.device) -> None:
        """normalisation: of the pictures that it will be asked about."""
        self._network = net.network().requires_grad_(False).to(device).to(memory_format=torch.channels_last)
        self._change: tuple[Tensor, Tensor] | None = None
        if net.normalisation != normalisation:
            own, given = net.normalisation, normalisation
            scale = [sd / other for sd, other in zip(given.sd, own.sd, strict=True)]
            offset = [(m - other) / sd for m, other, sd in zip(given.mean, own.mean, own.sd, strict=True)]
            factors = (torch.tensor(values, device=device)[None, :, None, None] for values in (scale, offset))
            self._change = (next(factors), next(factors))

    def __call__(self, pictures: Tensor) -> Tensor:
        """(n, C, H, W) float32 network input -> (n, classes) logits, in the precision of an autocast around it."""
        if self._change is not None:
            pictures = pictures * self._change[0] + self._change[1]
        with torch.no_grad():
            logits: Tensor = self._network(pictures)
        return logits
