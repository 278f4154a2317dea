"""Options of `import-dataset`: how files become the rows of a data set."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from fercli.config.faces import FACE_FIELDS, FacesConfig

SIDE_BOUNDS = (4, 8192)


def parse_size(value: str) -> tuple[int, int]:
    """(height, width) from `N` or `HxW`; ValueError says what is wrong."""
    parts = value.lower().replace("×", "x").split("x")
    if len(parts) > 2 or not all(part.strip().isdecimal() for part in parts):
        raise ValueError(f"{value!r} is neither N nor HxW, e.g. 48 or 576x720")
    sides = [int(part) for part in parts]
    return sides[0], sides[-1]


class ImportDatasetConfig(FacesConfig):
    """Everything that changes the rows or pixels of an imported data set.

    format: auto, or a name in `datasets.formats`, which refuses any other. size: (height, width), also given as "N" or
    "HxW"; None keeps the size of the files. which, no_face: of several
    faces in a picture, and what becomes of one without: left out by name, kept whole, or the end of the import.
    """

    format: str = "auto"
    faces: Literal["whole", "crop"] = "whole"
    which: Literal["largest", "central"] = "largest"
    no_face: Literal["skip", "keep", "fail"] = "skip"
    size: tuple[int, int] | None = Field(default=None)
    fit: Literal["pad", "crop", "stretch"] = "pad"
    color: Literal["auto", "gray", "rgb"] = "auto"

    @field_validator("size", mode="before")
    @classmethod
    def _size_from_text(cls, value: Any) -> Any:
        if isinstance(value, int):
            return value, value
        return parse_size(value) if isinstance(value, str) else value

    @field_validator("size")
    @classmethod
    def _size_in_bounds(cls, value: tuple[int, int] | None) -> tuple[int, int] | None:
        low, high = SIDE_BOUNDS
        if value is not None and not all(low <= side <= high for side in value):
            raise ValueError(f"sides of {value[0]}x{value[1]} pixels are outside {low} to {high}")
        return value

    def stored(self) -> dict[str, Any]:
        """The values in force; those about faces only where faces are cropped, a network by its name (its bytes are
        a parent)."""
        values = super().stored()
        if self.faces == "whole":
            return {name: value for name, value in values.items() if name not in FACE_FIELDS | {"which", "no_face"}}
        return {**values, "detector_model": self.detector_model and Path(self.detector_model).name}
