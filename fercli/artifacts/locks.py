"""One writer per artifact: an advisory lock that the system gives back when its process dies."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

POLL_SECONDS = 0.2


def _try_lock(descriptor: int, *, shared: bool = False) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextmanager
def exclusive(path: Path, on_wait: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock file `path`; while another process holds it, say so once through `on_wait` and wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        said = False
        while not _try_lock(descriptor):
            if not said:
                holder = "" if sys.platform == "win32" else os.pread(descriptor, 32, 0).decode(errors="replace").strip()
                on_wait(f"another fer{f' (process {holder})' if holder else ''} is writing it; waiting")
                said = True
            time.sleep(POLL_SECONDS)
        if sys.platform != "win32":
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def if_free(path: Path) -> Iterator[bool]:
    """Hold the lock in the block if nobody else does; False, at once, where somebody does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        yield _try_lock(descriptor)
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock to write; those who only ask, as this does, do not count."""
    try:
        if not path.exists():
            return False
    except OSError:  # a name that no file system takes
        return False
    # Only to look: a read-only workspace can be asked too. Windows locks bytes, for which it must be open to write.
    descriptor = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    try:
        return not _try_lock(descriptor, shared=True)
    finally:
        os.close(descriptor)
