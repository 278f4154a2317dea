"""The sigmoid back-propagation network and its pruning: every option, its default and its bounds."""

from typing import Literal, Self

from pydantic import Field, model_validator

from fercli.config.base import Config
from fercli.config.preprocessing import PreprocessingConfig
from fercli.config.protocol import ProtocolConfig


class TrainBPConfig(Config):
    """One hidden layer of sigmoid units, as Xu describes it; what the paper leaves open was set on inner rows.

    loss: bce, mse, or ce (minus log of the true output over the sum of outputs). batch_size 0: all rows at once.
    patience: epochs without a lower loss on the inner rows before a network stops; None trains all `epochs`.
    """

    hidden: int = Field(default=64, ge=1, le=4096)
    optimizer: Literal["adam", "sgd", "momentum"] = "adam"
    loss: Literal["mse", "bce", "ce"] = "ce"
    output: Literal["sigmoid", "softmax"] = "sigmoid"
    epochs: int = Field(default=40, ge=1, le=100_000)
    batch_size: int = Field(default=32, ge=0)
    lr: float = Field(default=0.01, gt=0, le=100)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    weight_decay: float = Field(default=0.0, ge=0, le=10)
    patience: int | None = Field(default=None, ge=1)
    precision: Literal["float32", "float64"] = "float32"
    preprocessing: PreprocessingConfig = Field(default_factory=PreprocessingConfig)
    protocol: ProtocolConfig = Field(default_factory=ProtocolConfig)

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        if self.output == "softmax" and self.loss == "bce":
            raise ValueError("--loss bce needs --output sigmoid: its units are told apart one by one")
        if self.patience is not None and self.protocol.monitor == "none":
            raise ValueError("--patience stops early by monitored rows, and --monitor none leaves none")
        return self


class PruneBPConfig(TrainBPConfig):
    """Removal of redundant hidden units; the thresholds are those of Xu (section 2.1.2).

    dead: sum of a unit's outputs over the training patterns. saturated: its mean output. correlated: |r| of two
    units. angle: degrees from parallel or antiparallel, read only with `criterion="angle"`. until_worse: go on with the
    unit least missed, to the smallest size that an inner cross validation with `inner_k` folds finds as good: within
    `standard_errors` of the best mean log loss.
    """

    dead: float = Field(default=0.01, ge=0)
    saturated: float = Field(default=0.9, gt=0, le=1)
    correlated: float = Field(default=0.9, gt=0, le=1)
    criterion: Literal["correlation", "angle"] = "correlation"
    angle: float = Field(default=15.0, ge=0, le=90)
    absorb: bool = False
    until_worse: bool = False
    inner_k: int = Field(default=5, ge=2, le=100)
    standard_errors: float = Field(default=1.0, ge=0, le=10)
    all_at_once: bool = False
    retrain_epochs: int = Field(default=5, ge=1, le=100_000)
    max_rounds: int = Field(default=1000, ge=1, le=100_000)
