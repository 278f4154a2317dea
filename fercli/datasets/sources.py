"""One view of a folder, a single file, a `.zip` or a `.tar.*`: named files, read in one pass, nothing unpacked."""

import bz2
import gzip
import io
import lzma
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, Any

from fercli.errors import InputError

MAX_FILE_BYTES = 256 * 2**20
LONGEST_LINK = 4096
_JUNK = ("__MACOSX", "Thumbs.db", "desktop.ini")
_BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    lzma.LZMAError,
    zlib.error,
    EOFError,
    NotImplementedError,
    OSError,
)
# What the archive modules let through on damaged headers: names in no encoding, offsets and sizes that fit nothing.
_BROKEN_HEADERS = (*_BROKEN, ValueError, IndexError, KeyError, OverflowError, RuntimeError, struct.error)


@dataclass(frozen=True)
class SourceFile:
    """One file of a source: its '/'-separated path below the source, and how to open it.

    In an archive `open` is valid only until the next file is asked for.
    """

    path: str
    open: Callable[[], IO[bytes]]

    def read(self, limit: int = MAX_FILE_BYTES) -> bytes:
        """All bytes; InputError above `limit` bytes or when the container is corrupt here."""
        with damage(self.path), self.open() as stream:
            data = stream.read(limit + 1)
        if len(data) > limit:
            raise InputError(
                f"the file is larger than {limit:,} bytes", where=self.path, next_step="is it really a picture?"
            )
        return data


class Source(ABC):
    """What importers read from; `files()` starts a new pass each time."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @abstractmethod
    def files(self) -> Iterator[SourceFile]:
        """Every file once, in the container's order; junk of operating systems (`.DS_Store` …) is no file."""

    def first_names(self, count: int = 256) -> list[str]:
        """The first names, for recognising a format; an archive is read only as far as that."""
        return [file.path for file in islice(self.files(), count)]

    def names(self) -> list[str]:
        """All names; for a compressed tar that means reading it whole."""
        return [file.path for file in self.files()]

    def head(self, path: str, count: int = 4096) -> bytes:
        """The first bytes of the file of that path, empty where there is none; a tar is read only as far as that."""
        for file in self.files():
            if file.path == path:
                with damage(path), file.open() as stream:
                    return stream.read(count)
        return b""


class FolderSource(Source):
    """A folder and all below it, in sorted order."""

    def files(self) -> Iterator[SourceFile]:
        root = self.path.resolve()
        for folder, folders, names in os.walk(self.path):
            folders[:] = sorted(name for name in folders if not _is_junk(name))
            for name in sorted([*names, *(name for name in folders if os.path.islink(os.path.join(folder, name)))]):
                full = Path(folder, name)
                if _is_junk(name):
                    continue
                if full.is_symlink() and not full.resolve().is_relative_to(root):
                    raise InputError(
                        f"a link leads out of the source, to {full.resolve()}",
                        where=str(full),
                        next_step="copy the file in, or import the folder it lies in",
                    )
                if full.is_file():
                    yield SourceFile(_readable(full.relative_to(self.path).as_posix()), partial(_opened, full))

    def file(self, path: str) -> SourceFile | None:
        """The file at a path below the folder, None where there is none or a link leads out."""
        full = self.path / path
        if not full.is_file() or not full.resolve().is_relative_to(self.path.resolve()):
            return None
        return SourceFile(path, partial(_opened, full))


class SingleFileSource(Source):
    """One file that is no archive, such as `fer2013.csv`."""

    def files(self) -> Iterator[SourceFile]:
        yield SourceFile(self.path.name, partial(_opened, self.path))


class ZipSource(Source):
    """A zip archive; encrypted ones are refused."""

    def files(self) -> Iterator[SourceFile]:
        with damage(str(self.path), _BROKEN_HEADERS), zipfile.ZipFile(self.path) as archive:
            for entry in archive.infolist():
                path = _safe(entry.filename, self.path)
                if entry.is_dir() or any(_is_junk(part) for part in path.split("/")):
                    continue
                if entry.flag_bits & 0x1:
                    raise InputError(
                        "the archive is encrypted",
                        where=f"{self.path}: {path}",
                        next_step="unpack it and import the folder",
                    )
                if stat.S_ISLNK(entry.external_attr >> 16):
                    with _zip_member(archive, entry) as stream:
                        target = stream.read(LONGEST_LINK).decode("utf-8", "replace")
                    yield _link(path, target, self.path)
                    continue
                yield SourceFile(path, partial(_zip_member, archive, entry))


class TarSource(Source):
    """A tar archive, plain or compressed with gzip, bzip2 or xz; read as a stream, forward only."""

    def __init__(self, path: Path, opener: Callable[[], Any]) -> None:
        super().__init__(path)
        self._opener = opener

    def files(self) -> Iterator[SourceFile]:
        with (
            damage(str(self.path), _BROKEN_HEADERS),
            self._opener() as compressed,
            tarfile.open(fileobj=(stream := _Counted(compressed)), mode="r|") as archive,
        ):
            while (entry := archive.next()) is not None:
                # Why: tarfile keeps every header it has met; a million of them are hundreds of megabytes.
                archive.members = []  # type: ignore[attr-defined]
                path = _safe(entry.name, self.path)
                if entry.isdir() or any(_is_junk(part) for part in path.split("/")):
                    continue
                if entry.issym() or entry.islnk():
                    yield _link(path, entry.linkname, self.path, from_root=entry.islnk())
                elif entry.isfile():
                    yield SourceFile(path, partial(_member, archive, entry))
            # Why: tarfile takes a cut between two files for the end; only the decompressor and the end block tell.
            while stream.read(2**20):
                pass
            if stream.count < archive.offset + tarfile.BLOCKSIZE:
                raise tarfile.ReadError("its end block is missing")


class _Counted(io.RawIOBase):
    """A stream read forward only, which counts its bytes."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._stream.read(size)
        self.count += len(data)
        return data


def open_source(path: str | Path) -> Source:
    """The source at `path`, its kind told by content, not by name; InputError when there is none."""
    path = Path(path)
    if not path.exists():
        raise InputError("there is no such file or folder", where=str(path), next_step="check the path")
    if path.is_dir():
        return FolderSource(path)
    if not path.is_file():
        raise InputError(
            "neither a file nor a folder (a pipe or a device has no end)", where=str(path), next_step="check the path"
        )
    try:
        with open(path, "rb") as stream:
            head = stream.read(265)
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}", where=str(path), next_step="check its permissions"
        ) from None
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return ZipSource(path)
    openers: tuple[tuple[bytes, type[gzip.GzipFile] | type[bz2.BZ2File] | type[lzma.LZMAFile]], ...] = (
        (b"\x1f\x8b", gzip.GzipFile),
        (b"BZh", bz2.BZ2File),
        (b"\xfd7zXZ\0", lzma.LZMAFile),
    )
    for magic, opener in openers:
        if head.startswith(magic):
            return TarSource(path, partial(opener, path, "rb"))
    if head[257:262] == b"ustar":
        return TarSource(path, partial(_opened, path))
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        raise InputError("Zstandard archives are not read", where=str(path), next_step="zstd -d it and import the .tar")
    if path.suffix.lower() in (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz"):
        raise InputError(
            "the archive is broken: it does not begin like one", where=str(path), next_step="fetch it again"
        )
    return SingleFileSource(path)


@contextmanager
def damage(where: str, kinds: tuple[type[Exception], ...] = _BROKEN) -> Iterator[None]:
    """Turns what the archive modules raise on corrupt or cut-off data into an InputError."""
    try:
        yield
    except kinds as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise InputError(
                f"cannot be read: {error.strerror}", where=error.filename or where, next_step="check the path"
            ) from None
        raise InputError(
            f"the archive is corrupt or cut off: {error}",
            where=where,
            next_step="fetch it again and compare its checksum",
        ) from None


def _opened(path: Path) -> IO[bytes]:
    return path.open("rb")


def _readable(path: str) -> str:
    """The path in characters that a table can hold; bytes that are no UTF-8 become `\\xff`."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _is_junk(name: str) -> bool:
    return name.startswith(".") or name in _JUNK


def _safe(name: str, archive: Path) -> str:
    path = name.replace("\\", "/")
    parts = path.split("/")
    if path.startswith("/") or ".." in parts or path[1:2] == ":" or "\0" in path:
        raise InputError(
            f"the archive holds the name {name!r}, which leads out of it",
            where=str(archive),
            next_step="do not trust this archive; pack the pictures anew",
        )
    return "/".join(part for part in parts if part not in ("", "."))


def _link(path: str, target: str, archive: Path, *, from_root: bool = False) -> SourceFile:
    """A link inside an archive: refused if it leads out, else a file whose reading says that it is a link."""
    base = [] if from_root else path.split("/")[:-1]
    for part in target.replace("\\", "/").split("/"):
        if part == "..":
            if not base:
                base = [".."]
                break
            base.pop()
        elif part not in ("", "."):
            base.append(part)
    if target.startswith("/") or base[:1] == [".."]:
        raise InputError(
            f"{path} is a link that leads out of the archive, to {target!r}",
            where=str(archive),
            next_step="do not trust this archive; pack the pictures anew",
        )

    def refuse() -> IO[bytes]:
        raise InputError(f"a link to {target} inside the archive", where=path, next_step="pack it as a file")

    return SourceFile(path, refuse)


def _zip_member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> IO[bytes]:
    with damage(f"{archive.filename}: {entry.filename}", _BROKEN_HEADERS):
        return archive.open(entry)


def _member(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> IO[bytes]:
    stream = archive.extractfile(entry)
    return stream if stream is not None else io.BytesIO()
