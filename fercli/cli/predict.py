"""The command that uses what was trained: predict."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from fercli.cli import face_options, options, streams
from fercli.cli.face_options import FACES
from fercli.cli.session import Session, command
from fercli.records import Outcome

PANEL = "Use and share"
READING = "What is read"


def _write(text: str) -> None:
    """Rows as they come, for whoever reads the other end of a pipe."""
    with streams.written():
        sys.stdout.write(text)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "predict", panel=PANEL)
    def predict(
        session: Session,
        sources: Annotated[
            list[str] | None,
            typer.Argument(metavar="SOURCE", help="Pictures, folders, globs, archives, videos.", show_default=False),
        ] = None,
        model: Annotated[
            str | None,
            typer.Option(
                "--model",
                metavar="RUN|FILE",
                help="A run, or a file of fer export; default: the small network that ships in the package.",
                rich_help_panel=options.INPUTS,
                show_default=False,
            ),
        ] = None,
        out: Annotated[
            Path | None,
            typer.Option(
                "--out",
                metavar="FILE.csv",
                help="One row per face; default: as CSV on stdout.",
                rich_help_panel=options.INPUTS,
                show_default=False,
            ),
        ] = None,
        annotate: Annotated[
            Path | None,
            typer.Option(
                "--annotate",
                metavar="DIR",
                help="Write the pictures there, with boxes and labels.",
                rich_help_panel=options.INPUTS,
                show_default=False,
            ),
        ] = None,
        faces: Annotated[
            str, typer.Option("--faces", help="crop: find faces; whole: a picture is a face.", rich_help_panel=FACES)
        ] = "crop",
        which: Annotated[
            str, typer.Option("--which", help="all, largest or central, of several faces.", rich_help_panel=FACES)
        ] = "all",
        margin: Annotated[
            float | None,
            typer.Option(
                "--margin",
                help="Share of the box added on each side; default: as the model's data set was cut, else 0.02.",
                rich_help_panel=FACES,
                show_default=False,
            ),
        ] = None,
        align: Annotated[
            bool | None,
            typer.Option(
                "--align/--no-align",
                help="Turn faces until their eyes, where found, are level; default: as the data set was cut, else so.",
                rich_help_panel=FACES,
                show_default=False,
            ),
        ] = None,
        min_face: face_options.MinFace = None,
        detector: face_options.Detector = "viola-jones",
        detector_model: face_options.DetectorModel = None,
        no_face: Annotated[
            str,
            typer.Option(
                "--no-face",
                help="A picture without one: keep (a row), skip (none), fail (a row, and exit 3 at the end).",
                rich_help_panel=FACES,
            ),
        ] = "keep",
        min_confidence: Annotated[
            float, typer.Option("--min-confidence", help="Abstain where the largest probability is below.")
        ] = 0.0,
        webcam: Annotated[
            int | None,
            typer.Option(
                "--webcam",
                metavar="N",
                min=0,
                help="Camera N, until stopped.",
                rich_help_panel=READING,
                show_default=False,
            ),
        ] = None,
        every: Annotated[
            int, typer.Option("--every", help="Take each N-th frame of a video.", rich_help_panel=READING)
        ] = 1,
        limit: Annotated[
            int | None,
            typer.Option(
                "--limit", help="At most so many frames of each video.", rich_help_panel=READING, show_default=False
            ),
        ] = None,
        max_pixels: Annotated[
            int,
            typer.Option("--max-pixels", help="Larger pictures are refused undecoded.", rich_help_panel=READING),
        ] = 64_000_000,
        batch_size: Annotated[
            int, typer.Option("--batch-size", help="Faces scored at a time.", rich_help_panel=options.RUNNING)
        ] = 64,
        device: Annotated[
            str,
            typer.Option("--device", help="Of nets: cpu, cuda, cuda:N, mps or auto.", rich_help_panel=options.RUNNING),
        ] = "cpu",
        threads: options.Threads = None,
        dry_run: options.DryRun = False,
    ) -> Outcome:
        """Labels, probabilities and boxes for faces in pictures, videos or before a camera."""
        from fercli.config.predict import PredictConfig
        from fercli.steps import predict as step

        if faces == "whole":
            session.refuse_idle("min_face", "which", without="--faces crop")
        # Left out is not the same as the default: the model's own data set then says how its faces were cut.
        cutting = {key: value for key, value in (("margin", margin), ("align", align)) if value is not None}
        config = PredictConfig.of(
            faces=faces,
            which=which,
            min_face=min_face,
            detector=detector,
            detector_model=None if detector_model is None else str(detector_model),
            no_face=no_face,
            min_confidence=min_confidence,
            every=every,
            limit=limit,
            max_pixels=max_pixels,
            batch_size=batch_size,
            **cutting,
        )
        wants_json = session.console.json_wanted
        return step.run(
            sources or (),
            webcam,
            config,
            session.request(),
            session.store(),
            session.console,
            model=model,
            out=out,
            annotate=annotate,
            device=device,
            write=None if wants_json else _write,
            keep_rows=wants_json,
        )
