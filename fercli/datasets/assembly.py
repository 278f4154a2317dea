"""From a stream of pictures to one array of planes and its rows, with flat memory.

Two things are known only at the end: whether colour occurs, and the order of the rows. So planes go to a sink in
the order of arrival; the sink is told once, at the first colour picture after gray ones, to turn what it holds into
RGB; and the record that comes back holds the permutation that puts the planes in the order of the rows.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from sys import intern
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fercli.config.import_dataset import ImportDatasetConfig
from fercli.datasets.content import pixel_content
from fercli.datasets.images import as_color, fit_to
from fercli.datasets.labels import class_order
from fercli.errors import InputError
from fercli.records import LeftOut, Picture, Samples


class PlaneSink(Protocol):
    """Where planes go, in order of arrival; `planes.PlaneList` keeps them in memory."""

    def append(self, pixels: NDArray[np.uint8]) -> None:
        """One more plane; all have one shape, (H, W) or, once promoted or from the first on, (H, W, 3)."""

    def promote_to_rgb(self) -> None:
        """From here on planes are (H, W, 3); those that came before become so by repeating their channel."""


@dataclass(frozen=True)
class Assembled:
    """What was assembled: row i of `samples` is the plane that arrived as number `order[i]`.

    order: (N,) int64, a permutation. size: (height, width). color: gray or rgb.
    """

    samples: Samples
    order: NDArray[np.int64]
    left_out: tuple[LeftOut, ...]
    size: tuple[int, int]
    color: str

    @property
    def in_order(self) -> bool:
        """Whether the planes already lie in the order of the rows."""
        return bool((self.order == np.arange(len(self.order))).all())


def assemble(
    pictures: Iterable[Picture | LeftOut], config: ImportDatasetConfig, sink: PlaneSink, *, where: str
) -> Assembled:
    """Brings every picture to one size and colour, hands it to `sink` and returns the rows.

    Rows are sorted by source, numbers in it by value, so they do not depend on the container. A repeated id gets
    `#2`, `#3` … in that order. The column `content` of `samples.extra` is the digest of the stored pixels.
    Raises InputError naming `where` when there is no picture, or when sizes differ and no size is set.
    """
    columns = _Columns()
    left_out: list[LeftOut] = []
    sizes: Counter[tuple[int, int]] = Counter()
    stored: tuple[int, ...] | None = None
    for item in pictures:
        if isinstance(item, LeftOut):
            left_out.append(item)
            continue
        pixels = as_color(item.pixels, config.color)
        if config.size is not None:
            pixels = fit_to(pixels, config.size, config.fit)
        sizes[(pixels.shape[0], pixels.shape[1])] += 1
        if len(sizes) > 1:
            continue
        if stored is None:
            stored = pixels.shape
        elif pixels.ndim > len(stored):
            sink.promote_to_rgb()
            stored = pixels.shape
        if len(stored) == 3:
            pixels = as_color(pixels, "rgb")
        sink.append(pixels)
        columns.add(item, pixel_content(pixels))
    if len(sizes) > 1:
        raise _mixed_sizes(sizes, where)
    if stored is None:
        raise _no_picture(left_out, where)
    order = columns.order()
    samples = columns.samples(order)
    return Assembled(samples, order, tuple(left_out), (stored[0], stored[1]), "rgb" if len(stored) == 3 else "gray")


def natural(text: str) -> str:
    """Sort key in which numbers, up to 20 digits, count by value: `a_2` before `a_10`; equal only for equal texts."""
    return re.sub("[0-9]+", lambda number: number[0].lstrip("0").zfill(20), text) + "\0" + text


def unique_ids(ids: Iterable[str]) -> list[str]:
    """The ids in their order, the second of the same name with `#2`, the third with `#3` and so on."""
    seen: Counter[str] = Counter()
    taken: set[str] = set()
    unique = []
    for name in ids:
        seen[name] += 1
        new = name if seen[name] == 1 else f"{name}#{seen[name]}"
        while new in taken:
            seen[name] += 1
            new = f"{name}#{seen[name]}"
        taken.add(new)
        unique.append(new)
    return unique


@dataclass
class _Columns:
    """The rows so far, as columns: a million pictures must not stay a million records."""

    ids: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    heights: list[int] = field(default_factory=list)
    contents: list[str] = field(default_factory=list)
    extra: dict[str, dict[int, str]] = field(default_factory=dict)

    def add(self, item: Picture, content: str) -> None:
        for name, value in item.extra.items():
            if value:
                self.extra.setdefault(name, {})[len(self.ids)] = value
            else:
                self.extra.setdefault(name, {})
        self.ids.append(item.id)
        self.labels.append(intern(item.label))
        self.splits.append(intern(item.split))
        self.groups.append(intern(item.group))
        self.sources.append(item.source)
        self.widths.append(item.width)
        self.heights.append(item.height)
        self.contents.append(content)

    def order(self) -> NDArray[np.int64]:
        """(N,) rows in the natural order of their sources, equal sources as they came."""
        sources = self.sources
        return np.array(sorted(range(len(sources)), key=lambda row: natural(sources[row])), dtype=np.int64)

    def samples(self, order: NDArray[np.int64]) -> Samples:
        def column(values: Sequence[str]) -> NDArray[np.str_]:
            return np.array(values, dtype=np.str_)[order]

        rows = order.tolist()
        return Samples(
            ids=np.array(unique_ids(self.ids[row] for row in rows), dtype=np.str_),
            labels=column(self.labels),
            splits=column(self.splits),
            groups=column(self.groups),
            sources=column(self.sources),
            widths=np.array(self.widths, dtype=np.int64)[order],
            heights=np.array(self.heights, dtype=np.int64)[order],
            classes=class_order(set(self.labels)),
            extra={
                **{
                    name: np.array([values.get(row, "") for row in rows], dtype=np.str_)
                    for name, values in sorted(self.extra.items())
                },
                "content": column(self.contents),
            },
        )


def _mixed_sizes(sizes: Counter[tuple[int, int]], where: str) -> InputError:
    commonest = ", ".join(f"{height}x{width} ({count:,})" for (height, width), count in sizes.most_common(5))
    height, width = sizes.most_common(1)[0][0]
    suggestion = str(height) if height == width else f"{height}x{width}"
    return InputError(
        f"pictures of {len(sizes):,} different sizes; the commonest, height x width: {commonest}",
        where=where,
        next_step=f"bring them to one size, e.g. --size {suggestion} (with --fit pad, crop or stretch)",
    )


def _no_picture(left_out: Sequence[LeftOut], where: str) -> InputError:
    reasons = Counter(item.reason for item in left_out).most_common(1)
    because = f"; {len(left_out):,} files left out, most because: {reasons[0][0]}" if reasons else ""
    return InputError(f"no picture in it{because}", where=where, next_step="check the path and --format")
