"""The loop around a reader: damage, read, and note whatever came out that should not have."""

import gc
import io
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from fault_mutations import rng_of
from fault_readers import READERS, Reader
from fault_stored import EXPECTED

from fercli.cli.failures import as_text

SLOW_SECONDS = 10


class TooSlow(BaseException):
    """An input kept its reader busy for longer than `SLOW_SECONDS`."""


@dataclass
class Finding:
    """One kind of failure: what came out where; the first input that did it, and how often it came."""

    what: str
    where: str
    first: str
    count: int = 1
    trace: str = ""


@dataclass
class Tally:
    """What a reader made of its inputs. read: taken without an error; refused: with one that is expected."""

    read: int = 0
    refused: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    slowest_input: str = ""
    grown_mb: float = 0.0
    findings: dict[tuple[str, str], Finding] = field(default_factory=dict)

    @property
    def inputs(self) -> int:
        return self.read + self.refused + sum(finding.count for finding in self.findings.values())


def damaged(reader: Reader, seed: int, number: int) -> tuple[str, bytes]:
    """(name of the sound file, damaged bytes) of one input."""
    rng = rng_of(seed, number)
    files = reader.sound()
    names = sorted(files)
    name = names[int(rng.integers(len(names)))]
    damage = reader.damages[int(rng.integers(len(reader.damages)))]
    try:
        return name, damage(rng, files[name])
    except (UnicodeDecodeError, ValueError):
        # A damage for text met a binary file.
        return name, bytes(reversed(files[name]))


@contextmanager
def time_limit(seconds: float = SLOW_SECONDS) -> Iterator[None]:
    """Raise TooSlow in the block after so many seconds."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def try_one(reader: Reader, tally: Tally, folder: Path, name: str, data: bytes, label: str) -> None:
    """Read one input and note what came of it."""
    started = time.perf_counter()
    talk, counts = io.StringIO(), (tally.read, tally.refused)
    try:
        with time_limit(), redirect_stdout(talk):
            reader.read(folder, name, data)
        tally.read += 1
    except EXPECTED as error:
        tally.refused += 1
        if len(as_text(error).splitlines()) != 2 + bool(error.where):
            _note(tally, error, label, f"not what, where, next in a line each: {as_text(error)!r}"[:200])
            tally.refused -= 1
    except (Exception, TooSlow) as error:
        _note(tally, error, label, f"{type(error).__name__}: {error}"[:200])
    if talk.getvalue():
        # What a library prints would stand in the middle of --json.
        tally.read, tally.refused = counts
        _note(tally, RuntimeError(), label, f"a library prints {talk.getvalue()!r}"[:200])
    seconds = time.perf_counter() - started
    if seconds > tally.slowest:
        tally.slowest, tally.slowest_input = seconds, label


def _note(tally: Tally, error: BaseException, label: str, what: str) -> None:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/fercli/" in frame.filename]
    where = f"{frames[-1].filename.split('/fercli/')[-1]}:{frames[-1].lineno}" if frames else "outside"
    key = (type(error).__name__, where)
    if key in tally.findings:
        tally.findings[key].count += 1
    else:
        tally.findings[key] = Finding(what, where, label, trace="".join(traceback.format_exception(error)[-6:]))


def fuzz(name: str, *, seed: int, seconds: float | None = None, count: int | None = None) -> Tally:
    """Damage the sound files of a reader and read them, for so many seconds or inputs (one is set)."""
    reader, tally = READERS[name], Tally()
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=memory) as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(place)
        for file, data in reader.sound().items():
            reader.read(folder, file, data)
        gc.collect()
        before, started, number = _peak_mb(), time.perf_counter(), 0
        until = float("inf") if seconds is None else started + seconds
        while (count is None or number < count) and time.perf_counter() < until:
            file, data = damaged(reader, seed, number)
            try_one(reader, tally, folder, file, data, f"{name} --seed {seed} --only {number}")
            number += 1
        tally.seconds = time.perf_counter() - started
        tally.grown_mb = _peak_mb() - before
    return tally


def _peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def as_json(tally: Tally) -> dict[str, Any]:
    """The tally for a file."""
    facts = {"inputs": tally.inputs, "read": tally.read, "refused": tally.refused, "seconds": round(tally.seconds, 1)}
    slow = {"slowest": round(tally.slowest, 3), "slowest_input": tally.slowest_input}
    found = [vars(finding) for finding in tally.findings.values()]
    return {**facts, **slow, "grown_mb": round(tally.grown_mb, 1), "findings": found}
