"""The process's own streams: one that is closed or full ends a command as a shell expects it, without a traceback."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from fercli.errors import EnvironmentFailure


def open_closed() -> None:
    """Give a process that was started without stdout a pipe that nobody reads, one without stderr the null device.

    A closed stdout then ends a command exactly as a reader who left does, and no file that is opened later gets the
    number of a standard stream, into which libraries print.
    """
    if sys.stdout is None:
        reading, writing = os.pipe()
        os.close(reading)
        sys.stdout = _standard(writing, 1)
    if sys.stderr is None:
        sys.stderr = _standard(os.open(os.devnull, os.O_WRONLY), 2)


def _standard(descriptor: int, number: int) -> TextIO:
    if descriptor != number:
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.set_inheritable(number, True)
    return open(number, "w", encoding="utf-8")


@contextmanager
def written() -> Iterator[None]:
    """In the block text goes to stdout; when it ends, the text has arrived there.

    Raises BrokenPipeError where the reader has left, EnvironmentFailure for all else that keeps text from arriving:
    such an error of the system names no file, so that nobody else could tell it from one of the workspace.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise refused(error) from error


def refused(error: OSError) -> EnvironmentFailure:
    """The failure that says so when stdout takes no more; what is left to write goes nowhere from here."""
    abandon()
    return EnvironmentFailure(
        f"stdout cannot be written: {error.strerror or error}",
        where="stdout",
        next_step="free some space there, or send stdout elsewhere",
    )


def abandon() -> None:
    """Turn stdout to the null device, so that Python does not complain when it flushes what is left at its exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
