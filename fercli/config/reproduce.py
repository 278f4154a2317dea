"""What `fer reproduce` runs for a paper: its protocols, the networks and the yardsticks beside them."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field

from fercli.config.base import Config
from fercli.config.baseline import BaselineName, TrainBaselineConfig
from fercli.config.bp import PruneBPConfig, TrainBPConfig
from fercli.config.protocol import ProtocolConfig

OPTIMIZERS = ("adam", "momentum", "sgd")
ProtocolKey = Literal["contiguous", "random", "films"]
# key -> how the protocol is called in tables, and the options that ask for it
PROTOCOLS: Mapping[ProtocolKey, tuple[str, Mapping[str, Any]]] = {
    "contiguous": ("rows in file order", {"scheme": "contiguous"}),
    "random": ("random folds", {"scheme": "stratified", "allow_group_leak": True}),
    "films": ("whole films", {"scheme": "auto"}),
}


class ReproduceXuConfig(Config):
    """Xu's features half. k, repeats: of the folds; contiguous folds have one repeat. The rest: of the network."""

    k: int = Field(default=20, ge=2)
    repeats: int = Field(default=5, ge=1, le=1000)
    seed: int = Field(default=2026, ge=0, le=2**63 - 1)
    hidden: int = Field(default=64, ge=2, le=4096)
    epochs: int = Field(default=40, ge=1, le=100_000)
    retrain_epochs: int = Field(default=5, ge=1, le=100_000)
    baselines: tuple[BaselineName, ...] = ("lda", "rbf-svm", "forest")
    trees: int = Field(default=300, ge=1, le=10_000)
    smoke: bool = False

    @classmethod
    def smoked(cls, seed: int) -> Self:
        """Minutes on a CPU: everything runs, nothing is the paper's protocol."""
        return cls.of(k=4, repeats=1, seed=seed, hidden=16, epochs=10, retrain_epochs=1, baselines=("lda",), smoke=True)

    def protocol(self, key: ProtocolKey, *, repeats: int | None = None) -> ProtocolConfig:
        """One of the protocols; no final model, because nothing is to be used afterwards."""
        count = 1 if key == "contiguous" else (repeats or self.repeats)
        return ProtocolConfig.of(
            k=self.k, repeats=count, seed=self.seed, pool_splits=True, final_model=False, **PROTOCOLS[key][1]
        )

    def pruning(self, key: ProtocolKey) -> PruneBPConfig:
        """The network of a protocol and its pruning, with the paper's thresholds."""
        return PruneBPConfig.of(
            hidden=self.hidden,
            epochs=self.epochs,
            retrain_epochs=self.retrain_epochs,
            protocol=self.protocol(key),
        )

    def training(self, optimizer: str) -> TrainBPConfig:
        """One optimizer of Xu's figure 2, on whole films."""
        protocol = self.protocol("films", repeats=1)
        return TrainBPConfig.of(hidden=self.hidden, epochs=self.epochs, optimizer=optimizer, protocol=protocol)

    def yardstick(self, key: ProtocolKey, model: str) -> TrainBaselineConfig:
        """A baseline under a protocol."""
        return TrainBaselineConfig.of(model=model, trees=self.trees, protocol=self.protocol(key))
