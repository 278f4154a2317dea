"""Every error a user can cause or meet, and the exit code of each; one handler in `cli/app.py` shows them."""

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What the process answers to the shell; pipelines stand on these numbers."""

    DONE = 0
    INTERNAL = 1
    USAGE = 2
    INPUT = 3
    ARTIFACT = 4
    ENVIRONMENT = 5
    GATE = 6
    SIGINT = 130
    SIGPIPE = 141
    SIGTERM = 143


class FerError(Exception):
    """An expected failure: what happened, where (file, row, value) and what to do next.

    The core raises it with arguments in the field's terms; only the command line prints it.
    """

    code: ClassVar[ExitCode] = ExitCode.INTERNAL
    kind: ClassVar[str] = "internal"

    def __init__(self, what: str, *, where: str | None = None, next_step: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.next_step = next_step


class UsageError(FerError):
    """Options that contradict each other or cannot be meant; several candidates for one input."""

    code = ExitCode.USAGE
    kind = "usage"


class InputError(FerError):
    """Data that is missing, unreadable or not fit for what was asked."""

    code = ExitCode.INPUT
    kind = "input"


class LeakRefused(InputError):
    """A protocol that would let held-out rows into training, refused unless allowed by name."""

    kind = "leak"


class ArtifactError(FerError):
    """An artifact that is missing, corrupt, of a future version, or that fails verification."""

    code = ExitCode.ARTIFACT
    kind = "artifact"


class EnvironmentFailure(FerError):
    """The machine cannot do it: device, memory, disk, a missing package or system library."""

    code = ExitCode.ENVIRONMENT
    kind = "environment"


class GateFailed(FerError):
    """A gate that the user set (`--require`, `--fail-on`, `--fail-if-worse`) did not hold."""

    code = ExitCode.GATE
    kind = "gate"


class Interrupted(BaseException):
    """SIGINT or SIGTERM; a BaseException, so that no `except Exception` keeps the process from leaving.

    Writers save what they have while it passes through.
    """

    def __init__(self, code: ExitCode) -> None:
        super().__init__(code.name)
        self.code = code
