"""Repeat commands and predictions in one process: python tests/faults/long_runs.py --repeats 2000.

Memory, open files, threads and log handlers after the first tenth are compared with those at the end: a service or a
notebook that calls fercli for days must not grow.
"""

import argparse
import gc
import logging
import os
import resource
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np
from crash_matrix import run_inside
from fault_files import encoded
from fault_stored import model_folders
from hostile import workspace

from fercli.datasets.images import decode
from fercli.inference.model_files import ModelFiles
from fercli.inference.scorers import scorer_of


@dataclass(frozen=True)
class Measured:
    """What the process holds. memory: resident bytes."""

    memory: int
    files: int
    threads: int
    handlers: int
    objects: int

    @classmethod
    def now(cls) -> "Measured":
        gc.collect()
        status = Path("/proc/self/statm")
        if status.exists():
            memory = int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        else:
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        folder = next((place for place in ("/proc/self/fd", "/dev/fd") if os.path.isdir(place)), "")
        files = len(os.listdir(folder)) if folder else 0
        handlers = len(logging.getLogger().handlers) + len(warnings.filters)
        return cls(memory, files, threading.active_count(), handlers, len(gc.get_objects()))

    def outgrown_by(self, later: "Measured") -> bool:
        """Whether more is held later. Of memory the allocator takes 12 MB more now and then, and gives them back."""
        counted = any(getattr(later, what) > getattr(self, what) for what in ("files", "threads", "handlers"))
        return counted or later.memory > self.memory + 20 * 2**20 or later.objects > self.objects + 4000


def repeated(work: Callable[[int], None], repeats: int) -> tuple[Measured, Measured]:
    """What the process holds after a tenth of the repeats, and after all of them."""
    early = max(1, repeats // 10)
    for number in range(early):
        work(number)
    before = Measured.now()
    for number in range(early, repeats):
        work(number)
    return before, Measured.now()


def commands(base: Path) -> Callable[[int], None]:
    """One of nine command lines in turn; some are refused, one replaces what stands."""
    ws, src = str(base), str(base.parent / "src")
    lines = (
        (["status", "--json"], 0),
        (["show", "run/bp", "--json"], 0),
        (["import-features", f"{src}/sheet.csv", "--json"], 0),
        (["import-features", f"{src}/gone.csv"], 3),
        (["train-bp", "--features", "sheet", "--folds", "f", "--epochs", "2", "--threads", "1", "--name", "bp"], 0),
        (["evaluate", "bp", "--draws", "100", "--name", "long", "--force", "--json"], 0),
        (["predict", f"{src}/pictures/happy/0.png", "--faces", "whole", "--device", "cpu", "--json"], 0),
        (["make-folds", "--features", "sheet", "--k", "9999"], 3),
        (["synthesize", "--subjects", "1", "--images", "0"], 2),
    )

    def work(number: int) -> None:
        line, expected = lines[number % len(lines)]
        code, _, err = run_inside([*line, "-w", ws])
        assert code == expected, (line, code, err)

    return work


def predictions() -> Callable[[int], None]:
    """A picture decoded, a sample scored by a BP network and by a net that were read from files anew now and then."""
    jpeg, columns = encoded(".jpg", side=16), np.linspace(0, 1, 5, dtype=np.float32)[None]
    scorers = {}

    def work(number: int) -> None:
        if number % 50 == 0:
            for kind, files in model_folders().items():
                scorers[kind] = scorer_of(ModelFiles("run/made", "model", files.__getitem__))
        picture = decode(jpeg, source="a.jpg")[None]
        assert scorers["net"].scores(picture).shape == scorers["bp"].scores(columns).shape == (1, 2)

    return work


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=2000)
    chosen = parser.parse_args()
    grown = False
    print("| what | repeats | seconds | memory, MB | open files | threads | handlers | objects |")
    print("|---" * 8 + "|")
    with tempfile.TemporaryDirectory() as place:
        for name, work in {"commands": commands(workspace(Path(place))), "predictions": predictions()}.items():
            started = time.perf_counter()
            before, after = repeated(work, chosen.repeats)
            cells = [name, str(chosen.repeats), f"{time.perf_counter() - started:.0f}"]
            cells.append(f"{before.memory / 2**20:.1f} → {after.memory / 2**20:.1f}")
            for part in ("files", "threads", "handlers", "objects"):
                cells.append(f"{getattr(before, part)} → {getattr(after, part)}")
            print(f"| {' | '.join(cells)} |", flush=True)
            grown |= before.outgrown_by(after)
    return int(grown)


if __name__ == "__main__":
    sys.exit(main())
