"""A command that torchrun started several times: one process speaks for all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from fercli.cli.session import Session
from fercli.errors import FerError, Interrupted


@contextmanager
def one_of_many(session: Session) -> Iterator[None]:
    """In the block, processes of one machine share its cores, and all but rank 0 are silent.

    What rank 0 meets, it says; a failure of another process alone is told by its exit code, which torchrun prints.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        yield
        return
    if not session.values.get("threads"):
        session.values["threads"] = max(1, session.threads // int(os.environ["LOCAL_WORLD_SIZE"]))
    if int(os.environ["RANK"]) == 0:
        yield
        return
    session.console.quiet = True
    try:
        yield
    except (FerError, Interrupted) as failure:
        raise typer.Exit(int(failure.code)) from None
    raise typer.Exit
