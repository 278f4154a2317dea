"""Options of `synthesize`: how many faces are drawn, how large and how hard to tell apart."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from fercli.config.base import Config
from fercli.config.import_dataset import parse_size


class SynthesizeConfig(Config):
    """Everything that changes a drawn face.

    subjects: disjoint identities, one group each. images_per_subject: faces of each, the seven expressions in turn.
    size: (height, width) of the picture in pixels, also given as "N" or "HxW".
    face_height: height of the head as a share of the picture's height; above 1 a close-up that cuts hair and ears.
    difficulty: 0 (posed, frontal) to 1 (subtle and mixed expressions; pose and light vary half as much).
    """

    options: ClassVar[Mapping[str, str]] = {"images_per_subject": "--images"}

    subjects: int = Field(default=40, ge=1, le=100_000)
    images_per_subject: int = Field(default=21, ge=1, le=10_000)
    size: tuple[int, int] = (48, 48)
    color: Literal["gray", "rgb"] = "gray"
    face_height: float = Field(default=1.5, ge=0.1, le=1.8)
    difficulty: float = Field(default=0.4, ge=0.0, le=1.0)
    seed: int = Field(default=0, ge=0, le=2**63 - 1)

    @field_validator("size", mode="before")
    @classmethod
    def _size_from_text(cls, value: Any) -> Any:
        if isinstance(value, int):
            return value, value
        return parse_size(value) if isinstance(value, str) else value

    @field_validator("size")
    @classmethod
    def _size_in_bounds(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not all(24 <= side <= 4096 for side in value):
            raise ValueError(f"sides of {value[0]}x{value[1]} pixels are outside 24 to 4096")
        return value
