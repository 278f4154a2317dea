"""Files that mean harm or are beyond repair, each made by code from a seed: pictures, archives, tables."""

import io
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fault_files import GIF, SHEET, archives, encoded, pictures
from fault_mutations import damaged_bytes, rng_of

BAD_INPUT = frozenset({3})
# A flipped bit can also give a picture or a number that nobody can know is wrong.
READ_OR_REFUSED = frozenset({0, 3})


@dataclass(frozen=True)
class Hostile:
    """One file and the command that meets it. make: writes into a folder and gives the command line.

    seconds of the processor, grown_mb: what the command may take, and by how much the process may grow.
    """

    label: str
    make: Callable[[Path], list[str]]
    codes: frozenset[int] = BAD_INPUT
    seconds: float = 10.0
    grown_mb: int = 700


def file_of(name: str, data: bytes | Callable[[], bytes], *command: str) -> Callable[[Path], list[str]]:
    """A command on one file; data that takes long to make is made when it is asked for."""

    def make(folder: Path) -> list[str]:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data())
        return [command[0], str(path), *command[1:]]

    return make


def _picture(name: str, data: bytes) -> Callable[[Path], list[str]]:
    """The picture as the only one of a folder of class folders: with it left out there is nothing."""

    def make(folder: Path) -> list[str]:
        path = folder / "set" / "happy" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        return ["import-dataset", str(folder / "set")]

    return make


def _png(width: int, height: int, rows: int) -> bytes:
    """A gray PNG that states one size and holds so many rows of zeros; all checksums are right."""
    packer, packed = zlib.compressobj(9), []
    for _ in range(rows):
        packed.append(packer.compress(bytes(width + 1)))
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))]
    parts += [(b"IDAT", b"".join(packed) + packer.flush()), (b"IEND", b"")]
    chunks = (struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def hostile_pictures(seed: int) -> Iterator[Hostile]:
    """Cut, flipped, lying about their size, and no pictures at all."""
    sound = {**pictures(), "a.gif": GIF}
    for name, data in sound.items():
        for part in (0, 1, 7, len(data) // 2, len(data) - 3):
            # A TIFF may end in what no decoder needs.
            codes = READ_OR_REFUSED if name == "a.tiff" and part > len(data) // 2 else BAD_INPUT
            yield Hostile(f"{name} cut to {part} bytes", _picture(name, data[:part]), codes)
        for number in range(8):
            flipped = damaged_bytes(rng_of(seed, "flip", name, number), data)
            yield Hostile(f"{name} damaged, {number}", _picture(name, flipped), READ_OR_REFUSED)
    jpeg = encoded(".jpg", side=48)
    yield Hostile("JPEG whose middle is missing", _picture("a.jpg", jpeg[: len(jpeg) // 2] + b"\xff\xd9"))
    yield Hostile("PNG of 60000x60000", _picture("a.png", _png(60000, 60000, 1)))
    yield Hostile("PNG of 9000x9000 zeros", _picture("a.png", _png(9000, 9000, 9000)))
    yield Hostile("PNG of 2^31 pixels a side", _picture("a.png", _png(2**31 - 1, 2**31 - 1, 0)))
    yield Hostile("PNG of no pixels", _picture("a.png", _png(0, 0, 0)))
    yield Hostile("PNG that lacks most rows", _picture("a.png", _png(4000, 4000, 1)))
    bmp = bytearray(encoded(".bmp"))
    for side in (30000, -30000, 2**31 - 1, 0):
        struct.pack_into("<ii", bmp, 18, side, side)
        yield Hostile(f"BMP of {side} pixels a side", _picture("a.bmp", bytes(bmp)))
    yield Hostile("GIF of 65535x65535", _picture("a.gif", GIF[:6] + b"\xff\xff\xff\xff" + GIF[10:]))
    yield Hostile("PPM of 10^30 pixels", _picture("a.ppm", b"P6 1000000000000000 1000000000000000 255\n"))
    yield Hostile("PGM with a number of 5000 digits", _picture("a.pgm", b"P5 " + b"9" * 5000 + b" 2 255\n"))
    tiff = (
        struct.pack("<2sHIH", b"II", 42, 8, 2)
        + struct.pack("<HHII", 256, 4, 1, 2**31)
        + struct.pack("<HHII", 257, 4, 1, 2**31)
    )
    yield Hostile("TIFF of 2^31 pixels a side", _picture("a.tiff", tiff + bytes(4)))
    yield Hostile("TIFF that points at itself", _picture("a.tiff", struct.pack("<2sHI", b"II", 42, 4) + bytes(20)))
    yield Hostile("a shell script as PNG", _picture("a.png", b"#!/bin/sh\nrm -rf /\n"))
    yield Hostile("a zip as JPEG", _picture("a.jpg", archives()["set.zip"]))
    yield Hostile("SVG as PNG", _picture("a.png", b'<svg xmlns="http://www.w3.org/2000/svg"/>'))


def zip_of(*entries: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED, mode: int = 0) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in entries:
            entry = zipfile.ZipInfo(name)
            entry.compress_type, entry.external_attr = method, mode << 16
            archive.writestr(entry, data)
    return out.getvalue()


def _tar(*entries: tuple[tarfile.TarInfo, bytes], mode: str = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for entry, data in entries:
            entry.size = len(data) if entry.isfile() else 0
            archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def _entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, link
    return entry


def many_entries(count: int) -> bytes:
    """A zip of so many empty files that all share one local header."""
    name = b"happy/%07d.png"
    local = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, 0, 0, 0, 0, 0, 0, 0, 17, 0) + name % 0
    head = struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0)
    directory = b"".join(head + name % number for number in range(count))
    place, size = len(local), len(directory)
    far = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, place)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, place + size, 1)
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 65535, 65535, 2**32 - 1, 2**32 - 1, 0)
    return local + directory + far + locator + end


def hostile_archives(seed: int) -> Iterator[Hostile]:
    """Names and links that lead out, devices, bombs, damage."""
    png = encoded(".png")
    names = (
        "../up.png",
        "a/../../up.png",
        "/etc/up.png",
        "C:\\up.png",
        "..\\up.png",
        "a/b/../../../../up.png",
        "//x/up.png",
    )
    for name in names:
        yield Hostile(f"zip with the name {name}", file_of("a.zip", zip_of((name, png)), "import-dataset"))
        yield Hostile(f"tar with the name {name}", file_of("a.tar", _tar((_entry(name), png)), "import-dataset"))
    for target in ("/etc/passwd", "../../../etc/passwd", "happy/b.png"):
        link = zip_of(("happy/a.png", target.encode()), mode=0o120777)
        yield Hostile(f"zip with a link to {target}", file_of("a.zip", link, "import-dataset"))
        for kind, word in ((tarfile.SYMTYPE, "link"), (tarfile.LNKTYPE, "hard link")):
            data = _tar((_entry("happy/a.png", kind, target), b""))
            yield Hostile(f"tar with a {word} to {target}", file_of("a.tar", data, "import-dataset"))
    for kind, word in ((tarfile.CHRTYPE, "device"), (tarfile.FIFOTYPE, "pipe"), (tarfile.BLKTYPE, "block device")):
        yield Hostile(
            f"tar with a {word}", file_of("a.tar", _tar((_entry("happy/a.png", kind), b"")), "import-dataset")
        )
    zeros = 300 * 2**20
    yield Hostile(
        "zip bomb, 300 MB in one file",
        file_of("a.zip", lambda: zip_of(("happy/a.png", bytes(zeros))), "import-dataset"),
    )
    yield Hostile(
        "tar.gz bomb, 300 MB in one file",
        file_of("a.tar.gz", lambda: _tar((_entry("happy/a.png"), bytes(zeros)), mode="w:gz"), "import-dataset"),
    )
    nested = zip_of(("a.zip", zip_of(("b.zip", zip_of(("happy/a.png", bytes(2**20)))))))
    yield Hostile("zips in zips", file_of("a.zip", nested, "import-dataset"))
    yield Hostile("zip of 100,000 names and no file", file_of("a.zip", lambda: many_entries(100_000), "import-dataset"))
    sound = zip_of(("happy/a.png", png), ("sad/b.png", png))
    encrypted = bytearray(sound)
    for at in (6, sound.index(b"PK\1\2") + 8):
        encrypted[at] |= 1
    yield Hostile("encrypted zip", file_of("a.zip", bytes(encrypted), "import-dataset"))
    unknown = sound.replace(struct.pack("<HHH", 20, 0, 8), struct.pack("<HHH", 20, 0, 97))
    yield Hostile("zip packed by an unknown method", file_of("a.zip", unknown, "import-dataset"))
    wrong = sound.replace(struct.pack("<I", zlib.crc32(png)), b"\1\2\3\4")
    yield Hostile("zip with wrong checksums", file_of("a.zip", wrong, "import-dataset"))
    for name, data in archives().items():
        for part in (3, len(data) // 2, len(data) - 30):
            # The padding after a tar's end block may be missing.
            codes = READ_OR_REFUSED if name == "set.tar" and part >= 5120 else BAD_INPUT
            yield Hostile(f"{name} cut to {part} bytes", file_of(name, data[:part], "import-dataset"), codes)
        for number in range(4):
            flipped = damaged_bytes(rng_of(seed, "archive", name, number), data)
            yield Hostile(f"{name} damaged, {number}", file_of(name, flipped, "import-dataset"), READ_OR_REFUSED)
    yield Hostile("Zstandard", file_of("a.tar.zst", b"\x28\xb5\x2f\xfd" + bytes(300), "import-dataset"))
    yield Hostile("gzip of no tar", file_of("a.tar.gz", b"\x1f\x8b" + zlib.compress(b"x" * 999), "import-dataset"))
    yield Hostile(
        "a name without end", file_of("a.tar", _tar((_entry("happy/" + "a" * 5000 + ".png"), b"x")), "import-dataset")
    )


STRANGE_NAMES = (
    *("with space", "quote'", 'quotes"', "$(touch x)", "a;b", "é ü 表情", "line\nbreak", "tab\there", "\x1b[31mred"),
    *("%s", "-dash", "--name", "x" * 240, "\u202egnp", "{src}", "*", "nul\u2400", os.fsdecode(b"\xff\xfe")),
)


def strange_paths(seed: int) -> Iterator[Hostile]:
    """Sound pictures under strange names, strange names of nothing, and strange names for artifacts."""
    png = encoded(".png")
    for name in STRANGE_NAMES:

        def sound(folder: Path, name: str = name) -> list[str]:
            place = folder / name / "happy"
            place.mkdir(parents=True)
            (place / f"{name[:50]}.png").write_bytes(png)
            return ["import-dataset", str(folder / name)]

        def gone(folder: Path, name: str = name) -> list[str]:
            return ["import-features", str(folder / f"{name}.csv")]

        yield Hostile(f"pictures below {name!r}", sound, frozenset({0}))
        yield Hostile(f"no sheet at {name!r}", gone)
    for name in ("a/b", "..", ".x", "", "a\nb", "\x1b[31m", "x" * 201, "é" * 150, os.fsdecode(b"\xff")):
        yield Hostile(
            f"--name {name!r}", file_of("s.csv", SHEET.encode(), "import-features", f"--name={name}"), frozenset({2})
        )
    yield Hostile("a pipe as source", _pipe)
    yield Hostile("a device as source", lambda folder: ["import-features", "/dev/zero"])
    yield Hostile("a link to itself as source", _loop)


def _pipe(folder: Path) -> list[str]:
    os.mkfifo(folder / "pipe.csv")
    return ["import-dataset", str(folder / "pipe.csv")]


def _loop(folder: Path) -> list[str]:
    (folder / "loop").symlink_to(folder / "loop")
    return ["import-dataset", str(folder / "loop")]


def object_array() -> bytes:
    """An NPY file with a pickle that would create a file named `owned`."""
    out = io.BytesIO()
    np.save(out, np.array([_Trap()], dtype=object), allow_pickle=True)
    return out.getvalue()


class _Trap:
    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, ("owned", "w")
