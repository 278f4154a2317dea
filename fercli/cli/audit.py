"""The command that looks for what is wrong with data: audit."""

from pathlib import Path
from typing import Annotated

import typer

from fercli.cli import options
from fercli.cli.data import PANEL
from fercli.cli.session import Session, command
from fercli.records import Outcome

NEAR = "Near duplicates"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "audit", panel=PANEL)
    def audit(
        session: Session,
        dataset: options.Dataset = None,
        features: options.Features = None,
        fail_on: Annotated[
            str | None,
            typer.Option(
                "--fail-on",
                help="Comma list; exit 6 on any of cross-split-duplicates, conflicting-labels, near-duplicates, "
                "unreadable, blank.",
                show_default=False,
            ),
        ] = None,
        out: Annotated[
            Path | None,
            typer.Option("--out", help="Folder for lists of all findings and a contact sheet.", show_default=False),
        ] = None,
        blank_below: Annotated[
            float, typer.Option("--blank-below", help="Standard deviation of gray values under which one is blank.")
        ] = 1.0,
        faint_below: Annotated[
            float, typer.Option("--faint-below", help="The same for nearly constant pictures.")
        ] = 5.0,
        dominant_share: Annotated[
            float,
            typer.Option("--dominant-share", help="Share of a component's variance from which one row dominates it."),
        ] = 0.5,
        near_threshold: Annotated[
            float,
            typer.Option(
                "--near-threshold",
                help="Largest difference of near copies: 0 equal, 1.41 unrelated.",
                rich_help_panel=NEAR,
            ),
        ] = 0.4,
        near_bits: Annotated[
            int,
            typer.Option(
                "--near-bits", help="Bits of 64 in which their perceptual hashes may differ.", rich_help_panel=NEAR
            ),
        ] = 7,
        dry_run: options.DryRun = False,
    ) -> Outcome:
        """Class balance, groups, copies within and across splits, contradictory labels, blank and unreadable files."""
        from fercli.config.audit import AuditConfig
        from fercli.steps import audit as step

        config = AuditConfig.of(
            fail_on=tuple(options.comma_list(fail_on, option="--fail-on")) if fail_on else (),
            near_threshold=near_threshold,
            near_bits=near_bits,
            blank_below=blank_below,
            faint_below=faint_below,
            dominant_share=dominant_share,
        )
        request = session.request(inputs={"dataset": dataset, "features": features})
        return step.run(config, out, request, session.store(), session.console)
