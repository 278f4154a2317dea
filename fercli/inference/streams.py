"""Pictures one after the other from files, folders, globs, archives, videos and a webcam, with flat memory."""

import glob
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.datasets.assembly import natural
from fercli.datasets.image_headers import BrokenImage, is_image_name, read_header
from fercli.datasets.images import MAX_PIXELS, decode
from fercli.datasets.sources import SingleFileSource, SourceFile, open_source
from fercli.errors import InputError
from fercli.inference import video

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tbz", ".tar.xz", ".txz")


@dataclass(frozen=True)
class Frame:
    """One picture, or one frame of a video, or what could not be read.

    source: as the user named it, for a file in a folder or archive SOURCE/path. place: a relative path that is its
    own, for what is made of it. number: of a frame, from 0; 0 for pictures. pixels: (H, W[, 3]) uint8, None where
    there are none, and then `problem` says why. too_large: refused by its size, undecoded.
    """

    source: str
    place: str
    number: int = 0
    pixels: NDArray[np.uint8] | None = None
    problem: str = ""
    too_large: bool = False
    moving: bool = False


@dataclass(frozen=True)
class Found:
    """One source that exists: its name as the user gave it, its path, and the relative path of what is made of it."""

    name: str
    path: Path
    place: str


@dataclass(frozen=True)
class Reading:
    """How sources are read. skipped: told the name of every file in a folder or archive that is no picture by name."""

    every: int = 1
    limit: int | None = None
    max_pixels: int = MAX_PIXELS
    skipped: Callable[[str], None] = lambda name: None
    warn: Callable[[str], None] = lambda text: None


def found_sources(sources: Sequence[str]) -> list[Found]:
    """The files, folders and archives that names and patterns mean, in the order given, those of a pattern by value.

    Raises InputError, before anything is read, for a name that there is no file of and a pattern that matches none.
    """
    paths: list[str] = []
    for name in sources:
        if os.path.exists(name):
            paths.append(name)
            continue
        matches = sorted(glob.glob(name, recursive=True), key=natural)
        if not matches:
            pattern = glob.has_magic(name)
            raise InputError(
                "no file matches the pattern" if pattern else "there is no such file or folder",
                where=shown(name),
                next_step="check the path" + (", and that `**` stands for folders in between" if pattern else ""),
            )
        paths += matches
    taken: set[str] = set()
    found = []
    for path in paths:
        place = name = shown(os.path.basename(os.path.abspath(path))) or "root"
        number = 1
        while place in taken:
            number += 1
            place = f"{name}-{number}"
        taken.add(place)
        found.append(Found(shown(path), Path(path), place))
    return found


def frames(found: Sequence[Found], how: Reading) -> Iterator[Frame]:
    """Every picture of the sources in turn; one at a time is in memory.

    What cannot be read is a frame without pixels, and the rest goes on. Raises nothing but what the system says.
    """
    for source in found:
        if source.path.is_dir():
            yield from _folder(source, how)
        elif source.path.name.lower().endswith(ARCHIVES):
            yield from _archive(source, how)
        else:
            yield from _file(source.name, source.path, source.place, how)


def webcam(number: int, how: Reading) -> Iterator[Frame]:
    """Frames of a camera until `how.limit`; EnvironmentFailure where there is no such camera."""
    name = f"webcam:{number}"
    for at, pixels in video.camera_frames(number, every=how.every, limit=how.limit):
        yield Frame(name, f"webcam-{number}", at, pixels, moving=True)


def shown(name: str) -> str:
    """A file's name as text that every encoding of UTF-8 takes: bytes that are none are written out."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _folder(source: Found, how: Reading) -> Iterator[Frame]:
    """All below a folder in natural order. Links to files are read, links to folders are not followed."""
    closed: list[OSError] = []
    for folder, folders, names in os.walk(source.path, onerror=closed.append):
        folders[:] = sorted((name for name in folders if not name.startswith(".")), key=natural)
        for name in sorted(names, key=natural):
            path = Path(folder, name)
            if name.startswith(".") or not path.is_file():
                continue
            below = shown(path.relative_to(source.path).as_posix())
            label = f"{source.name.rstrip('/')}/{below}"
            if is_image_name(name) or video.is_video_name(name):
                yield from _file(label, path, f"{source.place}/{below}", how)
            else:
                how.skipped(label)
    for error in closed:
        yield Frame(shown(str(error.filename)), source.place, problem=f"the folder cannot be read: {error.strerror}")


def _archive(source: Found, how: Reading) -> Iterator[Frame]:
    try:
        for file in open_source(source.path).files():
            path = shown(file.path)
            label, place = f"{source.name}/{path}", f"{source.place}/{path}"
            if is_image_name(path):
                yield _picture(file, label, place, how)
            elif video.is_video_name(path):
                yield Frame(label, place, problem="a video inside an archive is not read: unpack it")
            else:
                how.skipped(label)
    except InputError as error:
        # Why: damage ends this archive, not the sources after it.
        yield Frame(source.name, source.place, problem=error.what)


def _file(label: str, path: Path, place: str, how: Reading) -> Iterator[Frame]:
    if not video.is_video_name(path.name):
        yield _picture(next(iter(SingleFileSource(path).files())), label, place, how)
        return
    try:
        for number, pixels in video.video_frames(
            path, every=how.every, limit=how.limit, max_pixels=how.max_pixels, warn=how.warn
        ):
            yield Frame(label, place, number, pixels, moving=True)
    except video.TooLarge as error:
        yield Frame(label, place, problem=str(error), too_large=True)
    except video.BrokenVideo as error:
        yield Frame(label, place, problem=str(error))


def _picture(file: SourceFile, label: str, place: str, how: Reading) -> Frame:
    try:
        data = file.read()
        header = read_header(data)
        if header.width * header.height > how.max_pixels:
            problem = f"{header.width}x{header.height} pixels are more than --max-pixels {how.max_pixels:,}"
            return Frame(label, place, problem=problem, too_large=True)
        return Frame(label, place, pixels=decode(data, source=label, max_pixels=how.max_pixels))
    except InputError as error:
        return Frame(label, place, problem=error.what)
    except BrokenImage as error:
        return Frame(label, place, problem=str(error))
