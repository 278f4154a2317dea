"""`python -m fercli` and the console script `fer`."""

import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    from fercli.cli.app import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
