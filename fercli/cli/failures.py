"""From any exception to one message and one exit code: the only boundary where errors are shown."""

import errno
import json
import sys
from contextlib import suppress
from typing import Any

from fercli.cli import streams
from fercli.cli.places import Places
from fercli.cli.plain_text import plain
from fercli.errors import EnvironmentFailure, ExitCode, FerError, Interrupted, UsageError

NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
NOT_ALLOWED = {errno.EACCES, errno.EPERM, errno.EROFS}
GOES_ON = "what was saved stays, the same command goes on from there"
# Why: its rows go to a pipe or to the user's own file, and nothing in the workspace knows how far it came.
BEGINS_ANEW = "rows that were written stay, the same command begins anew"
SYSTEM_LIBRARIES = {"libGL": "libgl1", "libgthread": "libglib2.0-0", "libglib": "libglib2.0-0"}


class InternalFault(FerError):
    """Our own fault: something that no user action should be able to cause."""


def translate(error: BaseException, *, command: str = "fer", places: Places | None = None) -> FerError:
    """The expected failure behind an exception, or an `InternalFault`; its advice fits the command and its places."""
    if isinstance(error, FerError):
        return error
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # Typer's own usage errors
        return _from_typer(error, command)
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return EnvironmentFailure(
            "not enough memory",
            where=str(error) or None,
            next_step="use a smaller --batch-size, fewer --jobs, or a machine with more memory",
        )
    if isinstance(error, OSError):
        return _from_system(error, places)
    if isinstance(error, ImportError):
        return _from_import(error)
    return InternalFault(
        f"{type(error).__name__}: {error}" if str(error) else type(error).__name__,
        next_step="this is a fault of fercli: run it again with --debug and report what it prints",
    )


def _from_typer(error: Any, command: str) -> UsageError:
    context = getattr(error, "ctx", None)
    # Why: of an option without its value Typer does not say whose it is.
    path = getattr(context, "command_path", None) or ("fer" if command == "fer" else f"fer {command}")
    message = error.format_message().rstrip(".")
    return UsageError(message[:1].lower() + message[1:] if message else "wrong usage", next_step=f"see {path} --help")


def _from_system(error: OSError, places: Places | None) -> FerError:
    where = str(error.filename) if error.filename else None
    output = places.output(where) if places and where else None
    if output:
        # What the user wrote, where a file that is not whole yet has a hidden name.
        where = str(output[1])
    if error.errno in NO_SPACE:
        # A full disk mostly names no file: it may be the workspace's, or that of any output.
        full = [output[0]] if output else ["--workspace", *(places.outputs if places and not where else ())]
        return EnvironmentFailure(
            "no space left on the disk",
            where=where,
            next_step=f"free some space, or choose another {' or '.join(full)}",
        )
    if error.errno in NOT_ALLOWED:
        next_step = "choose a --workspace that you may write to"
        if output:
            next_step = f"choose another {output[0]}, one that you may write to"
        elif places and where and not places.in_workspace(where):
            next_step = "change its permissions, or name another"
        return EnvironmentFailure(f"not allowed: {error.strerror}", where=where, next_step=next_step)
    if isinstance(error, FileNotFoundError | IsADirectoryError | NotADirectoryError):
        from fercli.errors import InputError

        return InputError(str(error.strerror), where=where, next_step="check the path")
    return EnvironmentFailure(
        f"the system says: {error.strerror or error}", where=where, next_step="see fer doctor for this machine"
    )


def _from_import(error: ImportError) -> FerError:
    for library, package in SYSTEM_LIBRARIES.items():
        if library in str(error):
            return EnvironmentFailure(
                f"a system library is missing: {error}",
                where="opencv-python",
                next_step=f"install it (Debian and Ubuntu: apt-get install {package}), "
                "or use opencv-python-headless in place of opencv-python",
            )
    return EnvironmentFailure(
        f"a package cannot be imported: {error}",
        where=error.name,
        next_step="install fercli again, with the extra that this command needs; fer doctor lists what is missing",
    )


def as_json(command: str, error: FerError, warnings: list[str]) -> str:
    """The JSON object of a failed command."""
    return _body(
        command,
        warnings,
        {
            "code": int(error.code),
            "kind": error.kind,
            "message": error.what,
            "where": error.where,
            "next": error.next_step,
        },
    )


def _what_stays(command: str) -> str:
    return BEGINS_ANEW if command == "predict" else GOES_ON


def _json_of_interruption(command: str, error: Interrupted, name: str, warnings: list[str]) -> str:
    stopped = {"code": int(error.code), "kind": "interrupted", "message": f"stopped by {name}", "where": None}
    return _body(command, warnings, {**stopped, "next": _what_stays(command)})


def _body(command: str, warnings: list[str], error: dict[str, Any]) -> str:
    body = {"schema": 1, "command": command, "status": "failed", "artifact": None, "warnings": warnings}
    return json.dumps({**body, "error": error}, allow_nan=False)


def as_text(error: FerError) -> str:
    """Three unwrapped lines: what, where, what next; what a file holds adds no line and no escape of its own."""
    lines = [f"fer: error: {plain(error.what)}"]
    if error.where:
        lines.append(f"  where: {plain(error.where)}")
    if error.next_step:
        lines.append(f"  next: {plain(error.next_step)}")
    return "\n".join(lines)


def _answer(body: str) -> None:
    """The failure's object on stdout; where stdout takes nothing, the message on stderr is all there is."""
    with suppress(EnvironmentFailure), streams.written():
        print(body)


def show(
    error: BaseException,
    *,
    command: str,
    json_wanted: bool,
    debug: bool,
    warnings: list[str],
    places: Places | None = None,
) -> int:
    """Print a failure in the form that was asked for and give its exit code."""
    if isinstance(error, Interrupted):
        name = "SIGINT" if error.code == ExitCode.SIGINT else "SIGTERM"
        if json_wanted:
            _answer(_json_of_interruption(command, error, name, warnings))
        print(f"fer: stopped by {name}; {_what_stays(command)}", file=sys.stderr)
        return int(error.code)
    failure = translate(error, command=command, places=places)
    if debug:
        import traceback

        traceback.print_exception(error, file=sys.stderr)
    if json_wanted:
        _answer(as_json(command, failure, warnings))
    print(as_text(failure), file=sys.stderr)
    return int(failure.code)
