"""Paired comparison of runs: what is tested, against what, and what a gate tolerates."""

from typing import Self

from pydantic import Field, model_validator

from fercli.config.base import Config


class CompareConfig(Config):
    """baseline: the run that all others are compared with; without it every pair is compared.

    margin: a run is non-inferior when its whole interval lies above -margin. tolerance: how far below the baseline's
    accuracy a run may lie before `fail_if_worse` ends with exit code 6. Both are shares of the rows, 0.01 = 1 point.
    """

    baseline: str | None = None
    margin: float | None = Field(default=None, gt=0, lt=1)
    tolerance: float = Field(default=0.0, ge=0, lt=1)
    fail_if_worse: bool = False
    common_rows: bool = False
    level: float = Field(default=0.95, gt=0.5, lt=1)
    draws: int = Field(default=2000, ge=100, le=1_000_000)
    seed: int = Field(default=0, ge=0, le=2**63 - 1)

    @model_validator(mode="after")
    def _worse_than_what(self) -> Self:
        if self.baseline is None and (self.fail_if_worse or self.tolerance):
            option = "--fail-if-worse" if self.fail_if_worse else "--tolerance"
            raise ValueError(f"{option} needs --baseline RUN, the run that the others must not fall behind")
        return self
