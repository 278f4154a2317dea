"""Feature artifacts: their blocks and content, and what the commands that make them answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fercli.artifacts.store import Artifact
from fercli.records import Block, LeftOut, Outcome, Samples, Table
from fercli.workflow.rows import class_counts, class_table, group_count, left_out_json, left_out_table


@dataclass(frozen=True)
class RowFacts:
    """What a features artifact says of its rows."""

    count: int
    classes: Sequence[str]
    groups: int
    counts: Mapping[str, Mapping[str, int]]

    @classmethod
    def of_samples(cls, samples: Samples) -> "RowFacts":
        """Counted from the rows."""
        return cls(len(samples), samples.classes, group_count(samples), class_counts(samples))

    @classmethod
    def of_dataset(cls, dataset: Artifact) -> "RowFacts":
        """As the data set says, without reading its rows: a million of them would not stay small."""
        content = dataset.content
        return cls(content["rows"], content["classes"], content["groups"], content["counts"])


def features_content(
    rows: RowFacts,
    blocks: Sequence[Block],
    *,
    pca: int | float | None,
    left_out: Sequence[LeftOut] = (),
    notes: Sequence[str] = (),
    leaks: Sequence[str] = (),
) -> dict[str, Any]:
    """The facts of a features artifact; `pca` is the default that trainers take."""
    widths = " + ".join(f"{block.name} {block.width:,}" for block in blocks)
    return {
        "summary": f"{rows.count:,} rows, {widths}" + (f", {rows.groups:,} groups" if rows.groups else ""),
        "rows": rows.count,
        "classes": list(rows.classes),
        "blocks": [
            {"name": block.name, "start": block.start, "stop": block.stop, "columns": list(block.columns)}
            for block in blocks
        ],
        "groups": rows.groups,
        "pca": pca,
        "left_out": left_out_json(left_out),
        "notes": list(notes),
        "leaks": list(leaks),
        "counts": rows.counts,
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
    table = class_table(content["counts"], f"{artifact.label}: {content['summary']}")
    tables = [Table(table.title, table.columns, table.rows, notes)]
    if left_out:
        tables.append(left_out_table(left_out))
    keys = ("rows", "classes", "groups", "pca", "left_out", "notes", "leaks", "counts")
    blocks = [{"name": block.name, "columns": block.width} for block in blocks_of(artifact)]
    payload = {**{key: content[key] for key in keys}, "blocks": blocks}
    return Outcome(status=status, artifact=artifact.label, payload=payload, tables=tuple(tables))
