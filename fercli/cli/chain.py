"""Several steps one after the other, as `fer reproduce` runs them; or, with --dry-run, what they would make."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fercli.cli.session import Session
from fercli.errors import UsageError
from fercli.records import Outcome


@dataclass
class Chain:
    """Runs each step, or in a dry run notes it.

    A step can say what it costs only where its inputs stand: after the first that would still be made, the following
    ones are noted by name. made: labels `kind/name` of all steps, in their order. lines: what the dry run tells.
    """

    session: Session
    dry_run: bool
    made: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    seconds: float = 0.0
    _missing: bool = False

    def step(self, kind: str, name: str, run: Callable[[], Outcome], *, feeds: bool = False) -> None:
        """Run one step that makes `kind/name`. feeds: later steps read what it makes."""
        label = f"{kind}/{name}"
        self.made.append(label)
        if not self.dry_run:
            self.session.console.say(f"\n{label}")
            run()
        elif name in self.session.store().names(kind):
            self.lines.append(f"{label} stands; it is made again only where something it depends on differs")
        elif self._missing:
            self.lines.append(f"would make {label}")
        else:
            told = run()
            self.lines += told.lines
            self.seconds += float(told.payload.get("seconds") or 0)
        if self.dry_run and feeds and name not in self.session.store().names(kind):
            self._missing = True

    def page(self, name: str, run: Callable[[], Outcome]) -> Outcome:
        """The report at the end, or all that the dry run found."""
        if not self.dry_run:
            self.session.console.say("")
            return run()
        self.made.append(f"report/{name}")
        estimate = [] if not self.seconds else [f"about {self.seconds / 60:,.1f} minutes for what could be estimated"]
        payload: dict[str, Any] = {
            "would_make": f"report/{name}",
            "artifacts": list(self.made),
            "seconds": self.seconds or None,
        }
        return Outcome(payload=payload, lines=(*self.lines, f"would write report/{name} over them", *estimate))


def one_of_both(source: object, given: str | None, option: str, what: str) -> None:
    """Refuse a source beside an option that names standing data; what: the source is."""
    if source is not None and given is not None:
        raise UsageError(
            f"{what} and {option} both name the data", where=f"{option} {given}", next_step="give one of them"
        )
