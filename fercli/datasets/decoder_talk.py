"""What the libraries under OpenCV write straight to stderr, caught: it is where libjpeg says that data is missing."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

# libjpeg goes on after these with gray or garbage where the picture was.
_LOST = ("premature end", "bad Huffman code", "Unsupported marker", "Bogus", "inconsistent progression")


class Talk:
    """lost: the sentence that says that a part of the picture is missing or made up; "" where there is none."""

    lost = ""


@contextmanager
def caught() -> Iterator[Talk]:
    """In the block what C libraries write to stderr goes aside; after it `lost` says if it mattered.

    For the process's one stderr, so not for several threads at once. Without a stderr nothing is caught.
    """
    talk = Talk()
    try:
        before = os.dup(2)
    except OSError:
        yield talk
        return
    aside = os.memfd_create("decoder") if hasattr(os, "memfd_create") else _temporary()
    try:
        os.dup2(aside, 2)
        try:
            yield talk
        finally:
            os.dup2(before, 2)
        length = os.lseek(aside, 0, os.SEEK_CUR)
        if length:
            os.lseek(aside, 0, os.SEEK_SET)
            said = os.read(aside, 65536).decode("latin-1").splitlines()
            talk.lost = next((line for line in said if any(part in line for part in _LOST)), "")
    finally:
        os.close(aside)
        os.close(before)


def _temporary() -> int:
    descriptor, name = tempfile.mkstemp()
    os.unlink(name)
    return descriptor
