"""How much of a run is fitted and scored again to check it."""

from pydantic import Field

from fercli.config.base import Config


class VerifyConfig(Config):
    """folds_sampled: folds of each run whose fits are computed again, None for all. seed: which ones.

    retrain: of runs on columns, train those folds again too.
    """

    folds_sampled: int | None = Field(default=1, ge=1)
    retrain: bool = False
    seed: int = Field(default=0, ge=0, le=2**63 - 1)
