"""Grad-CAM: where in a picture a network finds the evidence for a class (Selvaraju et al. 2017)."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from fercli.errors import ArtifactError
from fercli.inference.model_files import WEIGHTS, ModelFiles
from fercli.resnet import devices
from fercli.resnet.batches import Normaliser, Pictures
from fercli.resnet.determinism import exact
from fercli.resnet.fitted import FittedNet
from fercli.resnet.scoring import scoring_batch
from fercli.resnet.views import views_of


class GradCam:
    """Maps of one fitted network.

    The feature map is the last one before spatial structure is pooled or flattened away: what enters the global pooling
    (or takes its place), in the plain convolutional net what enters the last max pooling. Equations 1 and 2 of the
    paper: channels weighted by the mean gradient of the class's logit over positions, summed, negative values cut off.
    Where the head tells positions apart (Du's), the mean over positions is all that Grad-CAM keeps of that.
    The picture enters as its central view does in scoring; mirrored and corner views are left out.
    """

    def __init__(self, fitted: FittedNet, device: torch.device) -> None:
        self.classes = fitted.classes
        self._size = fitted.architecture.size
        (self._view,) = views_of("none", fitted.architecture.size, fitted.architecture.crop)
        self._device = device
        self._network = fitted.network().to(device).to(memory_format=torch.channels_last).requires_grad_(False)
        self._normaliser = Normaliser(fitted.normalisation, device)
        self._pooling = closing_pooling(self._network)

    def maps(self, pictures: NDArray[np.uint8], targets: NDArray[np.int64]) -> NDArray[np.float32]:
        """(n, H, W) float32 maps, 0 or more, of the class `targets` (n,) in pictures (n, H, W[, 3]) uint8.

        Brought to the size of the picture bilinearly, as the paper does; 0 outside a central view. A map of zeros
        says that nothing speaks for the class.
        """
        held = Pictures(pictures, self._device, resident=False)
        step = scoring_batch(self._size)
        parts = []
        for start in range(0, len(pictures), step):
            rows = np.arange(start, min(start + step, len(pictures)))
            parts.append(self._some(self._normaliser(held.raw(rows)), torch.from_numpy(targets[rows])))
        found = np.zeros((len(pictures), *self._size), dtype=np.float32)
        view = self._view
        if parts:
            inner = slice(view.top, view.top + view.height), slice(view.left, view.left + view.width)
            found[:, inner[0], inner[1]] = np.concatenate(parts)
        return found

    def _some(self, whole: Tensor, targets: Tensor) -> NDArray[np.float32]:
        features, gradients = self._last_map(self._view.of(whole), targets.to(self._device))
        weights = gradients.mean(dim=(2, 3), keepdim=True)
        evidence = functional.relu((weights * features).sum(dim=1, keepdim=True))
        size = (self._view.height, self._view.width)
        large = functional.interpolate(evidence, size=size, mode="bilinear", align_corners=False)
        return np.asarray(large[:, 0].cpu().numpy(), dtype=np.float32)

    def _last_map(self, pictures: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """(n, K, h, w) the last feature map, and the gradient of each picture's target logit in it."""
        held: list[Tensor] = []

        def cut(_module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            # a leaf here: gradients are needed behind it, and nothing in front of it has to be kept
            held.append(inputs[0].detach().requires_grad_(True))
            return (held[0],)

        hook = self._pooling.register_forward_pre_hook(cut)
        try:
            with torch.enable_grad(), exact():
                logits = self._network(pictures)
                chosen = logits.gather(1, targets[:, None]).sum()
                (gradients,) = torch.autograd.grad(chosen, held[0])
        finally:
            hook.remove()
        return held[0].detach(), gradients


def closing_pooling(network: nn.Module) -> nn.Module:
    """The module that the last feature map enters: a network's `avgpool`, else the last max pooling of `features`."""
    pooling = getattr(network, "avgpool", None)
    if isinstance(pooling, nn.Module):
        return pooling
    return [module for module in network.features.modules() if isinstance(module, nn.MaxPool2d)][-1]  # type: ignore[union-attr]


def grad_cam(files: ModelFiles, *, device: str = "cpu") -> GradCam:
    """The maps of the network in a folder. Raises ArtifactError for a model that is no network on pictures."""
    facts: dict[str, Any] = files.facts()
    if "architecture" not in facts:
        raise ArtifactError(
            f"{files.owner} does not hold a network on pictures",
            where=files.where,
            next_step="name a run of train-resnet",
        )
    net = FittedNet.read(facts, files.read(WEIGHTS), where=files.where)
    return GradCam(net, devices.resolve(device))


def shares(maps: NDArray[np.floating]) -> NDArray[np.float64]:
    """(n, H, W) maps as shares of their mass, which sum to 1; a map of zeros stays one."""
    totals = maps.sum(axis=(1, 2), keepdims=True, dtype=np.float64)
    return np.divide(maps, totals, out=np.zeros(maps.shape), where=totals > 0)
