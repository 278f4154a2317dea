"""A large set of pictures in one file, drawn from a seed: python tests/scale/large_set.py set.tar --images 1000000.

A tar whose first file lists the others (`path,label,split,group`), so that splits, groups and classes are all there.
A picture is a smooth field that all share, low frequencies of its own and grain: no two are equal by chance. In every
block of 1,000 the last picture is an exact copy of a picture of the block before, and the last but one a near copy
(brighter, with its own grain), so what an audit must find is known; it is printed as JSON. Gray PGM files, or as
collections from the web have them, JPEG files in colour (`--form jpg`).
"""

import argparse
import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fercli import seeds
from fercli.records import EXPRESSIONS

BLOCK = 1000
_WAVES = 8  # frequencies down and across of a picture's own field
_PER_GROUP = 10
FORMS = ("pgm", "jpg")
_QUALITY = 90
_SPLITS = (*("train",) * 8, "validation", "test")


@dataclass(frozen=True)
class Planted:
    """What is in the set. exact, near: sets of two. cross_split, conflicting: of the exact ones."""

    images: int
    groups: int
    exact: int
    near: int
    cross_split: int
    conflicting: int


def facts(number: int, form: str = "pgm") -> tuple[str, str, str, str]:
    """Path, label, split and group of a picture."""
    return f"p/{number:09d}.{form}", EXPRESSIONS[number % 7], _SPLITS[number % 10], f"s{number // _PER_GROUP:07d}"


def planted(images: int) -> Planted:
    """What `blocks` plants into so many pictures: whole blocks after the first hold one pair of each kind."""
    if images % BLOCK:
        raise SystemExit(f"--images is a multiple of {BLOCK:,}")
    pairs = [((block - 1) * BLOCK + _copied(block), block * BLOCK + BLOCK - 1) for block in range(1, images // BLOCK)]
    first, copy = ([facts(pair[side]) for pair in pairs] for side in (0, 1))
    return Planted(
        images,
        -(-images // _PER_GROUP),
        len(pairs),
        len(pairs),
        sum(one[2] != other[2] for one, other in zip(first, copy, strict=True)),
        sum(one[1] != other[1] for one, other in zip(first, copy, strict=True)),
    )


def _copied(block: int) -> int:
    """The place, in the block before, of the picture that a block repeats; the one after it is nearly repeated."""
    return 7 * block % (BLOCK - 10)


def blocks(images: int, side: int, seed: int) -> Iterator[NDArray[np.uint8]]:
    """The pictures, (1000, side, side) uint8 at a time; block b is a function of the seed and b."""
    at = (np.arange(side) + 0.5) / side
    waves = np.cos(np.pi * at[None] * np.arange(_WAVES)[:, None]).astype(np.float32)
    fall = 1 / (1 + np.add.outer(np.arange(_WAVES), np.arange(_WAVES)))
    fall[0, 0] = 0.3  # of the mean: no picture is all white or all black
    shared = 40 * fall * seeds.generator(seed, "scale.shared").standard_normal((_WAVES, _WAVES))
    before: NDArray[np.uint8] | None = None
    for block in range(images // BLOCK):
        drawn = seeds.generator(seed, "scale.block", block)
        own = 60 * fall * drawn.standard_normal((BLOCK, _WAVES, _WAVES), dtype=np.float32)
        fields = waves.T @ (shared + own).astype(np.float32) @ waves
        grain = drawn.integers(-6, 7, size=fields.shape, dtype=np.int8)
        pictures = np.clip(128 + fields + grain, 0, 255).astype(np.uint8)
        if before is not None:
            pictures[-1] = before[_copied(block)]
            pictures[-2] = np.clip(before[_copied(block) + 1].astype(np.int16) + 9 + grain[-2] // 2, 0, 255)
        before = pictures
        yield pictures


def encoded(picture: NDArray[np.uint8], form: str) -> bytes:
    """(H, W) uint8 as the bytes of a file; in colour two of the channels are paler."""
    if form == "pgm":
        return f"P5 {picture.shape[1]} {picture.shape[0]} 255\n".encode() + picture.tobytes()
    pale = picture // 4 * 3 + 32
    _, data = cv2.imencode(".jpg", np.dstack([pale, pale, picture]), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return data.tobytes()


def write(path: Path, images: int, side: int, seed: int, form: str = "pgm") -> Planted:
    """The tar at `path`; its bytes are a function of the arguments."""
    found = planted(images)
    listing = io.StringIO()
    listing.write("path,label,split,group\n")
    for number in range(images):
        listing.write(",".join(facts(number, form)) + "\n")
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT, bufsize=2**20) as archive:
        _add(archive, "list.csv", listing.getvalue().encode())
        listing.close()
        number = 0
        for pictures in blocks(images, side, seed):
            for picture in pictures:
                _add(archive, facts(number, form)[0], encoded(picture, form))
                number += 1
            archive.members = []  # type: ignore[attr-defined]  # it would keep a million of them
    return found


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    archive.addfile(entry, io.BytesIO(data))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--side", type=int, default=48)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--form", choices=FORMS, default="pgm")
    given = parser.parse_args()
    print(json.dumps(asdict(write(given.out, given.images, given.side, given.seed, given.form))))
