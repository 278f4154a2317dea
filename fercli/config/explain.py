"""What `fer explain` shows: where a net looks, which features count, what the descriptors see."""

from typing import Literal, Self

from pydantic import Field, model_validator

from fercli.config.base import Config

PREDICTED, TRUTH = "predicted", "truth"


class ExplainConfig(Config):
    """What is explained of a run, and on which rows.

    target: the class whose evidence a net's maps show: `predicted`, `truth` or the name of a class. samples: pictures
    of each class that are shown, so many right and so many wrong. limit: at most so many rows, drawn class by class;
    None for all. permutations: of the rows, for each block and component. components: of each block, the first.
    on, split, allow_train_rows: as in `evaluate`. one_picture: a file or a row instead of many. faces: of a file, the
    largest face as `predict` cuts it (`crop`) or all of it (`whole`). draws, confidence: of the intervals.
    """

    target: str = Field(default=PREDICTED, min_length=1)
    samples: int = Field(default=4, ge=0, le=32)
    limit: int | None = Field(default=None, ge=1)
    permutations: int = Field(default=10, ge=2, le=1000)
    components: int = Field(default=20, ge=0, le=10_000)
    on: str | None = None
    split: Literal["train", "validation", "test"] | None = None
    allow_train_rows: bool = False
    one_picture: bool = False
    faces: Literal["crop", "whole"] = "crop"
    draws: int = Field(default=2000, ge=100, le=100_000)
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    seed: int = Field(default=0, ge=0, le=2**63 - 1)

    @model_validator(mode="after")
    def _only_on_other_data(self) -> Self:
        if self.faces == "whole" and not self.one_picture:
            raise ValueError("--faces says how a file is looked at: give --picture FILE too")
        if self.one_picture:
            if self.on is not None or self.split is not None:
                raise ValueError("--picture and --sample are one picture, --on is a data set: give one of them")
            return self
        if self.on is None and (self.split is not None or self.allow_train_rows):
            option = "--split" if self.split is not None else "--allow-train-rows"
            raise ValueError(f"{option} says which rows of --on DATA to look at: give --on too")
        return self
