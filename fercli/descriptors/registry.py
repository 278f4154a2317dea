"""Every descriptor by name: how many columns it has for a picture's size, and its values for a batch of pictures."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.config.descriptors import DescriptorConfig
from fercli.descriptors import hog, lbp, lpq, phog
from fercli.errors import UsageError

Widths = list[tuple[str, int]]


@dataclass(frozen=True)
class Kind:
    """One descriptor behind `--descriptors NAME`.

    widths: (config, height, width) -> name and columns of each of its blocks; InputError where a parameter does not
    fit. values: (pictures (n, H, W) gray, config) -> one (n, columns) float64 array per block, in that order.
    """

    widths: Callable[[DescriptorConfig, int, int], Widths]
    values: Callable[[NDArray[Any], DescriptorConfig], Iterator[NDArray[np.float64]]]


def _phog_widths(config: DescriptorConfig, height: int, width: int) -> Widths:
    return [("phog", phog.columns(height, width, bins=config.phog_bins, levels=config.phog_levels))]


def _phog(stack: NDArray[Any], config: DescriptorConfig) -> Iterator[NDArray[np.float64]]:
    yield phog.phog_batch(
        stack, bins=config.phog_bins, angle=config.phog_angle, levels=config.phog_levels, canny=config.phog_canny
    )


def _lpq_widths(config: DescriptorConfig, height: int, width: int) -> Widths:
    names = ["lpq" if len(config.lpq_windows) == 1 else f"lpq{window}" for window in config.lpq_windows]
    return [
        (name, lpq.columns(height, width, window=window, grid=config.lpq_grid))
        for name, window in zip(names, config.lpq_windows, strict=True)
    ]


def _lpq(stack: NDArray[Any], config: DescriptorConfig) -> Iterator[NDArray[np.float64]]:
    for window in config.lpq_windows:
        yield lpq.lpq_batch(
            stack,
            window=window,
            frequency=config.lpq_frequency,
            decorrelate=config.lpq_decorrelate,
            grid=config.lpq_grid,
        )


def _hog_options(config: DescriptorConfig) -> dict[str, int]:
    return {"orientations": config.hog_orientations, "cell": config.hog_cell, "block": config.hog_block}


def _hog_widths(config: DescriptorConfig, height: int, width: int) -> Widths:
    return [("hog", hog.columns(height, width, **_hog_options(config)))]


def _hog(stack: NDArray[Any], config: DescriptorConfig) -> Iterator[NDArray[np.float64]]:
    yield hog.hog_batch(stack, **_hog_options(config))


def _lbp_widths(config: DescriptorConfig, height: int, width: int) -> Widths:
    return [("lbp", lbp.columns(height, width, points=config.lbp_points, grid=config.lbp_grid))]


def _lbp(stack: NDArray[Any], config: DescriptorConfig) -> Iterator[NDArray[np.float64]]:
    yield lbp.lbp_batch(stack, points=config.lbp_points, radius=config.lbp_radius, grid=config.lbp_grid)


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "phog": Kind(_phog_widths, _phog),
        "lpq": Kind(_lpq_widths, _lpq),
        "hog": Kind(_hog_widths, _hog),
        "lbp": Kind(_lbp_widths, _lbp),
    }
)


def kind_of(name: str) -> Kind:
    """The descriptor called `name`; UsageError that lists them all otherwise."""
    if name not in KINDS:
        raise UsageError(
            f"--descriptors: there is no descriptor {name!r}",
            where=f"--descriptors {name}",
            next_step=f"take some of {', '.join(KINDS)}",
        )
    return KINDS[name]
