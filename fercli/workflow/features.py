"""Feature artifacts: their blocks and content, and what the commands that make them answer."""

from collections.abc import Sequence
from typing import Any

from fercli.artifacts.store import Artifact
from fercli.records import Block, LeftOut, Outcome, Samples, Table
from fercli.workflow.rows import class_counts, class_table, group_count, left_out_json, left_out_table


def features_content(
    samples: Samples,
    blocks: Sequence[Block],
    *,
    pca: int | float | None,
    left_out: Sequence[LeftOut] = (),
    notes: Sequence[str] = (),
    leaks: Sequence[str] = (),
) -> dict[str, Any]:
    """The facts of a features artifact; `pca` is the default that trainers take."""
    groups = group_count(samples)
    widths = " + ".join(f"{block.name} {block.width:,}" for block in blocks)
    return {
        "summary": f"{len(samples):,} rows, {widths}" + (f", {groups:,} groups" if groups else ""),
        "rows": len(samples),
        "classes": list(samples.classes),
        "blocks": [
            {"name": block.name, "start": block.start, "stop": block.stop, "columns": list(block.columns)}
            for block in blocks
        ],
        "groups": groups,
        "pca": pca,
        "left_out": left_out_json(left_out),
        "notes": list(notes),
        "leaks": list(leaks),
        "counts": class_counts(samples),
    }


def blocks_of(artifact: Artifact) -> tuple[Block, ...]:
    """The descriptor blocks of a features artifact."""
    return tuple(
        Block(block["name"], block["start"], block["stop"], tuple(block["columns"]))
        for block in artifact.content["blocks"]
    )


def features_outcome(artifact: Artifact, status: str) -> Outcome:
    """What the commands that make features answer."""
    content = artifact.content
    left_out = [LeftOut(item["source"], item["reason"]) for item in content["left_out"]]
    notes = (*content["notes"], *(f"leak: {leak}" for leak in content["leaks"]))
    table = class_table(artifact.samples(), f"{artifact.label}: {content['summary']}")
    tables = [Table(table.title, table.columns, table.rows, notes)]
    if left_out:
        tables.append(left_out_table(left_out))
    keys = ("rows", "classes", "groups", "pca", "left_out", "notes", "leaks", "counts")
    blocks = [{"name": block.name, "columns": block.width} for block in blocks_of(artifact)]
    payload = {**{key: content[key] for key in keys}, "blocks": blocks}
    return Outcome(status=status, artifact=artifact.label, payload=payload, tables=tuple(tables))
