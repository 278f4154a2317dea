"""Which corruptions of pictures, how strong at each level, and which rows: what `fer robustness` takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from fercli.config.base import Config

Kind = Literal["noise", "blur", "jpeg", "occlusion", "resolution", "brightness", "rotation"]
HIGHEST = 5
Level = Annotated[int, Field(ge=0, le=HIGHEST)]


@dataclass(frozen=True)
class Grades:
    """How strong one kind of corruption is at levels 1 to 5. what: the quantity, with its unit, for axes and tables."""

    what: str
    strengths: tuple[float, float, float, float, float]


GRADES: Mapping[Kind, Grades] = {
    "noise": Grades("sd of Gaussian noise, in pixel values 0 to 255", (5, 10, 20, 35, 50)),
    "blur": Grades("sd of the Gaussian, in % of the shorter side", (1, 2, 3, 4.5, 6)),
    "jpeg": Grades("JPEG quality", (60, 40, 25, 15, 5)),
    "occlusion": Grades("area under a gray box, in %", (2.5, 5, 10, 20, 35)),
    "resolution": Grades("resolution kept, in % of each side", (75, 50, 35, 25, 17)),
    "brightness": Grades("change of pixel values, brighter or darker", (15, 30, 50, 75, 100)),
    "rotation": Grades("degrees, to either side", (5, 10, 15, 22, 30)),
}
KINDS: tuple[Kind, ...] = tuple(GRADES)


class RobustnessConfig(Config):
    """kinds, levels: what is done to the pictures; level 0, the clean pictures, is always among them.

    limit: at most so many rows, drawn class by class; None for all. on, split, allow_train_rows: as in `evaluate`:
    `model/` on other data instead of each fold's model on its held-out rows. draws, confidence: of the intervals.
    """

    kinds: tuple[Kind, ...] = KINDS
    levels: tuple[Level, ...] = tuple(range(HIGHEST + 1))
    limit: int | None = Field(default=None, ge=1)
    on: str | None = None
    split: Literal["train", "validation", "test"] | None = None
    allow_train_rows: bool = False
    draws: int = Field(default=2000, ge=100, le=100_000)
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    seed: int = Field(default=0, ge=0, le=2**63 - 1)

    @model_validator(mode="after")
    def _meant(self) -> Self:
        for option, values in (("--kinds", self.kinds), ("--levels", self.levels)):
            if not values:
                raise ValueError(f"{option}: name at least one")
            if len(set(values)) < len(values):
                raise ValueError(f"{option}: name each one once")
        if self.on is None and (self.split is not None or self.allow_train_rows):
            option = "--split" if self.split is not None else "--allow-train-rows"
            raise ValueError(f"{option} says which rows of --on DATA to score: give --on too")
        return self

    @property
    def graded(self) -> tuple[int, ...]:
        """The levels in rising order, without level 0."""
        return tuple(sorted(set(self.levels) - {0}))

    def stored(self) -> dict[str, Any]:
        """Every value in force, the strengths of the kinds and levels too."""
        strengths = {kind: [GRADES[kind].strengths[level - 1] for level in self.graded] for kind in self.kinds}
        return {**super().stored(), "levels": [0, *self.graded], "strengths": strengths}
