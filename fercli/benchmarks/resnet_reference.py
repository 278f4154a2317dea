"""The two obvious ways to train a network: a bare PyTorch loop over a tensor, and torchvision with a DataLoader."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
import torchvision
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

from fercli.config.resnet import ResNetConfig
from fercli.resnet import augmentation
from fercli.resnet.batches import Normalisation
from fercli.resnet.optimizers import make_optimizer

# Variant -> the model of torchvision that has its arithmetic; the others are taken as they are, out of our own files.
TORCHVISION: Mapping[str, str] = MappingProxyType(
    {
        "xu-resnet": "resnet18",
        **{
            name: name
            for name in (
                *("resnet18", "resnet34", "resnet50", "resnet101", "resnet152"),
                *("wide_resnet50_2", "resnext50_32x4d"),
            )
        },
    }
)


class BareLoop:
    """The least that a training can be: a float32 tensor in memory, our augmentation and optimizer, nothing recorded.

    It checks nothing, resumes nothing, seeds nothing and survives nothing; the learning rate stands still.
    """

    def __init__(
        self,
        network: nn.Module,
        images: NDArray[np.uint8],
        targets: NDArray[np.int64],
        config: ResNetConfig,
        normalisation: Normalisation,
        device: torch.device,
        seed: int = 0,
    ) -> None:
        """images: (N, H, W) uint8. network: trained in place."""
        self.network = network.to(device).to(memory_format=torch.channels_last).train()
        self.config = config
        self.device = device
        self.seed = seed
        self.x = torch.from_numpy(images)[:, None].to(device, torch.float32)
        self.y = torch.from_numpy(targets).to(device)
        self.mean, self.sd = normalisation.mean[0], normalisation.sd[0]
        self.optimizer = make_optimizer(network, config, device)

    def epoch(self, number: int) -> float:
        """Train on all pictures once; the mean loss."""
        total = torch.zeros((), device=self.device)
        for loss in self.steps(torch.randperm(len(self.x)), number):
            total += loss
        return float(total) / len(self.x)

    def steps(self, order: Tensor, epoch: int) -> Iterator[Tensor]:
        """One step per batch in this order; sums of the batches' losses, left on the device."""
        height, width = self.x.shape[2:]
        draws = augmentation.draw(self.config, len(order), (height, width), self.seed, 0, 0, epoch)
        draws, order, size = draws.to(self.device), order.to(self.device), self.config.batch_size
        for start in range(0, len(order), size):
            rows, drawn = order[start : start + size], draws.part(start, start + size)
            pictures = (augmentation.brighten(self.x[rows], drawn) - self.mean) * (1 / self.sd)
            batch = augmentation.move(pictures, drawn).contiguous(memory_format=torch.channels_last)
            self.optimizer.zero_grad()
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.precision == "bf16"):
                logits = self.network(batch)
            loss = functional.cross_entropy(logits.float(), self.y[rows])
            loss.backward()
            self.optimizer.step()
            yield loss.detach() * len(rows)


def write_pngs(folder: Path, images: NDArray[np.uint8], targets: NDArray[np.int64], classes: int) -> None:
    """A folder per class with the pictures as PNGs, each named by its row."""
    for label in range(classes):
        (folder / str(label)).mkdir()
    for row, (image, label) in enumerate(zip(images, targets, strict=True)):
        Image.fromarray(image).save(folder / str(label) / f"{row:06d}.png")


class PlainLoop:
    """The loop of the tutorials: ImageFolder, transforms on the CPU, DataLoader, torchvision's model, torch's AdamW.

    Pictures enter as ImageFolder reads them, in RGB, where the model is torchvision's, else in gray.
    """

    def __init__(
        self,
        folder: Path,
        network: nn.Module | None,
        config: ResNetConfig,
        classes: int,
        device: torch.device,
        workers: int = 0,
    ) -> None:
        """network: for a variant or stem that torchvision does not have, of one input channel."""
        with Image.open(next(folder.glob("*/*.png"))) as first:
            side = first.width
        model = TORCHVISION.get(config.variant) if config.stem in (None, "imagenet") else None
        gray = [] if model else [transforms.Grayscale()]
        augmented = [
            transforms.RandomHorizontalFlip(),
            transforms.RandomAffine(config.rotate, translate=(config.shift / side, config.shift / side)),
            transforms.ColorJitter(brightness=config.brightness),
        ]
        ending = [transforms.ToTensor(), transforms.Normalize(0.5, 0.25)]
        self.data = ImageFolder(str(folder), transforms.Compose([*gray, *augmented, *ending]))
        self.loader = DataLoader(self.data, batch_size=config.batch_size, shuffle=True, num_workers=workers)
        built = torchvision.models.get_model(model, num_classes=classes) if model else network
        if built is None:
            raise ValueError(f"torchvision has no model for {config.variant}, so a network must be given")
        self.network = built.to(device).train()
        self.device = device
        self.optimizer = torch.optim.AdamW(built.parameters(), lr=config.lr, weight_decay=config.weight_decay)
        self.criterion = nn.CrossEntropyLoss()

    def epoch(self) -> float:
        """Train on all pictures once; the mean loss."""
        total = 0.0
        for pictures, labels in self.loader:
            pictures, labels = pictures.to(self.device), labels.to(self.device)
            self.optimizer.zero_grad()
            loss = self.criterion(self.network(pictures), labels)
            loss.backward()
            self.optimizer.step()
            total += loss.item() * len(labels)
        return total / len(self.data)

    def pixels(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """What is read back, in the order of the rows: (N, H, W) uint8 and (N,) labels."""
        by_row = sorted(self.data.samples, key=lambda sample: Path(sample[0]).name)
        images = np.stack([np.asarray(self.data.loader(path).convert("L")) for path, _ in by_row])
        return images, np.array([int(self.data.classes[label]) for _, label in by_row], dtype=np.int64)
