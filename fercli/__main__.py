"""`python -m fercli` and the console script `fer`."""

import signal
import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    from fercli.cli.app import run

    code = run(sys.argv[1:])
    # All is said and saved: from here a signal ends the process, where our handler would raise inside Python's exit.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    sys.exit(code)


if __name__ == "__main__":
    main()
