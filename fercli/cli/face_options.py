"""Options about faces that import-dataset and predict share."""

from pathlib import Path
from typing import Annotated

import typer

FACES = "Faces"
# As in config/faces.py, which the help does without: it would load pydantic.
DEFAULT_MARGIN = 0.02

Margin = Annotated[
    float, typer.Option("--margin", help="Share of the box added on each side of a face.", rich_help_panel=FACES)
]
Align = Annotated[
    bool,
    typer.Option(
        "--align/--no-align", help="Turn faces until their eyes, where found, are level.", rich_help_panel=FACES
    ),
]
MinFace = Annotated[
    int | None,
    typer.Option(
        "--min-face",
        help="Smallest face in pixels; default: a twentieth of the picture's shorter side, 24 at least.",
        rich_help_panel=FACES,
        show_default=False,
    ),
]
Detector = Annotated[
    str,
    typer.Option(
        "--detector", help="viola-jones (OpenCV's cascades) or yunet (with --detector-model).", rich_help_panel=FACES
    ),
]
DetectorModel = Annotated[
    Path | None,
    typer.Option("--detector-model", help="YuNet's ONNX file.", rich_help_panel=FACES, show_default=False),
]
