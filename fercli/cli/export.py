"""The command that takes things out of the workspace: export."""

from pathlib import Path
from typing import Annotated

import typer

from fercli.cli import options
from fercli.cli.session import Session, command
from fercli.errors import UsageError
from fercli.records import Outcome

PANEL = "Use and share"
SHEET, MODEL = "Sheets", "Models"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "export", panel=PANEL)
    def export(
        session: Session,
        artifact: Annotated[str, typer.Argument(help="A run, or features, by name.")],
        out: Annotated[
            Path,
            typer.Option(
                "--out",
                help="File to write: .onnx, .safetensors (or a folder), .csv or .xlsx.",
                show_default=False,
            ),
        ],
        format: Annotated[
            str,
            typer.Option(
                "--format",
                help="onnx or safetensors: a run's model, checked against the run; sheet: features as name, label 1 "
                "to 7, components.",
            ),
        ] = "sheet",
        fold: Annotated[
            str | None,
            typer.Option(
                "--fold",
                help="The model of one fold, R/F, both from 0; default: the run's own.",
                rich_help_panel=MODEL,
                show_default=False,
            ),
        ] = None,
        half: Annotated[
            bool,
            typer.Option("--half", help="Matrices of a net as float16 (safetensors).", rich_help_panel=MODEL),
        ] = False,
        pca: Annotated[
            str | None,
            typer.Option(
                "--pca",
                help="Components of each block, a share of the variance, or none; default: as the features say.",
                rich_help_panel=SHEET,
            ),
        ] = None,
        fit_on: Annotated[
            str | None,
            typer.Option(
                "--fit-on",
                help="Rows that the components are fitted on: all, train, or 'fold R/F' (both from 0); the sheet says "
                "which; default: train where rows have splits, else all.",
                rich_help_panel=SHEET,
            ),
        ] = None,
        folds: Annotated[
            str | None,
            typer.Option(
                "--folds",
                help="Folds that 'fold R/F' means; default: the only ones.",
                rich_help_panel=SHEET,
                show_default=False,
            ),
        ] = None,
        force: Annotated[
            bool, typer.Option("--force", help="Replace a file of this name.", rich_help_panel=options.INPUTS)
        ] = False,
        dry_run: options.DryRun = False,
    ) -> Outcome:
        """A run's model for other programs, or features as a sheet marked with what its components were fitted on."""
        from fercli.config.export import ExportConfig, ModelExportConfig, check_format

        check_format(format)
        of_sheets = {"--pca": pca, "--fit-on": fit_on, "--folds": folds}
        of_models = {"--fold": fold, "--half": half or None}
        for option, value in (of_models if format == "sheet" else of_sheets).items():
            if value is not None:
                raise UsageError(
                    f"{option} has nothing to act on in --format {format}",
                    where=option,
                    next_step="leave it out, or take --format onnx or safetensors"
                    if format == "sheet"
                    else "leave it out, or take --format sheet",
                )
        request = session.request(inputs={"folds": folds})
        if format == "sheet":
            from fercli.steps import export as sheet

            config = ExportConfig.of(pca=options.components(pca) if pca is not None else None, fit_on=fit_on)
            return sheet.run(artifact, out, config, request, session.store(), session.console, default_pca=pca is None)
        from fercli.steps import export_model as model

        wanted = ModelExportConfig.of(format=format, fold=fold, half=half)
        return model.run(artifact, out, wanted, request, session.store(), session.console)
