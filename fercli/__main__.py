"""`python -m fercli` and the console script `fer`."""

import os
import signal
import sys
from types import FrameType


def _leave(number: int, frame: FrameType | None) -> None:
    # Nothing is begun yet, and Python's own way out would print a traceback.
    os._exit(128 + number)


def main() -> None:
    """Run the command line and leave with its exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    from fercli.cli import streams

    streams.open_closed()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A name that the terminal's encoding lacks is shown by its number; it is no reason to fail.
            stream.reconfigure(errors="backslashreplace")
    from fercli.cli.app import run

    code = run(sys.argv[1:])
    # All is said and saved: from here a signal ends the process, where our handler would raise inside Python's exit.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    sys.exit(code)


if __name__ == "__main__":
    main()
