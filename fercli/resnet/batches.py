"""Pictures as batches on a device, and the normalisation that a fold's training rows give."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fercli.errors import InputError
from fercli.resnet import augmentation
from fercli.resnet.augmentation import Draws

_CHUNK_BYTES = 2**25


@dataclass(frozen=True)
class Normalisation:
    """Mean and standard deviation per channel, in pixel values 0..255."""

    mean: tuple[float, ...]
    sd: tuple[float, ...]

    def stored(self) -> dict[str, Any]:
        """JSON form, as in `model.json`."""
        return {"mean": list(self.mean), "sd": list(self.sd)}


def fit_normalisation(images: NDArray[np.uint8], rows: NDArray[np.int64]) -> Normalisation:
    """Per-channel mean and standard deviation of the pixels of `rows`, and of no other row.

    images: (N, H, W) or (N, H, W, 3) uint8. Counted as histograms, so exact whatever the order of rows.
    A channel without contrast gets a standard deviation of 1. Raises InputError without rows.
    """
    if not len(rows):
        raise InputError("there is no training row to fit the normalisation on")
    channels = images.shape[3] if images.ndim == 4 else 1
    counts = np.zeros((channels, 256), dtype=np.int64)
    chunk = max(1, _CHUNK_BYTES // images[0].nbytes)
    for start in range(0, len(rows), chunk):
        pixels = images[rows[start : start + chunk]].reshape(-1, channels)
        for channel in range(channels):
            counts[channel] += np.bincount(pixels[:, channel], minlength=256)
    values = np.arange(256, dtype=np.float64)
    total = counts.sum(axis=1)
    mean = counts @ values / total
    sd = np.sqrt((counts * (values - mean[:, None]) ** 2).sum(axis=1) / total)
    return Normalisation(tuple(mean.tolist()), tuple(np.where(sd > 0, sd, 1.0).tolist()))


class Pictures:
    """The pictures of a data set, as uint8 on the device if they fit there, else in (memory-mapped) main memory.

    images: (N, H, W) or (N, H, W, 3) uint8. resident: force one or the other; None = on a GPU, where at most half of
    the free memory is taken.
    """

    def __init__(self, images: NDArray[np.uint8], device: torch.device, *, resident: bool | None = None) -> None:
        if images.dtype != np.uint8 or images.ndim not in (3, 4) or (images.ndim == 4 and images.shape[3] != 3):
            raise InputError(
                f"pictures must be uint8 of (N, H, W) or (N, H, W, 3), these are {images.dtype} {images.shape}",
                next_step="import the data set again",
            )
        self.images = images
        self.device = device
        self.channels = images.shape[3] if images.ndim == 4 else 1
        self.size = (int(images.shape[1]), int(images.shape[2]))
        self.resident = _fits(images.nbytes, device) if resident is None else resident
        # A copy: torch may not share memory that must not be written to, as a memory map's.
        self._pool = torch.from_numpy(np.array(images)).to(device) if self.resident else None

    def raw(self, rows: NDArray[np.int64] | Tensor) -> Tensor:
        """(n, C, H, W) uint8 on the device, laid out channels last; rows on the device where pictures are resident."""
        if self._pool is not None:
            index = rows if isinstance(rows, Tensor) else torch.from_numpy(rows).to(self.device)
            taken = self._pool.index_select(0, index)
        else:
            chosen = rows.cpu().numpy() if isinstance(rows, Tensor) else rows
            host = torch.from_numpy(self.images[chosen])
            if self.device.type == "cuda":
                taken = host.pin_memory().to(self.device, non_blocking=True)
            else:
                taken = host.to(self.device)
        return taken[:, None] if taken.ndim == 3 else taken.permute(0, 3, 1, 2)


def _fits(size: int, device: torch.device) -> bool:
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return size <= free // 2
    return device.type == "mps" and size <= torch.mps.recommended_max_memory() // 4


class Normaliser:
    """Turns uint8 batches into network input on one device, with or without augmentation."""

    def __init__(self, fitted: Normalisation, device: torch.device) -> None:
        self._mean = torch.tensor(fitted.mean, dtype=torch.float32, device=device)[None, :, None, None]
        self._scale = 1 / torch.tensor(fitted.sd, dtype=torch.float32, device=device)[None, :, None, None]

    def __call__(self, raw: Tensor, draws: Draws | None = None, crop: int = 0) -> Tensor:
        """(n, C, H, W) uint8 -> float32, mean 0 and deviation 1 over the training rows, channels last in memory.

        With draws: augmented, and (n, C, crop, crop) where `crop` is not 0.
        """
        pixels = raw.to(torch.float32)
        if draws is not None:
            pixels = augmentation.brighten(pixels, draws)
        pictures = (pixels - self._mean).mul_(self._scale)
        if draws is not None:
            pictures = augmentation.move(pictures, draws, crop)
        return pictures.contiguous(memory_format=torch.channels_last)
