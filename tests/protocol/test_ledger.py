"""The ledger's lines, there and back, and what a broken line says."""

import json

import pytest

from fercli.errors import ArtifactError
from fercli.protocol.ledger import LedgerEntry, ledger_line, parse_ledger

ENTRY = LedgerEntry("resnet50", "2026-01-02T03:04:05Z", "evaluate --split test", 3589)


def test_lines_come_back() -> None:
    line = ledger_line(ENTRY)
    assert "\n" not in line
    assert json.loads(line) == {
        "run": "resnet50",
        "time": "2026-01-02T03:04:05Z",
        "purpose": "evaluate --split test",
        "rows": 3589,
    }
    assert parse_ledger([line + "\n", "\n", line]) == (ENTRY, ENTRY)


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "{}",
        '{"run": "a", "time": "b", "purpose": "c", "rows": true}',
        '{"run": 1, "time": "b", "purpose": "c", "rows": 1}',
        '{"run": "a", "time": "b", "purpose": "c", "rows": -1}',
        '{"run": "a", "time": "b", "purpose": "c", "rows": 1, "more": 1}',
    ],
)
def test_a_broken_line_is_named(line: str) -> None:
    with pytest.raises(ArtifactError, match="a line of the ledger is not a record of run, time") as caught:
        parse_ledger([ledger_line(ENTRY), line], name="w/ledger.jsonl")
    assert caught.value.where == "w/ledger.jsonl, line 2"
