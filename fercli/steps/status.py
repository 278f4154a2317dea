"""`fer status`: what stands in the workspace, what is stale, what was interrupted."""

from typing import Any

from fercli.artifacts.schema import KINDS, Kind
from fercli.artifacts.store import Artifact, Store
from fercli.errors import ArtifactError
from fercli.records import Notify, Outcome, Table
from fercli.workflow.parents import stale_parents


def run(store: Store, notify: Notify) -> Outcome:
    """List every artifact with its state: whole, stale (a parent changed), damaged, interrupted, being written."""
    entries: list[dict[str, Any]] = []
    for kind in KINDS:
        for name in store.names(kind):
            entries.append(_entry(store, kind, name))
        for name, held in store.interrupted(kind):
            goes_on = "goes on" if store.resumable(kind, name) else "begins again"
            state = "being written" if held else f"interrupted: the same command {goes_on}"
            entries.append({"kind": kind, "name": name, "state": state, "made_from": [], "summary": "", "bytes": None})
    if not entries:
        return Outcome(
            payload={"artifacts": []},
            lines=(
                f"{store.root} holds no artifacts; start with fer demo, fer synthesize or fer import-dataset SOURCE",
            ),
        )
    rows = tuple(
        (e["kind"], e["name"], e["state"], e["summary"], ", ".join(e["made_from"]) or "–", _size(e["bytes"]))
        for e in entries
    )
    table = Table(str(store.root), ("kind", "name", "state", "what", "made from", "size"), rows)
    return Outcome(payload={"artifacts": entries}, tables=(table,))


def _entry(store: Store, kind: Kind, name: str) -> dict[str, Any]:
    try:
        artifact = store.open(kind, name)
    except ArtifactError as error:
        return {"kind": kind, "name": name, "state": f"damaged: {error}", "made_from": [], "summary": "", "bytes": None}
    stale = stale_parents(store, artifact)
    return {
        "kind": kind,
        "name": name,
        "state": f"stale: {', '.join(stale)}" if stale else "whole",
        "made_from": [f"{parent.kind}/{parent.name}" for parent in artifact.manifest.parents],
        "summary": summary(artifact),
        "bytes": sum(entry.bytes for entry in artifact.manifest.files.values()),
    }


def summary(artifact: Artifact) -> str:
    """A few words about an artifact's content."""
    content = artifact.content
    parts = [str(content[key]) for key in ("summary",) if key in content]
    return parts[0] if parts else ""


def _size(count: int | None) -> str:
    if count is None:
        return "–"
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count = count / 1000  # type: ignore[assignment]
    return "–"
