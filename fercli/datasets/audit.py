"""What is wrong with a data set of pictures: copies, contradictions, blanks; one pass with flat memory."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.config.audit import AuditConfig
from fercli.datasets.content import pixel_content
from fercli.datasets.duplicate_sets import DuplicateSets
from fercli.datasets.duplicates_exact import exact_sets
from fercli.datasets.duplicates_near import near_sets
from fercli.datasets.mapped_rows import release
from fercli.datasets.perceptual_hash import hashes, low_frequencies, thresholds
from fercli.protocol.duplicates import copies
from fercli.records import Samples

_CHUNK_BYTES = 8 * 2**20
# The medians that hash bits are measured against come from at most this many pictures, evenly spaced.
_MEDIAN_ROWS = 16_384


@dataclass(frozen=True)
class ImageAudit:
    """spread: (N,) float32 standard deviation of each picture's gray values. blank, faint: (n,) rows, rising.

    exact: sets of equal decoded pixels. near: sets of at least two different pictures that look alike, with all their
    exact copies; blank pictures are in no near set. crowded: pictures that had too many candidates to compare all.
    """

    spread: NDArray[np.float32]
    blank: NDArray[np.int64]
    faint: NDArray[np.int64]
    exact: DuplicateSets
    near: DuplicateSets
    crowded: int


def audit_images(
    images: NDArray[np.uint8],
    samples: Samples,
    config: AuditConfig,
    advance: Callable[[int], None] = lambda count: None,
) -> ImageAudit:
    """Audit pictures (N, H, W) or (N, H, W, 3) uint8; `advance` is told how many more were read.

    Beside the pictures themselves, which are read in chunks, memory holds a hash and a deviation per row.
    """
    spread, codes = _described(images, config.blank_below, advance)
    exact = exact_sets(images, _contents(images, samples))
    first = np.arange(len(images))
    for rows in exact:
        first[rows] = rows[0]
    blank = np.flatnonzero(spread < config.blank_below)
    distinct = np.flatnonzero((first == np.arange(len(images))) & (spread >= config.blank_below))
    near = near_sets(
        images,
        distinct,
        codes[distinct],
        bits=config.near_bits,
        threshold=config.near_threshold,
    )
    return ImageAudit(
        spread=spread,
        blank=blank,
        faint=np.flatnonzero((spread >= config.blank_below) & (spread < config.faint_below)),
        exact=DuplicateSets.of(exact, samples),
        near=DuplicateSets.of(_with_copies(near.members, distinct, exact), samples),
        crowded=near.crowded,
    )


def _described(
    images: NDArray[np.uint8], blank_below: float, advance: Callable[[int], None]
) -> tuple[NDArray[np.float32], NDArray[np.uint64]]:
    """(N,) standard deviations and (N,) hashes."""
    step = max(1, _CHUNK_BYTES // (4 * max(1, images[:1].size)))
    stride = -(-len(images) // _MEDIAN_ROWS) or 1
    drawn = []
    for start in range(0, len(images), stride * step):
        coefficients, deviation = low_frequencies(images[start : start + stride * step : stride])
        drawn.append(coefficients[deviation >= blank_below])
        release(images)
    several = np.concatenate(drawn) if drawn else np.empty((0, 64), dtype=np.float32)
    limits = thresholds(several)
    spread = np.empty(len(images), dtype=np.float32)
    codes = np.empty(len(images), dtype=np.uint64)
    for start in range(0, len(images), step):
        coefficients, deviation = low_frequencies(images[start : start + step])
        spread[start : start + step] = deviation
        codes[start : start + step] = hashes(coefficients, limits)
        advance(len(deviation))
        release(images)
    return spread, codes


def _contents(images: NDArray[np.uint8], samples: Samples) -> NDArray[np.int64]:
    """(N,) rows with equal digests share a number; a digest that the samples lack is made."""
    if "content" in samples.extra and bool((samples.extra["content"] != "").all()):
        return copies(samples.extra["content"])
    return copies(np.array([pixel_content(np.asarray(plane)) for plane in images], dtype=np.str_))


def _with_copies(
    members: tuple[NDArray[np.int64], ...], distinct: NDArray[np.int64], exact: list[NDArray[np.int64]]
) -> list[NDArray[np.int64]]:
    """Rows of each near set, the exact copies of its pictures among them."""
    copied = {int(rows[0]): rows for rows in exact}
    found = []
    for part in members:
        rows = [copied.get(row, np.array([row])) for row in distinct[part].tolist()]
        found.append(np.sort(np.concatenate(rows)))
    return sorted(found, key=lambda rows: int(rows[0]))
