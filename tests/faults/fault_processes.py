"""Commands as processes that can be killed: fresh ones, and forks of this one, which skip seconds of imports.

A kill at a random moment of a fresh command mostly meets Python loading packages; a fork spends its life at work.
"""

import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fault_commands import ENVIRONMENT, fer


@dataclass(frozen=True)
class Ended:
    """How a process ended: its code, or minus the number of the signal that ended it, and its stderr."""

    code: int
    err: str
    seconds: float


def load() -> None:
    """Import what commands import, so that forks need not."""
    import cv2  # noqa: F401
    import sklearn.ensemble  # noqa: F401
    import torch  # noqa: F401

    import fercli.benchmarks
    import fercli.cli.app
    import fercli.report.page
    import fercli.steps.explain
    import fercli.steps.export
    import fercli.steps.predict
    import fercli.steps.prune_bp
    import fercli.steps.report
    import fercli.steps.train_baseline
    import fercli.steps.train_resnet  # noqa: F401


def run(
    line: Sequence[str], err: Path, *, fresh: bool, kill: signal.Signals | None = None, after: float = 0.0
) -> Ended:
    """Run `fer LINE`, and send it a signal after so many seconds if it still runs then."""
    err.write_text("")  # a process that is killed at once never gets to it
    started = time.perf_counter()
    pid = _fresh(line, err) if fresh else _fork(line, err)
    status = None
    while status is None:
        if kill is not None and time.perf_counter() - started >= after:
            os.kill(pid, kill)
            kill = None
        done, status_now = os.waitpid(pid, os.WNOHANG)
        status = status_now if done else None
        if status is None:
            time.sleep(0.002)
    return Ended(os.waitstatus_to_exitcode(status), err.read_text(errors="replace"), time.perf_counter() - started)


def _fresh(line: Sequence[str], err: Path) -> int:
    command = fer(*line)
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    quiet.append((os.POSIX_SPAWN_OPEN, 2, str(err), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    return os.posix_spawn(command[0], command, ENVIRONMENT, file_actions=quiet)


def _fork(line: Sequence[str], err: Path) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.environ.update(ENVIRONMENT)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(os.open(err, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
        sys.argv = ["fer", *line]
        from fercli.cli.app import run as run_line

        code = run_line(list(line))
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)
