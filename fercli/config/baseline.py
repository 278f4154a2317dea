"""Yardsticks from scikit-learn: their names, options and bounds, and the grids that an inner choice searches."""

from collections.abc import Mapping
from itertools import product
from typing import Literal, Self, get_args

from pydantic import Field, model_validator

from fercli.config.base import Config
from fercli.config.preprocessing import PreprocessingConfig
from fercli.config.protocol import ProtocolConfig

BaselineName = Literal["majority", "lda", "logistic", "linear-svm", "rbf-svm", "knn", "forest", "mlp"]
BASELINES: tuple[BaselineName, ...] = get_args(BaselineName)
Parameters = Mapping[str, float]

# What is chosen inside the training rows; of equally good candidates the first wins, so the simplest stand first.
# gamma is in units of 1 / columns, which is scikit-learn's "scale" for z-scored columns.
GRIDS: Mapping[str, Mapping[str, tuple[float, ...]]] = {
    "logistic": {"C": (0.01, 0.1, 1.0, 10.0)},
    "linear-svm": {"C": (0.0001, 0.001, 0.01, 0.1)},
    "rbf-svm": {"C": (1.0, 10.0, 100.0), "gamma": (0.25, 1.0, 4.0)},
    "knn": {"neighbors": (25, 15, 9, 5, 3, 1)},
}
# In force where nothing may be chosen: `--monitor none`, or training rows that cannot be divided.
DEFAULTS: Mapping[str, Parameters] = {
    "logistic": {"C": 1.0},
    "linear-svm": {"C": 0.01},
    "rbf-svm": {"C": 1.0, "gamma": 1.0},
    "knn": {"neighbors": 15},
}


class TrainBaselineConfig(Config):
    """One yardstick. inner_folds, grid_rows: folds of the inner choice, and how many training rows it reads at most.

    trees: of the forest. hidden, epochs: units and passes of the MLP, which stops by neither patience nor tolerance.
    """

    model: BaselineName
    inner_folds: int = Field(default=3, ge=2, le=10)
    grid_rows: int = Field(default=4000, ge=50)
    trees: int = Field(default=300, ge=1, le=10_000)
    hidden: int = Field(default=64, ge=1, le=4096)
    epochs: int = Field(default=100, ge=1, le=100_000)
    preprocessing: PreprocessingConfig = Field(default_factory=PreprocessingConfig)
    protocol: ProtocolConfig = Field(default_factory=ProtocolConfig)

    @model_validator(mode="after")
    def _never_chosen_on_scored_rows(self) -> Self:
        if self.protocol.monitor == "validation":
            raise ValueError(
                "--monitor validation would choose on the rows that are scored: a yardstick chooses on inner rows"
            )
        return self

    def candidates(self) -> tuple[Parameters, ...]:
        """The grid, one mapping per candidate; a single one where there is nothing to choose."""
        grid = GRIDS.get(self.model, {})
        if self.protocol.monitor == "none" or not grid:
            return (self.fallback(),)
        return tuple(dict(zip(grid, values, strict=True)) for values in product(*grid.values()))

    def fallback(self) -> Parameters:
        """What holds where nothing can be chosen."""
        return DEFAULTS.get(self.model, {})
