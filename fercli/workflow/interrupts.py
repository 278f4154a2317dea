"""SIGINT and SIGTERM held back while state is half changed, and delivered once it has been saved."""

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class HeldSignals:
    """In the block a first signal only sets `pending`; `deliver` (or the end of the block) hands it on as it came.

    A second one goes through at once, in case the block hangs. Outside the main thread, which alone gets signals,
    nothing happens.
    """

    def __init__(self) -> None:
        self.pending: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                self._before[number] = signal.signal(number, self._note)
        return self

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.pending is None:
            self.pending = number
        else:
            self.deliver()

    def deliver(self) -> None:
        """Give the handlers back and send the signal that was held, if there was one."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
        if self.pending is not None:
            number, self.pending = self.pending, None
            os.kill(os.getpid(), number)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.deliver()
