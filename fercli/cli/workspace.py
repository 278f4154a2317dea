"""Commands that look at the workspace and the machine: status, show, verify, remove, doctor."""

from typing import Annotated

import typer

from fercli.cli import options
from fercli.cli.session import Session, command
from fercli.errors import UsageError
from fercli.records import Outcome

PANEL = "Look around"

Artifacts = Annotated[
    list[str] | None,
    typer.Argument(metavar="ARTIFACT", help="KIND/NAME, or NAME where only one kind has it; none = all."),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""

    @command(app, "status", panel=PANEL)
    def status(session: Session) -> Outcome:
        """What stands in the workspace, what is stale, what was interrupted."""
        from fercli.steps import status as step

        return step.run(session.store(), session.console)

    @command(app, "show", panel=PANEL)
    def show(
        session: Session,
        artifact: Annotated[str, typer.Argument(help="KIND/NAME, or NAME where only one kind has it.")],
        layers: Annotated[bool, typer.Option("--layers", help="The layers of a ResNet run's network.")] = False,
    ) -> Outcome:
        """One artifact: how it was made, from what, its configuration and files."""
        from fercli.steps import show as step

        return step.run(session.store(), artifact, session.console, layers=layers)

    @command(app, "verify", panel=PANEL)
    def verify(
        session: Session,
        artifacts: Artifacts = None,
        folds_sampled: Annotated[
            str, typer.Option("--folds-sampled", help="Folds of each run that are fitted again: a number, or all.")
        ] = "1",
        device: Annotated[
            str, typer.Option("--device", help="Of nets that are scored again: cpu, cuda, cuda:N, mps or auto.")
        ] = "cpu",
        seed: options.Seed = 0,
        threads: options.Threads = None,
    ) -> Outcome:
        """Hashes checked, scores and the fits of a drawn fold computed again; exit 4 on any finding."""
        from fercli.config.verify import VerifyConfig
        from fercli.steps import verify as step

        config = VerifyConfig.of(folds_sampled=_count_or_all(folds_sampled), seed=seed)
        return step.run(config, artifacts or (), session.request(), session.store(), session.console, device=device)

    @command(app, "doctor", panel=PANEL)
    def doctor(session: Session) -> Outcome:
        """Versions and devices of this machine; what is missing and how to get it."""
        from fercli.steps import doctor as step

        return step.run(session.workspace, session.console)


def _count_or_all(text: str) -> int | None:
    """A number of folds, None for `all`."""
    if text == "all":
        return None
    if not text.isdecimal():
        raise UsageError(
            f"--folds-sampled: {text!r} is neither a number of folds nor all",
            where=f"--folds-sampled {text}",
            next_step="give --folds-sampled 3, or --folds-sampled all",
        )
    return int(text)
