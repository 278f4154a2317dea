"""The command that takes things out of the workspace: export."""

from pathlib import Path
from typing import Annotated

import typer

from fercli.cli import options
from fercli.cli.session import Session, command
from fercli.records import Outcome

PANEL = "Use and share"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "export", panel=PANEL)
    def export(
        session: Session,
        artifact: Annotated[str, typer.Argument(help="Features, by name.")],
        out: Annotated[Path, typer.Option("--out", help="File to write: .csv or .xlsx.", show_default=False)],
        format: Annotated[str, typer.Option("--format", help="sheet: name, label 1 to 7, components.")] = "sheet",
        pca: Annotated[
            str | None,
            typer.Option(
                "--pca",
                help="Components of each block, a share of the variance, or none; default: as the features say.",
            ),
        ] = None,
        fit_on: Annotated[
            str | None,
            typer.Option(
                "--fit-on",
                help="Rows that the components are fitted on: all, train, or 'fold R/F' (both from 0); the sheet says "
                "which; default: train where rows have splits, else all.",
            ),
        ] = None,
        folds: Annotated[
            str | None,
            typer.Option("--folds", help="Folds that 'fold R/F' means; default: the only ones.", show_default=False),
        ] = None,
        force: options.Force = False,
        dry_run: options.DryRun = False,
    ) -> Outcome:
        """Features become a sheet like SFEW's, marked with what its components were fitted on."""
        from fercli.config.export import ExportConfig, check_format
        from fercli.steps import export as step

        check_format(format)
        config = ExportConfig.of(pca=options.components(pca) if pca is not None else None, fit_on=fit_on)
        request = session.request(inputs={"folds": folds})
        return step.run(artifact, out, config, request, session.store(), session.console, default_pca=pca is None)
