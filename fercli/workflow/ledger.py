"""Appends to the workspace's ledger: every scoring of a test split leaves a line there."""

import os
import time

from fercli.artifacts.store import Store
from fercli.protocol.ledger import LedgerEntry, ledger_line
from fercli.records import FoldPlan

LEDGER = "ledger.jsonl"


def note_test_scoring(store: Store, plan: FoldPlan, run: str, *, purpose: str = "held-out scores of the run") -> None:
    """One line for a run whose held-out rows are the official test split; nothing for any other."""
    if plan.protocol.scheme != "official" or plan.split_names[1] != "test":
        return
    rows = sum(len(fold.test) for fold in plan.folds)
    entry = LedgerEntry(run, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), purpose, rows)
    with (store.root / LEDGER).open("ab") as file:
        store.disk.write(file, (ledger_line(entry) + "\n").encode())
        file.flush()
        os.fsync(file.fileno())
