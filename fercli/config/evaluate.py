"""How runs are scored again, and what a pipeline requires of them."""

from typing import Literal, Self

from pydantic import Field, model_validator

from fercli.config.base import Config


class EvaluateConfig(Config):
    """draws, level, seed: of the bootstrap intervals. require: gates as a comma list, see `evaluation/gates.py`.

    on: data set or features on which `model/` is scored, instead of the runs' own held-out rows. split: which of its
    rows, None for all. allow_train_rows: also rows that the model was fitted on.
    """

    require: str | None = None
    on: str | None = None
    split: Literal["train", "validation", "test"] | None = None
    allow_train_rows: bool = False
    draws: int = Field(default=2000, ge=100, le=100_000)
    level: float = Field(default=0.95, gt=0.5, lt=1)
    seed: int = Field(default=0, ge=0, le=2**63 - 1)

    @model_validator(mode="after")
    def _only_on_other_data(self) -> Self:
        if self.on is None and (self.split is not None or self.allow_train_rows):
            option = "--split" if self.split is not None else "--allow-train-rows"
            raise ValueError(f"{option} says which rows of --on DATA to score: give --on too")
        return self
