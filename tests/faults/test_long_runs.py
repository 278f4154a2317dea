"""Two hundred commands and predictions in one process hold no more at the end than after the first twenty."""

import subprocess
import sys
from pathlib import Path

from fault_commands import ENVIRONMENT
from long_runs import Measured

SCRIPT = Path(__file__).with_name("long_runs.py")


def test_memory_files_threads_and_handlers_stay_flat():
    """In a process of its own: what other tests have left in this one comes and goes."""
    line = [sys.executable, str(SCRIPT), "--repeats", "200"]
    done = subprocess.run(line, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [row.split(" | ")[:2] for row in done.stdout.splitlines()[2:]] == [
        ["| commands", "200"],
        ["| predictions", "200"],
    ]


def test_what_counts_as_growth():
    early = Measured(memory=2**30, files=6, threads=1, handlers=9, objects=10_000)
    assert not early.outgrown_by(Measured(memory=2**30 + 2**24, files=6, threads=1, handlers=9, objects=10_100))
    for more in ({"memory": 2**30 + 2**25}, {"files": 7}, {"threads": 2}, {"handlers": 10}, {"objects": 20_000}):
        assert early.outgrown_by(Measured(**{**vars(early), **more})), more
