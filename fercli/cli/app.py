"""`fer`: the commands in the order of the pipeline, one error handler, signals that save and leave."""

import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Annotated

import typer

from fercli import __version__
from fercli.cli import failures, streams
from fercli.cli.places import Places
from fercli.cli.session import current
from fercli.errors import ExitCode, Interrupted

# How long a signal that fell into a callback waits before it is raised again, outside of it.
LOST_SECONDS = 0.01

app = typer.Typer(
    name="fer",
    help="Facial expression recognition experiments that can be believed.",
    epilog="A first look: fer demo. Every command explains itself with --help.",
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fercli {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _top(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def _register() -> None:
    # In the order of the pipeline, which is the order of `fer --help`.
    from fercli.cli import commands

    commands.register(app)


def _raise_interrupted(number: int, frame: FrameType | None) -> None:
    # A second signal of the same kind ends the process at once, in case saving hangs.
    signal.signal(number, signal.SIG_DFL)
    current.interrupted = Interrupted(ExitCode.SIGINT if number == signal.SIGINT else ExitCode.SIGTERM)
    raise current.interrupted


def _raise_again(lost: "sys.UnraisableHookArgs") -> None:
    """Python drops what is raised inside a destructor or a weak reference's callback; a signal must not be dropped."""
    if not isinstance(lost.exc_value, Interrupted) or not hasattr(signal, "setitimer"):
        sys.__unraisablehook__(lost)
        return

    def ring(number: int, frame: FrameType | None) -> None:
        raise current.interrupted or Interrupted(ExitCode.SIGTERM)

    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, LOST_SECONDS)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and give its exit code; every failure is shown here and nowhere else."""
    arguments = list(arguments)
    # Before signals raise: nothing would catch them here, and until then they end the process at once.
    if not app.registered_commands:
        _register()
    signal.signal(signal.SIGINT, _raise_interrupted)
    signal.signal(signal.SIGTERM, _raise_interrupted)
    current.session = current.interrupted = None
    before, sys.unraisablehook = sys.unraisablehook, _raise_again
    try:
        code = _invoke(arguments)
    except BrokenPipeError:
        # Whoever read our output has left, or never was there.
        streams.abandon()
        return int(ExitCode.SIGPIPE)
    except Interrupted as late:
        # It came while a result or a failure was being shown: what was to be saved is saved.
        return int(late.code)
    finally:
        sys.unraisablehook = before
    return code


def _invoke(arguments: list[str]) -> int:
    try:
        try:
            answer = app(args=arguments, prog_name="fer", standalone_mode=False)
        except typer.Exit as leave:
            answer = leave.exit_code
        with streams.written():
            return answer if isinstance(answer, int) else 0
    except BrokenPipeError:
        raise
    except BaseException as error:
        if isinstance(error, SystemExit):
            if isinstance(error.__context__, BrokenPipeError):  # how Typer reports it
                raise error.__context__ from None
            return int(error.code or 0)
        if current.interrupted is not None:
            # A signal in the middle of an import or a callback comes out as whatever that code made of it.
            error = current.interrupted
        session = current.session
        if session is None and isinstance(error, OSError) and error.filename is None:
            # Nothing has begun that writes anything but the help or the version.
            error = streams.refused(error)
        wants_json = session.console.json_wanted if session else "--json" in arguments
        # A failed gate was already shown as part of the result; the answer on stdout stays one object.
        return failures.show(
            error,
            command=session.command if session else _named_command(arguments),
            json_wanted=wants_json and not (session and session.shown),
            debug=session.debug if session else "--debug" in arguments,
            warnings=session.console.warnings if session else [],
            places=Places.of(session.workspace, session.values) if session else None,
        )


def _named_command(arguments: Sequence[str]) -> str:
    """The command on a line that was refused before it began: options, and the values of some, may come first."""
    known = {command.name for command in app.registered_commands}
    before = ["", *arguments]
    named = (word for word, last in zip(arguments, before, strict=False) if last not in ("-w", "--workspace"))
    return next((word for word in named if word in known), "fer")
