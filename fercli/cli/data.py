"""Commands that bring data in: synthesize, import-dataset, import-features."""

from pathlib import Path
from typing import Annotated

import typer

from fercli.cli import face_options, options
from fercli.cli.session import Session, command
from fercli.records import Outcome

PANEL = "Bring data in"


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""

    @command(app, "synthesize", panel=PANEL)
    def synthesize(
        session: Session,
        subjects: Annotated[int, typer.Option("--subjects", help="Different people, one group each.")] = 40,
        images: Annotated[int, typer.Option("--images", help="Faces of each, the seven expressions in turn.")] = 21,
        size: Annotated[str, typer.Option("--size", help="N or HxW in pixels.")] = "48",
        color: Annotated[str, typer.Option("--color", help="gray or rgb.")] = "gray",
        face_height: Annotated[
            float, typer.Option("--face-height", help="Head's height as a share of the picture's; above 1 a close-up.")
        ] = 1.5,
        difficulty: Annotated[
            float, typer.Option("--difficulty", help="0 (posed) to 1 (subtle and mixed expressions).")
        ] = 0.4,
        name: options.Name = None,
        seed: options.Seed = 0,
        force: options.Force = False,
        dry_run: options.DryRun = False,
    ) -> Outcome:
        """Draw a data set of faces: seven expressions from action units, disjoint subjects, exact labels."""
        from fercli.config.synthesize import SynthesizeConfig
        from fercli.steps import synthesize as step

        config = SynthesizeConfig.of(
            subjects=subjects,
            images_per_subject=images,
            size=size,
            color=color,
            face_height=face_height,
            difficulty=difficulty,
            seed=seed,
        )
        return step.run(config, session.request(name=name), session.store(), session.console)

    @command(app, "import-dataset", panel=PANEL)
    def import_dataset(
        session: Session,
        source: Annotated[Path, typer.Argument(help="Folder, .zip or .tar.* of pictures, or a CSV.")],
        format: Annotated[
            str, typer.Option("--format", help="auto, fer2013-folders, class-folders, sfew … (a wrong name lists all).")
        ] = "auto",
        faces: Annotated[
            str,
            typer.Option("--faces", help="whole, or crop: a face of each picture.", rich_help_panel=face_options.FACES),
        ] = "whole",
        which: Annotated[
            str,
            typer.Option("--which", help="largest or central, of several faces.", rich_help_panel=face_options.FACES),
        ] = "largest",
        margin: face_options.Margin = face_options.DEFAULT_MARGIN,
        align: face_options.Align = True,
        min_face: face_options.MinFace = None,
        detector: face_options.Detector = "viola-jones",
        detector_model: face_options.DetectorModel = None,
        no_face: Annotated[
            str,
            typer.Option(
                "--no-face",
                help="A picture without one: skip (left out, and listed), keep (whole), fail (exit 3).",
                rich_help_panel=face_options.FACES,
            ),
        ] = "skip",
        size: Annotated[
            str | None, typer.Option("--size", help="N or HxW in pixels; needed when sizes differ.", show_default=False)
        ] = None,
        fit: Annotated[str, typer.Option("--fit", help="How a picture comes to --size: pad, crop or stretch.")] = "pad",
        color: Annotated[str, typer.Option("--color", help="auto (as the files are), gray or rgb.")] = "auto",
        name: options.Name = None,
        force: options.Force = False,
        dry_run: options.DryRun = False,
    ) -> Outcome:
        """Pictures become a data set; nothing is unpacked, nothing is dropped in silence."""
        from fercli.config.import_dataset import ImportDatasetConfig
        from fercli.steps import import_dataset as step

        config = ImportDatasetConfig.of(
            format=format,
            faces=faces,
            which=which,
            margin=margin,
            align=align,
            min_face=min_face,
            detector=detector,
            detector_model=None if detector_model is None else str(detector_model),
            no_face=no_face,
            size=size,
            fit=fit,
            color=color,
        )
        return step.run(source, config, session.request(name=name), session.store(), session.console)

    @command(app, "import-features", panel=PANEL)
    def import_features(
        session: Session,
        sheet: Annotated[Path, typer.Argument(help="CSV or XLSX: the SFEW sheet, or a header id,label,… row.")],
        format: Annotated[str, typer.Option("--format", help="auto, sfew or table.")] = "auto",
        name: options.Name = None,
        force: options.Force = False,
        dry_run: options.DryRun = False,
    ) -> Outcome:
        """A feature table that somebody else made becomes features."""
        from fercli.config.import_features import ImportFeaturesConfig
        from fercli.steps import import_features as step

        config = ImportFeaturesConfig.of(format=format)
        return step.run(sheet, config, session.request(name=name), session.store(), session.console)
