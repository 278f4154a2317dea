"""What people see: results on stdout, talk and progress on stderr. The only place that imports rich."""

import json
import sys
import time
from typing import Any

from fercli.cli import streams
from fercli.cli.plain_text import plain
from fercli.records import Outcome, Progress, Table

PLAIN_WIDTH = 200
QUIET_FOR = 1.0  # seconds before progress shows at all
PLAIN_EVERY = 5.0  # seconds between progress lines where there is no terminal


class Console:
    """Implements `records.Notify`; with `quiet` only results and warnings are shown."""

    def __init__(self, *, quiet: bool = False, json_wanted: bool = False) -> None:
        self.quiet = quiet
        self.json_wanted = json_wanted
        self.warnings: list[str] = []

    def say(self, text: str) -> None:
        if not self.quiet:
            print(plain(text, lines=True), file=sys.stderr, flush=True)

    def warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)
            print(f"fer: warning: {plain(text, lines=True)}", file=sys.stderr, flush=True)

    def progress(self, what: str, total: int | None, unit: str) -> Progress:
        return _Progress(what, total, unit, silent=self.quiet)

    def show(self, command: str, outcome: Outcome) -> None:
        """The result of a command: one JSON object, or tables and lines; all of it is out when this is over."""
        with streams.written():
            self._show(command, outcome)

    def _show(self, command: str, outcome: Outcome) -> None:
        if self.json_wanted:
            body = {
                "schema": 1,
                "command": command,
                "status": outcome.status,
                "artifact": outcome.artifact,
                "warnings": self.warnings,
                **outcome.payload,
            }
            print(json.dumps(body, allow_nan=False))
            return
        for table in outcome.tables:
            draw(table)
        for line in outcome.lines:
            print(plain(line, lines=True))


def cell(value: Any) -> str:
    """A value as people read it: four decimals, thousands separated, a dash for what is undefined."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4f}"
    return plain(str(value))


def draw(table: Table) -> None:
    """A table on stdout, as wide as the terminal; where there is none, as wide as it needs."""
    from rich import box
    from rich.console import Console as RichConsole
    from rich.table import Table as RichTable
    from rich.text import Text

    terminal = sys.stdout.isatty()
    console = RichConsole(file=sys.stdout, width=None if terminal else PLAIN_WIDTH, highlight=False, soft_wrap=False)
    drawn = RichTable(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
    )
    for index, column in enumerate(table.columns):
        numeric = all(isinstance(row[index], int | float | None) for row in table.rows)
        drawn.add_column(Text(plain(column)), justify="right" if numeric and table.rows else "left")
    for row in table.rows:
        drawn.add_row(*(Text(cell(value)) for value in row))
    console.print(Text(plain(table.title), style="bold"), soft_wrap=True)
    console.print(drawn)
    for note in table.notes:
        console.print(Text(f"  {plain(note)}"), style="dim", soft_wrap=True)
    console.print()


class _Progress:
    """A bar on a terminal, a line every few seconds elsewhere; with rate and time left, nothing under a second."""

    def __init__(self, what: str, total: int | None, unit: str, *, silent: bool) -> None:
        self._what = what
        self._total = total
        self._unit = unit
        self._silent = silent
        self._done = 0
        self._note = ""
        self._started = self._last = 0.0
        self._live = False

    def __enter__(self) -> Progress:
        self._started = self._last = time.monotonic()
        self._live = sys.stderr.isatty()
        return self

    def advance(self, count: int = 1, note: str = "") -> None:
        self._done += count
        self._note = note or self._note
        now = time.monotonic()
        pause = 0.1 if self._live else PLAIN_EVERY
        if not self._silent and now - self._started > QUIET_FOR and now - self._last > pause:
            self._last = now
            self._print(now)

    def _line(self, now: float) -> str:
        seconds = max(now - self._started, 1e-9)
        rate = self._done / seconds
        parts = [f"{self._what}: {self._done:,}"]
        if self._total:
            parts[0] += f" of {self._total:,}"
        parts[0] += f" {self._unit}"
        parts.append(f"{rate:,.1f} {self._unit}/s" if rate < 100 else f"{rate:,.0f} {self._unit}/s")
        if self._total and rate > 0:
            left = max(0.0, (self._total - self._done) / rate)
            parts.append(f"{_clock(left)} left" if self._done < self._total else f"{_clock(seconds)} in all")
        if self._note:
            parts.append(self._note)
        return ", ".join(parts)

    def _print(self, now: float) -> None:
        if self._live:
            from shutil import get_terminal_size

            width = get_terminal_size().columns - 1
            print(f"\r\x1b[2K{self._line(now)[:width]}", end="", file=sys.stderr, flush=True)
        else:
            print(self._line(now), file=sys.stderr, flush=True)

    def __exit__(self, *exc: object) -> None:
        now = time.monotonic()
        if self._silent or now - self._started <= QUIET_FOR:
            return
        self._print(now)
        if self._live:
            print(file=sys.stderr, flush=True)


def _clock(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02d} h"
