"""Work without talk and progress."""

from typing import Self

from fercli.records import Progress


class Silent:
    """A `Notify` that says nothing: somebody else says it, or has said it."""

    def say(self, text: str) -> None: ...

    def warn(self, text: str) -> None: ...

    def progress(self, what: str, total: int | None, unit: str) -> Progress:
        return _Still()


class _Still:
    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None: ...

    def advance(self, count: int = 1, note: str = "") -> None: ...
