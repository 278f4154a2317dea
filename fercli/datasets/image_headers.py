"""Size and soundness of an image file from its bytes alone, before any decoder allocates a pixel."""

import struct
import zlib
from dataclasses import dataclass

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm"})
_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD9)})


class BrokenImage(ValueError):
    """The bytes are no complete image of a known format; the text says how."""


@dataclass(frozen=True)
class ImageHeader:
    """Format name and size in pixels as the file states them."""

    format: str
    width: int
    height: int


def is_image_name(path: str) -> bool:
    """Whether a file name ends like a picture that `datasets.images` can decode."""
    dot = path.rfind(".")
    return dot >= 0 and path[dot:].lower() in SUFFIXES


def read_header(data: bytes) -> ImageHeader:
    """Format and size of an image, after a check of what the format lets one check without decoding.

    PNG: every chunk's CRC-32 and the end chunk; JPEG: the marker segments and the end marker; GIF: its blocks; BMP,
    WebP and PGM/PPM: the stated lengths. Raises BrokenImage.
    """
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return _png(data)
        if data.startswith(b"\xff\xd8\xff"):
            return _jpeg(data)
        if data.startswith(b"BM"):
            return _bmp(data)
        if data[:6] in (b"GIF87a", b"GIF89a"):
            return _gif(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp(data)
        if data[:4] in (b"II*\0", b"MM\0*"):
            return _tiff(data)
        if data[:2] in (b"P5", b"P6"):
            return _netpbm(data)
    except BrokenImage:
        raise
    except (struct.error, IndexError):
        raise BrokenImage("the file is truncated") from None
    except ValueError:
        raise BrokenImage("the header is broken") from None
    raise BrokenImage("the file is empty" if not data else "not a PNG, JPEG, BMP, GIF, WebP, TIFF or PGM/PPM file")


def _png(data: bytes) -> ImageHeader:
    width, height = struct.unpack_from(">II", data, 16)
    at = 8
    while True:
        if at + 12 > len(data):
            raise BrokenImage("the PNG file is truncated")
        (length,) = struct.unpack_from(">I", data, at)
        name, end = data[at + 4 : at + 8], at + 8 + length
        if end + 4 > len(data):
            raise BrokenImage("the PNG file is truncated")
        if zlib.crc32(memoryview(data)[at + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            raise BrokenImage(f"the checksum of PNG chunk {name.decode('latin-1')!r} is wrong")
        if name == b"IEND":
            return ImageHeader("PNG", width, height)
        at = end + 4


def _jpeg(data: bytes) -> ImageHeader:
    at, header = 2, None
    while True:
        if data[at] != 0xFF:
            raise BrokenImage("a JPEG marker is missing")
        while data[at] == 0xFF:
            at += 1
        marker = data[at]
        at += 1
        if marker in _JPEG_BARE:
            continue
        if marker == 0xD9:
            raise BrokenImage("the JPEG file ends before its picture")
        (length,) = struct.unpack_from(">H", data, at)
        if at + length > len(data):
            raise BrokenImage("the JPEG file is truncated")
        if marker in _JPEG_SIZES:
            height, width = struct.unpack_from(">HH", data, at + 3)
            header = ImageHeader("JPEG", width, height)
        at += length
        if marker == 0xDA:
            break
    if header is None:
        raise BrokenImage("the JPEG file states no size")
    if data.find(b"\xff\xd9", at) < 0:
        raise BrokenImage("the JPEG file is truncated: its end marker is missing")
    return header


def _bmp(data: bytes) -> ImageHeader:
    (offset,) = struct.unpack_from("<I", data, 10)
    width, height = struct.unpack_from("<ii", data, 18)
    bits, compression = struct.unpack_from("<HI", data, 28)
    stride = (abs(width) * bits + 31) // 32 * 4
    if compression in (0, 3) and offset + stride * abs(height) > len(data):
        raise BrokenImage("the BMP file is truncated")
    return ImageHeader("BMP", abs(width), abs(height))


def _gif(data: bytes) -> ImageHeader:
    width, height = struct.unpack_from("<HH", data, 6)
    at = 13 + _gif_palette(data[10])
    while data[at] != 0x3B:
        # An extension has a label before its sub-blocks, a picture its frame, perhaps a palette, and the code size.
        if data[at] == 0x2C:
            at += 11 + _gif_palette(data[at + 9])
        elif data[at] == 0x21:
            at += 2
        else:
            raise BrokenImage("a block of the GIF file is of no known kind")
        while data[at]:
            at += data[at] + 1
        at += 1
    return ImageHeader("GIF", width, height)


def _gif_palette(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _webp(data: bytes) -> ImageHeader:
    if struct.unpack_from("<I", data, 4)[0] + 8 > len(data):
        raise BrokenImage("the WebP file is truncated")
    kind = data[12:16]
    if kind == b"VP8X":
        width = 1 + int.from_bytes(data[24:27], "little")
        height = 1 + int.from_bytes(data[27:30], "little")
    elif kind == b"VP8L":
        (packed,) = struct.unpack_from("<I", data, 21)
        width, height = 1 + (packed & 0x3FFF), 1 + (packed >> 14 & 0x3FFF)
    else:
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    return ImageHeader("WebP", width, height)


def _tiff(data: bytes) -> ImageHeader:
    order = "<" if data[:2] == b"II" else ">"
    (at,) = struct.unpack_from(order + "I", data, 4)
    (entries,) = struct.unpack_from(order + "H", data, at)
    size = {}
    for entry in range(at + 2, at + 2 + 12 * entries, 12):
        tag, kind = struct.unpack_from(order + "HH", data, entry)
        if tag in (256, 257):
            (size[tag],) = struct.unpack_from(order + ("H" if kind == 3 else "I"), data, entry + 8)
    if len(size) < 2:
        raise BrokenImage("the TIFF file states no size")
    return ImageHeader("TIFF", size[256], size[257])


def _netpbm(data: bytes) -> ImageHeader:
    words: list[int] = []
    at = 2
    while len(words) < 3:
        while data[at : at + 1].isspace():
            at += 1
        if data[at : at + 1] == b"#":
            at = data.index(b"\n", at)
            continue
        start = at
        while data[at : at + 1].isdigit():
            at += 1
        if start == at:
            raise BrokenImage("the PGM/PPM header is broken")
        words.append(int(data[start:at]))
    width, height, deepest = words
    samples = width * height * (3 if data[:2] == b"P6" else 1) * (2 if deepest > 255 else 1)
    if at + 1 + samples > len(data):
        raise BrokenImage("the PGM/PPM file is truncated")
    return ImageHeader("PGM/PPM", width, height)
