"""Which descriptors to extract, with which parameters: bounds and presets as data."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from fercli.config.base import Config
from fercli.errors import UsageError

Canny = Literal["matlab", "matlab-2011", "matlab-2010", "opencv"]
Frequency = Literal["uniform", "gaussian", "quadrature"]


def _grid(value: Any) -> Any:
    """`4x4` (rows x columns) or `4` (as many of both), as a user writes it."""
    if not isinstance(value, str):
        return value
    parts = value.lower().split("x")
    if len(parts) > 2 or not all(part.strip().isdecimal() for part in parts):
        raise ValueError(f"a grid is written ROWSxCOLUMNS, such as 4x4, not {value}")
    numbers = tuple(int(part) for part in parts)
    return numbers * 2 if len(numbers) == 1 else numbers


def _components(value: Any) -> Any:
    """A number of components or the share of the variance to keep."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if isinstance(value, float) and value.is_integer() and value != 1.0:
        value = int(value)
    if (isinstance(value, int) and value >= 1) or (isinstance(value, float) and 0 < value < 1):
        return value
    raise ValueError(f"give a number of components from 1 on, or the share of variance to keep, below 1, not {value}")


Side = Annotated[int, Field(ge=1, le=64)]
Grid = Annotated[tuple[Side, Side], BeforeValidator(_grid)]
Window = Annotated[int, Field(ge=3, le=99)]


class DescriptorConfig(Config):
    """The descriptors, in this order, and all their parameters; `PRESETS` names published settings.

    Names of descriptors are those of `descriptors.registry`, which refuses any other.

    `pca` is what trainers keep of each block when they are not told otherwise: a number of components, a share
    of the variance, or None for the descriptors as they are. Nothing is fitted at extraction.
    """

    options: ClassVar[Mapping[str, str]] = {"lpq_windows": "--lpq-window"}

    descriptors: tuple[str, ...] = ("phog", "lpq")
    phog_bins: int = Field(default=8, ge=1, le=360)
    phog_angle: Literal[180, 360] = 360
    phog_levels: int = Field(default=3, ge=0, le=8)
    phog_canny: Canny = "matlab"
    lpq_windows: tuple[Window, ...] = (7,)
    lpq_grid: Grid = (1, 1)
    lpq_frequency: Frequency = "uniform"
    lpq_decorrelate: bool = True
    hog_orientations: int = Field(default=9, ge=1, le=360)
    hog_cell: int = Field(default=8, ge=2, le=256)
    hog_block: int = Field(default=2, ge=1, le=16)
    lbp_points: int = Field(default=8, ge=4, le=24)
    lbp_radius: float = Field(default=1.0, ge=1, le=32)
    lbp_grid: Grid = (4, 4)
    pca: Annotated[int | float | None, BeforeValidator(_components)] = 5

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        for option, values in (("--descriptors", self.descriptors), ("--lpq-window", self.lpq_windows)):
            if not values:
                raise ValueError(f"{option}: name at least one")
            if len(set(values)) < len(values):
                raise ValueError(f"{option}: name each one once, not {', '.join(map(str, values))}")
        even = [window for window in self.lpq_windows if window % 2 == 0]
        if even:
            raise ValueError(f"--lpq-window: a window is an odd number of pixels, not {even[0]}")
        return self

    @classmethod
    def preset(cls, name: str | None = None, /, **explicit: Any) -> Self:
        """The config of a preset, or of the defaults, with explicitly given values laid over it.

        Raises UsageError for an unknown preset and for a value out of bounds.
        """
        return cls.of(**{**preset_values(name), **explicit})


PRESETS: Mapping[str, Mapping[str, Any]] = {
    # Dhall, Goecke, Lucey, Gedeon, BeFIT (ICCV-W) 2011, section 3.4. Their LPQ neighbourhood of 8 is not a legal
    # window of the 2010 program; 9 is the radius-4 reading. The MATLAB release is not given: R2010b is the last
    # before the paper.
    "dhall2011-sps": {
        "descriptors": ("phog", "lpq"),
        "phog_bins": 8,
        "phog_angle": 360,
        "phog_levels": 3,
        "phog_canny": "matlab-2010",
        "lpq_windows": (9,),
        "lpq_grid": (3, 3),
        "pca": None,
    },
    # The same paper, section 3.5: the person-independent baseline. The window is not given.
    "dhall2011-spi": {
        "descriptors": ("phog", "lpq"),
        "phog_bins": 16,
        "phog_angle": 360,
        "phog_levels": 4,
        "phog_canny": "matlab-2010",
        "lpq_windows": (9,),
        "lpq_grid": (4, 4),
        "pca": 0.98,
    },
    # Xu: the first five components of each. What is published with SFEW fits one LPQ histogram of the whole face
    # and PHOG over 360 degrees, nearest to 16 bins and 4 levels.
    "xu": {
        "descriptors": ("phog", "lpq"),
        "phog_bins": 16,
        "phog_angle": 360,
        "phog_levels": 4,
        "lpq_windows": (7,),
        "lpq_grid": (1, 1),
        "pca": 5,
    },
    # Several windows on a grid. On an inner tenth of FER-2013's train rows linear discriminant analysis is right on
    # 49.9 %; on 48.5 % with 128 components, 47.4 % with 2x2 blocks, 50.2 % with 4x4, which are twice as wide.
    "strong": {
        "descriptors": ("phog", "lpq"),
        "phog_bins": 8,
        "phog_angle": 360,
        "phog_levels": 3,
        "lpq_windows": (3, 5, 7, 9),
        "lpq_grid": (3, 3),
        "pca": 256,
    },
}


def preset_values(name: str | None) -> dict[str, Any]:
    """The values that a preset sets, {} for None; raises UsageError for a name there is no preset of."""
    if name is None:
        return {}
    if name not in PRESETS:
        raise UsageError(f"--preset: there is no preset {name}", next_step=f"use one of {', '.join(sorted(PRESETS))}")
    return dict(PRESETS[name])
