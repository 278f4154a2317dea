"""What a verification writes down: every check with how much it covered, every difference, what was not checked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from fercli.errors import ArtifactError, InputError, UsageError

FINE = "fine"
_LONGEST = 80


@dataclass(frozen=True)
class Difference:
    """Something stored that is not what was found. where: file, fold, column. stored, found: None where none is."""

    what: str
    where: str
    stored: Any
    found: Any


@dataclass(frozen=True)
class Covered:
    """What one check looked at: how many of which unit, and what did not agree."""

    count: int
    unit: str
    differences: Sequence[Difference] = ()


@dataclass(frozen=True)
class Finding:
    """One difference of one artifact, as a line or as JSON."""

    artifact: str
    check: str
    difference: Difference

    def line(self) -> str:
        """One line: artifact, what, where, stored against recomputed."""
        it = self.difference
        values = "" if it.stored is None and it.found is None else f": stored {_short(it.stored)}"
        values += f", recomputed {_short(it.found)}" if values else ""
        return f"{self.artifact}: {it.what} ({it.where}){values}"

    def as_json(self) -> dict[str, Any]:
        """The finding as JSON types."""
        it = self.difference
        return {
            "artifact": self.artifact,
            "check": self.check,
            "what": it.what,
            "where": it.where,
            "stored": None if it.stored is None else _short(it.stored),
            "recomputed": None if it.found is None else _short(it.found),
            "line": self.line(),
        }


@dataclass(frozen=True)
class Check:
    """One line of the table: a check of one artifact, of how many things, and how it went."""

    artifact: str
    check: str
    count: int
    unit: str
    result: str


@dataclass
class Book:
    """Where the checks of a verification are entered. stale: sentences on parents that changed or are gone."""

    checks: list[Check] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)

    def enter(self, artifact: str, check: str, covered: Covered) -> bool:
        """Write down a check; whether everything agreed."""
        self.findings += [Finding(artifact, check, one) for one in covered.differences]
        count = len(covered.differences)
        result = FINE if not count else f"{count:,} finding{'s' if count > 1 else ''}"
        self.checks.append(Check(artifact, check, covered.count, covered.unit, result))
        return not count

    def skip(self, artifact: str, check: str, reason: str) -> None:
        """Write down that a check could not be made, and why."""
        self.checks.append(Check(artifact, check, 0, "", f"not made: {reason}"))

    def attempt(self, artifact: str, check: str, look: Callable[[], Covered]) -> bool:
        """Make a check and write it down; what it cannot read is itself a finding.

        An artifact whose hashes were rewritten may be of any form, so what its reader stumbles over (a missing key, a
        text where a number belongs) says something about the artifact and must not end the checks of the others.
        """
        try:
            covered = look()
        except (ArtifactError, InputError, UsageError) as error:
            covered = Covered(0, "", (Difference(error.what, error.where or artifact, None, None),))
        except (LookupError, TypeError, ValueError) as error:
            told = f"not of the form that this release writes: {type(error).__name__} {error}"
            covered = Covered(0, "", (Difference(told, check, None, None),))
        return self.enter(artifact, check, covered)


def _short(value: Any) -> str:
    text = f"{value:.12g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
