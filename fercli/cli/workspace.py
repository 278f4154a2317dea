"""Commands that look at the workspace and the machine: status, show, doctor."""

from typing import Annotated

import typer

from fercli.cli.session import Session, command
from fercli.records import Outcome

PANEL = "Look around"


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

    @command(app, "doctor", panel=PANEL)
    def doctor(session: Session) -> Outcome:
        """Versions and devices of this machine; what is missing and how to get it."""
        from fercli.steps import doctor as step

        return step.run(session.workspace, session.console)
