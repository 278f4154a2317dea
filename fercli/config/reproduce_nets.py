"""What `fer reproduce du` and `fer reproduce xu-resnet` run: the papers' networks, their recipes and protocols."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field

from fercli.config.base import Config
from fercli.config.protocol import ProtocolConfig
from fercli.config.resnet import ResNetConfig

DU_VARIANTS = ("resnet50", "du-improved-resnet50")
FramesKey = Literal["random", "films"]
# key -> how the protocol is called in tables, and the options that ask for it
FRAME_PROTOCOLS: Mapping[FramesKey, tuple[str, Mapping[str, Any]]] = {
    "random": ("random folds", {"scheme": "stratified", "allow_group_leak": True}),
    "films": ("whole films", {"scheme": "auto"}),
}
FRAME_WORDS: Mapping[str, str] = {key: words for key, (words, _) in FRAME_PROTOCOLS.items()}
# Width, height of SFEW's frames as Xu gives them.
FRAME_SIZE = (720, 576)


class ReproduceDuConfig(Config):
    """Du: both networks, `seeds` times from `seed` on; the callbacks watch the validation rows, as the paper's do.

    with_images: show figure 1, examples of the data set.
    """

    paper: Literal["du"] = "du"
    epochs: int = Field(default=30, ge=1, le=100_000)
    seeds: int = Field(default=3, ge=1, le=100)
    seed: int = Field(default=2026, ge=0, le=2**62)
    smoke: bool = False
    with_images: bool = False

    @classmethod
    def smoked(cls, seed: int, *, with_images: bool = False) -> Self:
        """Minutes on a CPU: everything runs, nothing is the paper's protocol."""
        return cls.of(epochs=2, seeds=1, seed=seed, smoke=True, with_images=with_images)

    def training(self, variant: str) -> ResNetConfig:
        """The recipe of one of `DU_VARIANTS`."""
        return ResNetConfig.of_recipe("du", variant=variant, epochs=self.epochs)

    def protocol(self, seed: int) -> ProtocolConfig:
        """The official split; a smoke run has none and takes two folds."""
        if self.smoke:
            return ProtocolConfig.of(k=2, seed=seed, final_model=False)
        return ProtocolConfig.of(scheme="official", monitor="validation", seed=seed)


class ReproduceFramesConfig(Config):
    """Xu's ResNet on SFEW's frames. k = 5: each random fold is one 80/20 split."""

    paper: Literal["xu-resnet"] = "xu-resnet"
    k: int = Field(default=5, ge=2)
    epochs: int = Field(default=30, ge=1, le=100_000)
    seed: int = Field(default=2026, ge=0, le=2**62)
    smoke: bool = False

    @classmethod
    def smoked(cls, seed: int) -> Self:
        """Minutes on a CPU: everything runs, nothing is the paper's protocol."""
        return cls.of(k=2, epochs=2, seed=seed, smoke=True)

    @property
    def training(self) -> ResNetConfig:
        """The recipe, the same under each protocol."""
        return ResNetConfig.of_recipe("xu", epochs=self.epochs)

    def protocol(self, key: FramesKey) -> ProtocolConfig:
        """One of the protocols; no final model, because nothing is to be used afterwards."""
        return ProtocolConfig.of(k=self.k, seed=self.seed, final_model=False, **FRAME_PROTOCOLS[key][1])
