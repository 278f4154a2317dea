"""Where BP networks are trained: NumPy on the CPU unless a device of torch is asked for."""

from dataclasses import dataclass
from typing import Any

from fercli.bp.engines import CPU
from fercli.errors import UsageError


@dataclass(frozen=True)
class BPDevice:
    """name: as torch calls it. model: in words, empty for the CPU."""

    name: str = CPU
    model: str = ""

    @property
    def stored(self) -> dict[str, Any]:
        """What enters a run's config: nothing on the CPU, else the type, because sums are rounded differently there."""
        return {} if self.name == CPU else {"device": self.name.partition(":")[0]}

    @property
    def execution(self) -> dict[str, Any]:
        """What is recorded of it and never hashed."""
        return {"device": self.name, "device_name": self.model} if self.model else {"device": self.name}


def bp_device(asked: str) -> BPDevice:
    """The device for `cpu`, `cuda`, `cuda:N` or `auto` (a CUDA device where there is one); torch loads unless `cpu`.

    Raises UsageError for any other name, EnvironmentFailure (exit 5) for a device that is not there.
    """
    if asked == CPU:
        return BPDevice()
    if asked.partition(":")[0] not in ("auto", "cuda"):
        raise UsageError(
            f"BP networks are not trained on {asked!r}",
            where=f"--device {asked}",
            next_step="take one of cpu, cuda, cuda:N, auto",
        )
    from fercli.resnet import devices

    name = str(devices.resolve(asked))
    if not name.startswith("cuda"):
        return BPDevice()
    return BPDevice(name, next(found.model for found in devices.available() if found.name == name))
