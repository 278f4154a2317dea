"""One invocation of a command: where it works, how it talks, and what every command accepts."""

import inspect
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from fercli.cli.console import Console
from fercli.errors import Interrupted, UsageError
from fercli.records import Outcome

WORKSPACE_VARIABLE = "FER_WORKSPACE"
DEFAULT_WORKSPACE = "artifacts"
EVERYWHERE = "On every command"
# What the BLAS and OpenMP libraries read when they are loaded.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")

WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        "-w",
        envvar=WORKSPACE_VARIABLE,
        help=f"Folder of the artifacts; default ./{DEFAULT_WORKSPACE}.",
        rich_help_panel=EVERYWHERE,
        show_default=False,
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="One JSON object on stdout, also on failure.", rich_help_panel=EVERYWHERE)
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="No talk and no progress.", rich_help_panel=EVERYWHERE)
]
DebugOption = Annotated[
    bool, typer.Option("--debug", help="A traceback beside the message of a failure.", rich_help_panel=EVERYWHERE)
]


@dataclass
class Session:
    """What a command function gets as its first argument."""

    command: str
    workspace: Path
    console: Console
    debug: bool = False
    shown: bool = False
    values: dict[str, Any] = field(default_factory=dict)
    defaults: dict[str, Any] = field(default_factory=dict)
    opened: Any = None

    def store(self) -> Any:
        """The workspace's store."""
        from fercli.artifacts.store import Store

        self.opened = Store(self.workspace, say=self.console.say)
        return self.opened

    def refuse_idle(self, *names: str, without: str) -> None:
        """UsageError for the first of these options that was given, though it does nothing without another."""
        for name in names:
            if self.values[name] != self.defaults[name]:
                option = "--" + name.replace("_", "-")
                raise UsageError(
                    f"{option} has nothing to act on without {without}",
                    where=option,
                    next_step=f"leave {option} out, or give {without} too",
                )

    def withdraw(self) -> None:
        """Take back what was made on the way to a result that there is none of."""
        if self.opened is None or not self.opened.provisional:
            return
        from fercli.artifacts.provisional import withdraw

        try:
            withdraw(self.opened)
        except OSError:
            # The failure that led here is what the user must see; what stays is whole, and used again.
            self.opened.provisional = []

    def request(self, *, name: str | None = None, inputs: dict[str, str | None] | None = None) -> Any:
        """What was asked for beside the config; force, dry-run, threads and jobs come from the command's options."""
        from fercli.artifacts.naming import check_name
        from fercli.workflow.request import Request

        if name is not None:
            check_name(name)
        return Request(
            # Bytes of an argument that are no UTF-8 could not be stored.
            command=("fer", *(os.fsencode(word).decode("utf-8", "backslashreplace") for word in sys.argv[1:])),
            name=name,
            force=bool(self.values.get("force")),
            dry_run=bool(self.values.get("dry_run")),
            threads=self.threads,
            jobs=self.jobs,
            inputs=inputs or {},
        )

    @property
    def jobs(self) -> int:
        """`--jobs`, else the cores that this process may use; 1 for commands without the option."""
        from fercli.artifacts.provenance import available_cores

        if "jobs" not in self.values:
            return 1
        return int(self.values["jobs"] or available_cores())

    @property
    def threads(self) -> int:
        """`--threads`, else the cores that this process may use."""
        from fercli.artifacts.provenance import available_cores

        return int(self.values.get("threads") or available_cores())


def command(
    app: typer.Typer,
    name: str,
    *,
    panel: str,
    default_workspace: str = DEFAULT_WORKSPACE,
    shared: Sequence[inspect.Parameter] = (),
) -> Callable[..., Any]:
    """Register `function(session, options…) -> Outcome` as a command that also accepts what every command accepts.

    shared: further options that several commands have alike; their values are in `session.values` only.
    """
    aside = {parameter.name for parameter in shared}

    def register(function: Callable[..., Outcome]) -> Callable[..., Outcome]:
        @wraps(function)
        def invoke(*, workspace: Path | None, json_wanted: bool, quiet: bool, debug: bool, **values: Any) -> None:
            console = Console(quiet=quiet, json_wanted=json_wanted)
            session = Session(
                command=name,
                workspace=workspace or Path(default_workspace),
                console=console,
                debug=debug,
                values=values,
                defaults=defaults,
            )
            if values.get("threads"):
                for variable in THREAD_VARIABLES:
                    os.environ[variable] = str(values["threads"])
            current.session = session
            try:
                outcome = function(session, **{key: value for key, value in values.items() if key not in aside})
            except BaseException:
                session.withdraw()
                raise
            console.show(name, outcome)
            session.shown = True
            if outcome.failure is not None:
                raise outcome.failure

        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        everywhere = [
            inspect.Parameter("workspace", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=WorkspaceOption),
            inspect.Parameter("json_wanted", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=JsonOption),
            inspect.Parameter("quiet", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=QuietOption),
            inspect.Parameter("debug", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=DebugOption),
        ]
        parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in [*own, *shared]]
        defaults = {parameter.name: parameter.default for parameter in parameters}
        parameters += everywhere
        del invoke.__wrapped__
        invoke.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        invoke.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        app.command(name, rich_help_panel=panel)(invoke)
        return function

    return register


class _Current:
    """The session in progress, for the error handler: it needs the warnings and the chosen form of output.

    interrupted: the signal that came, if one did.
    """

    session: Session | None = None
    interrupted: Interrupted | None = None


current = _Current()
