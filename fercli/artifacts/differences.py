"""In what a standing artifact and the one that is asked for differ, in words."""

import json
from collections.abc import Sequence
from typing import Any

from fercli.artifacts.schema import Parent


def differences(old: dict[str, Any], new: dict[str, Any], prefix: str = "") -> list[str]:
    """Every value that differs between two configs, as `name: old -> new`."""
    found: list[str] = []
    for name in [*old, *(name for name in new if name not in old)]:
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        if isinstance(before, dict) and isinstance(after, dict):
            found += differences(before, after, f"{prefix}{name}.")
        else:
            found.append(f"{prefix}{name}: {json.dumps(before)} -> {json.dumps(after)}")
    return found


def parent_differences(old: Sequence[Parent], new: Sequence[Parent]) -> list[str]:
    """How the parents of an artifact differ: what changed, was added or is no longer an input, else their order."""
    before = {f"{parent.kind}/{parent.name}": parent.fingerprint for parent in old}
    after = {f"{parent.kind}/{parent.name}": parent.fingerprint for parent in new}
    found = {
        "changed": [name for name in after if name in before and before[name] != after[name]],
        "added": [name for name in after if name not in before],
        "no longer an input": [name for name in before if name not in after],
    }
    told = [f"{', '.join(names)} {what}" for what, names in found.items() if names]
    moved = [parent.fingerprint for parent in old] != [parent.fingerprint for parent in new]
    return told or (["the order of its inputs changed"] if moved else [])
