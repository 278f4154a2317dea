"""Curves of a training as TensorBoard's event files, beside the CSV that is always written."""

import math
from pathlib import Path
from typing import Any

from fercli.errors import EnvironmentFailure
from fercli.resnet.progress import EpochRecord

_CURVES = (
    ("loss/train", "train_loss"),
    ("loss/monitor", "monitor_loss"),
    ("loss/held out", "held_out_loss"),
    ("accuracy/train", "train_accuracy"),
    ("accuracy/monitor", "monitor_accuracy"),
    ("accuracy/held out", "held_out_accuracy"),
    ("learning rate", "lr"),
)


class EventFiles:
    """One folder of event files a network, below `folder`; closed curves of one network are never mixed."""

    def __init__(self, folder: Path) -> None:
        """Raises EnvironmentFailure where the package tensorboard is not installed."""
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise EnvironmentFailure(
                f"TensorBoard's event files need a package that is not here: {error}",
                where=f"--tensorboard {folder}",
                next_step="pip install 'fercli[tensorboard]', or leave it out: history.csv has the same curves",
            ) from None
        self._writer: Any = SummaryWriter
        self._folder = folder

    def add(self, network: str, record: EpochRecord) -> None:
        """The curves of one epoch, on disk when this returns; from a resumed run they go on where they ended."""
        with self._writer(str(self._folder / network), purge_step=record.epoch) as writer:
            for name, field in _CURVES:
                value = getattr(record, field)
                if math.isfinite(value):
                    writer.add_scalar(name, value, record.epoch)
            writer.add_scalar("pictures per second", record.pictures / max(record.seconds, 1e-9), record.epoch)
