"""The rows of `predict` as CSV and JSON, and the file that is there whole or not at all."""

import csv
import glob
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fercli.artifacts.disk import Disk, flush_folder
from fercli.errors import Interrupted, UsageError
from fercli.inference.labelling import FaceRow

COLUMNS = ("source", "frame", "face", "x", "y", "w", "h", "status", "predicted")


def row_json(row: FaceRow, classes: Sequence[str]) -> dict[str, Any]:
    """A row with the CSV's columns as keys; what is undefined is None."""
    box = row.box or (None,) * 4
    given = (row.source, row.frame, row.face, *box, row.status, row.predicted)
    scores: Sequence[float | None] = [None] * len(classes)
    if row.probabilities is not None:
        # The shortest decimal that reads back as the same float32, not the digits of its float64.
        scores = [float(str(score)) for score in row.probabilities]
    return {**dict(zip(COLUMNS, given, strict=True)), **{f"p_{c}": s for c, s in zip(classes, scores, strict=True)}}


def header_text(classes: Sequence[str]) -> str:
    """The header of the CSV."""
    return _csv([[*COLUMNS, *(f"p_{name}" for name in classes)]])


def rows_text(rows: Iterable[FaceRow], classes: Sequence[str]) -> str:
    """Rows of the CSV; what is undefined is an empty cell."""
    return _csv([["" if value is None else value for value in row_json(row, classes).values()] for row in rows])


def _csv(rows: Iterable[Sequence[Any]]) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue()


def _lives(pid: str) -> bool:
    """Whether a process of this number may be writing still; where that cannot be asked, it may."""
    if os.name != "posix" or not pid.isdecimal():
        return True
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def _holds_predictions(path: Path) -> bool:
    """Whether the file is empty or begins with the columns of predictions."""
    head = ",".join(COLUMNS).encode()
    with path.open("rb") as file:
        found = file.read(len(head))
    return not found or found == head


class PredictionsFile:
    """Text under a hidden name beside `path`, which gets its own name when the block ends: what stood there before
    stays until then. After an interruption what was written so far gets the name too; a failure leaves nothing, and
    what a killed process left is cleared away by the next one.

    Raises UsageError where `path` is a folder, does not end in .csv, or is a file that holds no predictions: a picture
    or somebody's list is not replaced.
    """

    def __init__(self, path: Path, disk: Disk) -> None:
        if path.is_dir():
            raise UsageError("--out is a folder, not a file", where=str(path), next_step="name a file: --out FILE.csv")
        if path.suffix.lower() != ".csv":
            raise UsageError("--out is a CSV file", where=str(path), next_step=f"name it {path.with_suffix('.csv')}")
        if path.exists() and not _holds_predictions(path):
            raise UsageError(
                "--out: a file that holds no predictions stands there, and is not replaced",
                where=str(path),
                next_step="give another name, or move it away",
            )
        self._path = path
        self._disk = disk
        self._partial = path.with_name(f".{path.name}.{os.getpid()}.partial")

    def __enter__(self) -> Self:
        self._disk.make_folder(self._path.parent)
        for left in self._path.parent.glob(f".{glob.escape(self._path.name)}.*.partial"):
            if not _lives(left.name.removesuffix(".partial").rpartition(".")[2]):
                left.unlink(missing_ok=True)
        self._handle = self._partial.open("wb")
        return self

    def write(self, text: str) -> None:
        """More rows."""
        self._disk.write(self._handle, text.encode("utf-8"))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._handle:
            if kind is None or issubclass(kind, Interrupted):
                self._handle.flush()
                os.fsync(self._handle.fileno())
        if kind is None or issubclass(kind, Interrupted):
            os.replace(self._partial, self._path)
            flush_folder(self._path.parent)
        else:
            self._partial.unlink(missing_ok=True)
