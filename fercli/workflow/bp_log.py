"""The trainings of a BP run that is being made, kept so that a killed run goes on to the same bytes."""

import hashlib
import time
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from fercli.artifacts.disk import Disk
from fercli.artifacts.draft import Draft
from fercli.bp.network import NetworkStack
from fercli.bp.training import EpochRecord, Trained, Training

SAVE_SECONDS = 5.0
WEIGHTS = ("w1", "b1", "w2", "b2", "alive")
COLUMNS = tuple(field.name for field in fields(EpochRecord) if field.name not in ("epoch", "units", "trained"))


class TrainingLog:
    """What each training of a run gave, in their order.

    A run asks for the same trainings in the same order however often it is begun, and all that lies between them is
    cheap. So a run that goes on is simply run again, and takes from here what was trained before it was stopped.
    """

    def __init__(self, draft: Draft, disk: Disk) -> None:
        self._draft, self._disk = draft, disk
        self._number = 0
        self._unsaved: dict[int, dict[str, NDArray[np.generic]]] = {}
        self._saved = time.monotonic()

    def recall(self, training: Training) -> tuple[Trained, list[EpochRecord]] | None:
        """The networks and records of the next training, None where it was not reached before."""
        from safetensors.numpy import load

        path = self._draft.scratch(_file(self._number))
        if not self._draft.resumed or not path.is_file():
            return None
        arrays = load(path.read_bytes())
        if arrays["start"].tobytes() != _start(training):
            return None
        self._number += 1
        weights = {name: arrays[name] for name in WEIGHTS}
        stack = NetworkStack(**weights, output=training.stack.output)
        columns = zip(*(arrays[name] for name in COLUMNS), strict=True)
        records = [
            EpochRecord(int(epoch), stack.widths, trained, *values)
            for epoch, trained, values in zip(arrays["epoch"], arrays["trained"], columns, strict=True)
        ]
        return Trained(stack, arrays["epochs"]), records

    def note(self, training: Training, trained: Trained, records: list[EpochRecord]) -> None:
        """Keep a training that has just ended; saved now and then."""
        arrays: dict[str, NDArray[np.generic]] = {name: getattr(trained.stack, name) for name in WEIGHTS}
        arrays["epochs"] = trained.epochs
        arrays["start"] = np.frombuffer(_start(training), dtype=np.uint8)
        arrays["epoch"] = np.array([record.epoch for record in records], dtype=np.int64)
        for name in ("trained", *COLUMNS):
            arrays[name] = np.stack([getattr(record, name) for record in records])
        self._unsaved[self._number] = arrays
        self._number += 1
        if time.monotonic() - self._saved > SAVE_SECONDS:
            self.save()

    def save(self) -> None:
        """Write what was noted since the last time."""
        from safetensors.numpy import save

        for number, arrays in self._unsaved.items():
            self._draft.keep_partial()
            data = save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
            self._disk.replace_file(self._draft.scratch(_file(number)), data)
        self._unsaved.clear()
        self._saved = time.monotonic()


def _file(number: int) -> str:
    return f"trainings/{number:05d}.safetensors"


def _start(training: Training) -> bytes:
    """Digest of what a training starts from: another one under the same number is never taken for it."""
    digest = hashlib.sha256(f"{training.epochs} {training.first_epoch} {training.rule}".encode())
    for name in WEIGHTS:
        digest.update(np.ascontiguousarray(getattr(training.stack, name)).tobytes())
    return digest.digest()
