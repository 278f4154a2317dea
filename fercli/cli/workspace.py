"""Commands that look at the workspace and the machine: status, show, verify, remove, doctor."""

from pathlib import Path
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
        errors: Annotated[
            bool, typer.Option("--errors", help="The wrong predictions of a run, the most confident first.")
        ] = False,
        limit: Annotated[int, typer.Option("--limit", min=1, help="How many wrong predictions --errors lists.")] = 20,
        contact_sheet: Annotated[
            Path | None,
            typer.Option(
                "--contact-sheet",
                metavar="FILE.png",
                help="With --errors: also draw the pictures, a strip for each common confusion.",
                show_default=False,
            ),
        ] = None,
    ) -> Outcome:
        """One artifact: how it was made, from what, its configuration and files; or what a run got wrong."""
        from fercli.steps import show as step

        if contact_sheet is not None and not errors:
            raise UsageError("--contact-sheet draws what --errors lists: give --errors too", where="--contact-sheet")
        if not errors:
            session.refuse_idle("limit", without="--errors")
        if layers and errors:
            raise UsageError("--layers and --errors are two questions", next_step="give one of them")
        return step.run(
            session.store(),
            artifact,
            session.console,
            layers=layers,
            errors=limit if errors else None,
            contact_sheet=contact_sheet,
        )

    @command(app, "verify", panel=PANEL)
    def verify(
        session: Session,
        artifacts: Artifacts = None,
        folds_sampled: Annotated[
            str, typer.Option("--folds-sampled", help="Folds of each run that are fitted again: a number, or all.")
        ] = "1",
        retrain: Annotated[
            bool, typer.Option("--retrain", help="Of runs on columns, train those folds again as well.")
        ] = False,
        device: Annotated[
            str, typer.Option("--device", help="Of nets that are scored again: cpu, cuda, cuda:N, mps or auto.")
        ] = "cpu",
        seed: options.Seed = 0,
        threads: options.Threads = None,
    ) -> Outcome:
        """Hashes checked, scores and the fits of a drawn fold computed again; exit 4 on any finding."""
        from fercli.config.verify import VerifyConfig
        from fercli.steps import verify as step

        config = VerifyConfig.of(folds_sampled=_count_or_all(folds_sampled), retrain=retrain, seed=seed)
        return step.run(config, artifacts or (), session.request(), session.store(), session.console, device=device)

    @command(app, "remove", panel=PANEL)
    def remove(
        session: Session,
        artifacts: Annotated[
            list[str] | None,
            typer.Argument(
                metavar="ARTIFACT", help="KIND/NAME, or NAME where only one kind has it.", show_default=False
            ),
        ] = None,
        with_children: Annotated[
            bool, typer.Option("--with-children", help="Also everything that was made from them.")
        ] = False,
        partials: Annotated[
            bool, typer.Option("--partials", help="Delete what interrupted commands left; they begin anew then.")
        ] = False,
        empty_trash: Annotated[
            bool, typer.Option("--empty-trash", help="Delete what was removed or replaced before, and free its space.")
        ] = False,
        dry_run: options.DryRun = False,
    ) -> Outcome:
        """Move artifacts to .trash; refused while others that were made from them stand."""
        from fercli.steps import remove as step

        return step.run(
            artifacts or (),
            session.request(),
            session.store(),
            session.console,
            with_children=with_children,
            partials=partials,
            empty_trash=empty_trash,
        )

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
