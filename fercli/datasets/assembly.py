"""From a stream of pictures to one array of planes and its rows, with flat memory.

Two things are known only at the end: whether colour occurs, and the order of the rows. So planes go to a sink in
the order of arrival; the sink is told once, at the first colour picture after gray ones, to turn what it holds into
RGB; and the record that comes back holds the permutation that puts the planes in the order of the rows.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fercli.config.import_dataset import ImportDatasetConfig
from fercli.datasets.content import pixel_content
from fercli.datasets.faces import cropped, largest_face
from fercli.datasets.images import as_color, fit_to
from fercli.datasets.labels import class_order
from fercli.errors import InputError
from fercli.records import LeftOut, Picture, Samples


class PlaneSink(Protocol):
    """Where planes go; see `planes.PlaneFile` for one on disk and `planes.PlaneList` for one in memory."""

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
    rows: list[Picture] = []
    contents: list[str] = []
    left_out: list[LeftOut] = []
    sizes: Counter[tuple[int, int]] = Counter()
    stored: tuple[int, ...] | None = None
    nothing = np.empty((0, 0), dtype=np.uint8)
    for item in pictures:
        if isinstance(item, LeftOut):
            left_out.append(item)
            continue
        if config.faces == "crop":
            found = _face_of(item)
            if isinstance(found, LeftOut):
                left_out.append(found)
                continue
            item = found
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
        contents.append(pixel_content(pixels))
        rows.append(replace(item, pixels=nothing))
    if len(sizes) > 1:
        raise _mixed_sizes(sizes, where)
    if stored is None:
        raise _no_picture(left_out, where)
    order = np.array(sorted(range(len(rows)), key=lambda row: natural(rows[row].source)), dtype=np.int64)
    ordered = [rows[row] for row in order.tolist()]
    samples = _samples(ordered, np.array(contents)[order])
    return Assembled(samples, order, tuple(left_out), (stored[0], stored[1]), "rgb" if len(stored) == 3 else "gray")


def _face_of(item: Picture) -> Picture | LeftOut:
    """The picture cut to its largest face, whose box becomes the column `face`; LeftOut where none is found."""
    box = largest_face(item.pixels)
    if box is None:
        return LeftOut(item.source, "no face found")
    extra = {**item.extra, "face": ",".join(map(str, box))}
    return replace(item, pixels=cropped(item.pixels, box), extra=extra)


def natural(text: str) -> list[str | int]:
    """Sort key in which numbers count by value: `a_2` before `a_10`."""
    return [int(part) if index % 2 else part for index, part in enumerate(re.split(r"([0-9]+)", text))]


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


def _samples(rows: Sequence[Picture], contents: NDArray[np.str_]) -> Samples:
    columns = sorted({name for row in rows for name in row.extra})
    return Samples(
        ids=np.array(unique_ids(row.id for row in rows), dtype=np.str_),
        labels=np.array([row.label for row in rows], dtype=np.str_),
        splits=np.array([row.split for row in rows], dtype=np.str_),
        groups=np.array([row.group for row in rows], dtype=np.str_),
        sources=np.array([row.source for row in rows], dtype=np.str_),
        widths=np.array([row.width for row in rows], dtype=np.int64),
        heights=np.array([row.height for row in rows], dtype=np.int64),
        classes=class_order({row.label for row in rows}),
        extra={
            **{name: np.array([row.extra.get(name, "") for row in rows], dtype=np.str_) for name in columns},
            "content": contents,
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
