"""Appends to the workspace's ledger: every scoring of a test split leaves a line there."""

import os
import time

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
    with (store.root / LEDGER).open("ab") as file:
        store.disk.write(file, (ledger_line(entry) + "\n").encode())
        file.flush()
        os.fsync(file.fileno())


def scorings_so_far(store: Store) -> int:
    """How often a test split was scored in this workspace. Raises ArtifactError for a ledger that was edited."""
    path = store.root / LEDGER
    if not path.is_file():
        return 0
    return len(parse_ledger(path.read_text(encoding="utf-8").splitlines(), name=str(path)))
