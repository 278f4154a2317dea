"""The ledger of test-set use: one JSON line per scoring, so that a report can say how often the test split was read."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from fercli.errors import ArtifactError


@dataclass(frozen=True)
class LedgerEntry:
    """One scoring of a test split. time: ISO 8601, given by the caller. rows: how many were scored."""

    run: str
    time: str
    purpose: str
    rows: int


def ledger_line(entry: LedgerEntry) -> str:
    """The entry as one line of JSON, without the line end."""
    return json.dumps(asdict(entry), ensure_ascii=False, sort_keys=True)


def parse_ledger(lines: Iterable[str], *, name: str = "ledger.jsonl") -> tuple[LedgerEntry, ...]:
    """The entries of a ledger; blank lines are skipped. Raises ArtifactError, with the line number, for any other."""
    entries = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        entry = _entry(line)
        if entry is None:
            raise ArtifactError(
                "a line of the ledger is not a record of run, time, purpose and rows",
                where=f"{name}, line {number}",
                next_step="restore the file; the ledger is only ever appended to",
            )
        entries.append(entry)
    return tuple(entries)


def _entry(line: str) -> LedgerEntry | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or set(record) != {"run", "time", "purpose", "rows"}:
        return None
    texts = all(isinstance(record[key], str) for key in ("run", "time", "purpose"))
    if not texts or type(record["rows"]) is not int or record["rows"] < 0:
        return None
    return LedgerEntry(**record)
