"""Variants, options and recipes of `train-resnet`, as data; nothing here loads torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from fercli.config.base import Config
from fercli.config.resnet_recipes import RECIPES
from fercli.errors import UsageError

Stem = Literal["imagenet", "small", "small-pool"]
Optimizer = Literal["adam", "adamw", "sgd", "momentum", "nesterov"]
Schedule = Literal["constant", "cosine", "plateau"]
Precision = Literal["auto", "fp32", "bf16"]
ViewSet = Literal["none", "flip", "ten-crop"]


@dataclass(frozen=True)
class Variant:
    """One architecture: where it comes from, which options it has a part for, and their defaults.

    equal_channels: gray pictures enter as three equal channels (as in Du's 48x48x3 input); otherwise a gray
    data set gets a stem of one channel. imagenet: name of torchvision's ImageNet weights, "" where none exist.
    """

    name: str
    source: str
    options: Mapping[str, Any] = field(default_factory=dict)
    equal_channels: bool = False
    imagenet: str = ""


def _residual(name: str, source: str, weights: str, *, equal_channels: bool = False, **more: Any) -> Variant:
    options = MappingProxyType({"stem": "imagenet", "se": False, "dropout": 0.0, "drop_path": 0.0, **more})
    return Variant(name, source, options, equal_channels, weights)


VARIANTS: Mapping[str, Variant] = MappingProxyType(
    {
        variant.name: variant
        for variant in (
            _residual("xu-resnet", "Xu (ANU), section 2.2: 8 basic blocks", "ResNet18_Weights.IMAGENET1K_V1"),
            Variant("cnn", "VGG-like, no shortcuts: Xu's future work", MappingProxyType({"width": 32, "dropout": 0.0})),
            _residual(
                "resnet50", "He et al. 2015, v1.5; Du's baseline", "ResNet50_Weights.IMAGENET1K_V1", equal_channels=True
            ),
            _residual(
                "du-improved-resnet50",
                "Du 2023, figure 2: two fully connected blocks",
                "ResNet50_Weights.IMAGENET1K_V1",
                equal_channels=True,
                dropout=0.5,
                head_width=64,
            ),
            _residual("resnet18", "He et al. 2015", "ResNet18_Weights.IMAGENET1K_V1"),
            _residual("resnet34", "He et al. 2015", "ResNet34_Weights.IMAGENET1K_V1"),
            _residual("resnet101", "He et al. 2015, v1.5", "ResNet101_Weights.IMAGENET1K_V1"),
            _residual("resnet152", "He et al. 2015, v1.5", "ResNet152_Weights.IMAGENET1K_V1"),
            _residual("wide_resnet50_2", "Zagoruyko and Komodakis 2016", "Wide_ResNet50_2_Weights.IMAGENET1K_V1"),
            _residual("resnext50_32x4d", "Xie et al. 2017", "ResNeXt50_32X4D_Weights.IMAGENET1K_V1"),
            Variant(
                "googlenet",
                "Szegedy et al. 2015, no auxiliary outputs: Xu's future work",
                MappingProxyType({"dropout": 0.2}),
                imagenet="GoogLeNet_Weights.IMAGENET1K_V1",
            ),
        )
    }
)

# Options that change the shape of a network; each variant has a part for some of them.
SHAPING = ("stem", "se", "dropout", "drop_path", "head_width", "width")
_WIDEST = 4096
_LARGEST = 4096


class Architecture(Config):
    """Everything that fixes the shape of a network; stored beside its weights in `model.json`.

    size: height and width of the pictures in pixels. channels: of the pictures, 1 or 3. crop: side of the square part
    of a picture that the network sees; 0 = all of it. Options that the variant has no part for are None.
    """

    variant: str
    size: tuple[int, int]
    channels: Literal[1, 3]
    classes: int = Field(ge=2)
    equal_channels: bool = False
    crop: int = Field(default=0, ge=0, le=_LARGEST)
    stem: Stem | None = None
    se: bool | None = None
    dropout: float | None = Field(default=None, ge=0, lt=1)
    drop_path: float | None = Field(default=None, ge=0, lt=1)
    head_width: int | None = Field(default=None, ge=1, le=_WIDEST)
    width: int | None = Field(default=None, ge=1, le=_WIDEST)

    @model_validator(mode="after")
    def _a_crop_fits(self) -> Self:
        if self.crop > min(self.size):
            raise ValueError(f"crops of {self.crop} pixels do not fit into pictures of {self.size[0]}x{self.size[1]}")
        return self

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of what enters the network."""
        return (self.crop, self.crop) if self.crop else self.size

    @classmethod
    def of_variant(
        cls,
        name: str,
        size: tuple[int, int],
        channels: int,
        classes: int,
        *,
        pretrained: bool = False,
        crop: int = 0,
        **options: Any,
    ) -> Self:
        """The variant at this input with `options` over its defaults (None = the default).

        pretrained: weights come from three-channel pictures, so gray ones enter as three equal channels.
        Raises UsageError for an unknown variant, an option that the variant has no part for, or a crop larger than the
        pictures.
        """
        if crop > min(size):
            raise UsageError(
                f"crops of {crop}x{crop} pixels do not fit into pictures of {size[0]}x{size[1]}",
                where=f"--crop {crop}",
                next_step=f"take --crop {min(size)} or less; 0 = the whole picture",
            )
        variant = variant_of(name)
        given = {option: value for option, value in options.items() if value is not None}
        for option in given:
            if option not in variant.options:
                owners = [other.name for other in VARIANTS.values() if option in other.options]
                raise UsageError(
                    f"--{option.replace('_', '-')} has no part to act on in {name}",
                    where=f"--variant {name}",
                    next_step=f"leave the option out, or take one of {', '.join(owners)}",
                )
        return cls.of(
            variant=name,
            size=size,
            channels=channels,
            classes=classes,
            equal_channels=channels == 1 and (variant.equal_channels or pretrained),
            crop=crop,
            **{**variant.options, **given},
        )


def variant_of(name: str) -> Variant:
    """The variant called `name`; UsageError that lists them all otherwise."""
    if name not in VARIANTS:
        raise UsageError(
            f"there is no variant {name!r}", where=f"--variant {name}", next_step=f"take one of {', '.join(VARIANTS)}"
        )
    return VARIANTS[name]


class ResNetConfig(Config):
    """How a network is trained; every value that can change a result, each with its bounds.

    precision: auto becomes bf16 on a GPU that has it, else fp32, before it is stored; scores are in fp32 always.
    compile: whether the training pass is compiled, which rounds differently.
    batch_size: pictures per forward pass; one optimizer step sees batch_size * accumulate of them.
    se: squeeze-and-excitation in every residual block. drop_path: stochastic depth, the last block's probability.
    lr: at the start. schedule: constant, cosine to 0 after `warmup` epochs, or plateau (times `plateau_factor` when
    the monitored loss has not fallen for `plateau_patience` epochs, never below `min_lr`).
    patience: early stopping, in epochs without a lower monitored loss; 0 = off. keep: weights of the last epoch or of
    the one with the lowest monitored loss. ema: the average of the weights that is monitored, kept and scored reaches
    back so many epochs (0 = off).
    shift: pixels of random translation (crop after padding); rotate: degrees; scale: share of the size; brightness:
    share of the brightness; erase: probability of a blanked rectangle. crop: side of a random square part in training,
    of the views in scoring; 0 = the whole picture. mixup, cutmix: of the Beta distributions that batches are mixed by;
    0 = off. views: what a picture is scored by, the mean of the probabilities.
    class_weights: balanced = every class of the training rows weighs the same in the loss. distil_from: a run whose
    network of the same fold is learned from; distil_weight: its part of the loss; distil_temperature: what both
    networks' logits are divided by for it.
    """

    variant: str = "xu-resnet"
    recipe: str = "default"
    stem: Stem | None = None
    se: bool | None = None
    dropout: float | None = Field(default=None, ge=0, lt=1)
    drop_path: float | None = Field(default=None, ge=0, lt=1)
    head_width: int | None = Field(default=None, ge=1, le=_WIDEST)
    width: int | None = Field(default=None, ge=1, le=_WIDEST)
    weights: str = "none"
    precision: Precision = "auto"
    compile: bool = False
    epochs: int = Field(default=15, ge=1, le=100_000)
    batch_size: int = Field(default=64, ge=1, le=65_536)
    accumulate: int = Field(default=1, ge=1, le=4096)
    optimizer: Optimizer = "adamw"
    lr: float = Field(default=2e-3, gt=0, le=100)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    weight_decay: float = Field(default=0.01, ge=0, le=10)
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    schedule: Schedule = "cosine"
    warmup: float = Field(default=1.0, ge=0)
    plateau_factor: float = Field(default=0.5, gt=0, lt=1)
    plateau_patience: int = Field(default=20, ge=1)
    min_lr: float = Field(default=1e-10, ge=0)
    patience: int = Field(default=0, ge=0)
    keep: Literal["last", "best"] = "last"
    ema: float = Field(default=0.0, ge=0, le=1000)
    flip: bool = True
    shift: int = Field(default=4, ge=0, le=512)
    crop: int = Field(default=0, ge=0, le=_LARGEST)
    rotate: float = Field(default=10.0, ge=0, le=180)
    scale: float = Field(default=0.0, ge=0, lt=1)
    brightness: float = Field(default=0.1, ge=0, lt=1)
    erase: float = Field(default=0.0, ge=0, le=1)
    mixup: float = Field(default=0.0, ge=0, le=100)
    cutmix: float = Field(default=0.0, ge=0, le=100)
    class_weights: Literal["none", "balanced"] = "none"
    distil_from: str | None = None
    distil_weight: float = Field(default=0.5, gt=0, le=1)
    distil_temperature: float = Field(default=1.0, gt=0, le=100)
    views: ViewSet = "none"

    @model_validator(mode="after")
    def _has_a_teacher(self) -> Self:
        fields = type(self).model_fields
        for name in ("distil_weight", "distil_temperature"):
            if self.distil_from is None and getattr(self, name) != fields[name].default:
                raise ValueError(f"--{name.replace('_', '-')} has no teacher to act on: give --distil-from RUN too")
        return self

    @model_validator(mode="after")
    def _nesterov_has_momentum(self) -> Self:
        if self.optimizer == "nesterov" and self.momentum == 0:
            raise ValueError("--optimizer nesterov looks ahead by its momentum: give a --momentum above 0")
        return self

    @model_validator(mode="after")
    def _warm_up_ends(self) -> Self:
        if self.schedule == "cosine" and self.warmup >= self.epochs > 1:
            raise ValueError(f"--warmup {self.warmup:g} must end before --epochs {self.epochs}")
        return self

    @property
    def chooses(self) -> bool:
        """Whether monitored rows decide anything: an epoch, or when the learning rate falls."""
        return self.needs_monitor or self.schedule == "plateau"

    @property
    def needs_monitor(self) -> bool:
        """Whether an epoch is chosen, so that rows to choose on must exist; a plateau can follow the training loss."""
        return self.patience > 0 or self.keep == "best"

    @classmethod
    def of_recipe(cls, recipe: str = "default", **values: Any) -> Self:
        """The recipe's values with `values` over them (None = the recipe's); UsageError for an unknown recipe."""
        if recipe not in RECIPES:
            raise UsageError(
                f"there is no recipe {recipe!r}",
                where=f"--recipe {recipe}",
                next_step=f"take one of {', '.join(RECIPES)}",
            )
        given = {name: value for name, value in values.items() if value is not None}
        chosen = {**RECIPES[recipe], **given, "recipe": recipe}
        # Another variant than the recipe's need not have a part for each of the recipe's options.
        parts = variant_of(chosen.get("variant", cls.model_fields["variant"].default)).options
        without = [name for name in SHAPING if name in chosen and name not in given and name not in parts]
        return cls.of(**{name: value for name, value in chosen.items() if name not in without})

    def architecture(self, size: tuple[int, int], channels: int, classes: int) -> Architecture:
        """The network for pictures of this size; raises UsageError for an option without a part."""
        return Architecture.of_variant(
            self.variant,
            size,
            channels,
            classes,
            pretrained=self.weights != "none",
            crop=self.crop,
            **{option: getattr(self, option) for option in SHAPING},
        )
