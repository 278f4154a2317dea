"""Appends to the workspace's ledger: every scoring of a test split leaves a line there."""

import time
from pathlib import Path

from fercli.artifacts.locks import exclusive
from fercli.artifacts.store import Store
from fercli.protocol.ledger import LedgerEntry, ledger_line, parse_ledger
from fercli.protocol.official import held_out_test_rows
from fercli.records import FoldPlan, Samples

LEDGER = "ledger.jsonl"


def note_test_scoring(
    store: Store, plan: FoldPlan, samples: Samples, run: str, *, purpose: str = "held-out scores of the run"
) -> None:
    """One line for a run that scored rows of the test split: an official one, pooled ones, a user's folds with them."""
    rows = held_out_test_rows(plan, samples)
    if len(rows):
        append_scoring(store, run, purpose, len(rows))


def append_scoring(store: Store, run: str, purpose: str, rows: int) -> None:
    """One line: `rows` rows of a test split were scored by `run`, now."""
    entry = LedgerEntry(run, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), purpose, rows)
    path = store.root / LEDGER
    with exclusive(store.root / ".locks" / f"{LEDGER}.lock", store.say), path.open("ab+") as file:
        # A line without an end was cut short by a full disk or a kill: its command failed, and will score again.
        file.truncate(_whole(path))
        store.disk.write(file, (ledger_line(entry) + "\n").encode())
        store.disk.sync(file)


def _whole(path: Path) -> int:
    """Bytes up to the last line end."""
    return path.read_bytes().rfind(b"\n") + 1


def scorings_so_far(store: Store) -> int:
    """How often a test split was scored in this workspace. Raises ArtifactError for a ledger that was edited."""
    path = store.root / LEDGER
    if not path.is_file():
        return 0
    lines = path.read_bytes()[: _whole(path)].decode("utf-8", "backslashreplace").split("\n")
    return len(parse_ledger(lines, name=str(path)))
