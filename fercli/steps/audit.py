"""`fer audit`: what is wrong with a data set or with features; nothing is written to the workspace."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fercli.artifacts.store import Artifact, Store
from fercli.artifacts.tables import csv_bytes
from fercli.config.audit import FEATURE_GATES, IMAGE_GATES, AuditConfig, check_gates
from fercli.datasets import audit_tables as tables
from fercli.datasets.audit import audit_images
from fercli.datasets.audit_features import FeatureAudit, audit_features
from fercli.datasets.audit_rows import (
    copies_of_training_rows,
    groups_across_splits,
    groups_per_class,
    unreadable,
    whole_frame_crops,
)
from fercli.errors import GateFailed, UsageError
from fercli.records import SPLITS, LeftOut, Notify, Outcome, Samples, Table
from fercli.workflow.features import blocks_of
from fercli.workflow.inputs import data_artifact
from fercli.workflow.request import Request
from fercli.workflow.rows import class_counts, class_table, group_count, left_out_table


@dataclass
class _Findings:
    """What both kinds of audit gather: the JSON keys, the tables, the files for `--out`, the value of each gate."""

    payload: dict[str, Any]
    tables: list[Table]
    lines: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    values: dict[str, int] = field(default_factory=dict)


def run(config: AuditConfig, out: Path | None, request: Request, store: Store, notify: Notify) -> Outcome:
    """Audit the named data set or features, else the only one; with `out`, lists and pictures of every finding."""
    data = data_artifact(store, request)
    if data.kind == "dataset":
        check_gates(config.fail_on, IMAGE_GATES, of="pictures")
    else:
        check_gates(config.fail_on, FEATURE_GATES, of="features")
    if out is not None and out.exists() and not out.is_dir():
        raise UsageError("--out is a file, not a folder", where=str(out), next_step="name a folder with --out")
    samples = data.samples()
    if request.dry_run:
        place = "" if out is None else f", and write lists into {out}"
        return Outcome(
            payload={"would_audit": data.label, "rows": len(samples), "would_write": None if out is None else str(out)},
            lines=(f"would audit {len(samples):,} rows of {data.label}{place}",),
        )
    found = _rows_findings(data, samples)
    if data.kind == "dataset":
        _audit_pictures(data, samples, config, found, notify, wanted=out is not None)
    else:
        _audit_columns(data, samples, config, found, notify, wanted=out is not None)
    if out is not None:
        for name, content in found.files.items():
            store.disk.replace_file(out / name, content)
        found.payload["files"] = [str(out / name) for name in found.files]
        found.lines += [f"wrote {out / name}" for name in found.files]
    return _outcome(config, found, legal=IMAGE_GATES if data.kind == "dataset" else FEATURE_GATES, out=out)


def _rows_findings(data: Artifact, samples: Samples) -> _Findings:
    """What needs neither pictures nor features."""
    left_out = [LeftOut(item["source"], item["reason"]) for item in data.content["left_out"]]
    broken = unreadable(left_out)
    present = [(name, samples.splits == name) for name in (*SPLITS, "")]
    groups, across = groups_per_class(samples), groups_across_splits(samples)
    payload = {
        "audited": data.label,
        "images": len(samples),
        "splits": {name or "none": int(here.sum()) for name, here in present if here.any()},
        "classes": {name: int((samples.labels == name).sum()) for name in samples.classes},
        "counts": class_counts(samples),
        "groups": group_count(samples),
        "groups_across_splits": across,
        "unreadable": len(broken),
        "left_out": len(left_out),
    }
    shown = [class_table(class_counts(samples), f"{data.label}: {data.content['summary']}")]
    if groups:
        shown.append(tables.groups_table(groups, across))
    if left_out:
        shown.append(left_out_table(left_out))
    files = {}
    if broken:
        files["unreadable.csv"] = csv_bytes(("source", "reason"), ((item.source, item.reason) for item in broken))
    return _Findings(payload, shown, files=files, values={"unreadable": len(broken)})


def _audit_pictures(
    data: Artifact, samples: Samples, config: AuditConfig, found: _Findings, notify: Notify, *, wanted: bool
) -> None:
    images = data.array("images.npy")
    with notify.progress("auditing", len(images), "images") as bar:
        audit = audit_images(images, samples, config, bar.advance)
    if audit.crowded:
        notify.warn(
            f"{audit.crowded:,} pictures look like so many others that not every pair was compared; "
            "a near set may show as several"
        )
    crops = whole_frame_crops(samples)
    copied = copies_of_training_rows(samples, audit.exact)
    found.payload |= {
        "exact": audit.exact.counts(),
        "near": audit.near.counts(),
        "blank": len(audit.blank),
        "nearly_constant": len(audit.faint),
        "copies_of_training_rows": copied,
        "whole_frame_crops": None if crops is None else len(crops),
    }
    found.values |= {
        "cross-split-duplicates": audit.exact.counts()["cross_split"],
        "conflicting-labels": audit.exact.counts()["conflicting"],
        "near-duplicates": audit.near.groups,
        "blank": len(audit.blank),
    }
    found.tables.append(tables.sets_table({"exact": audit.exact, "near": audit.near}, rows="images"))
    if audit.exact.groups:
        found.tables.append(tables.worst_table("Exact duplicates, the worst first", audit.exact, samples))
    if audit.near.groups:
        found.tables.append(tables.worst_table("Near duplicates, the worst first", audit.near, samples))
    found.lines.append(f"blank pictures (standard deviation below {config.blank_below:g}): {len(audit.blank):,}")
    found.lines.append(f"nearly constant pictures (below {config.faint_below:g}): {len(audit.faint):,}")
    found.lines += [f"{split} pictures that equal a training picture: {count:,}" for split, count in copied.items()]
    if crops is not None:
        found.lines.append(f"crops that are their whole frame: {len(crops):,}")
    if wanted:
        # Only here: drawing loads matplotlib.
        from fercli.workflow.audit_files import picture_files

        found.files |= picture_files(images, samples, audit, crops, data.label)


def _audit_columns(
    data: Artifact, samples: Samples, config: AuditConfig, found: _Findings, notify: Notify, *, wanted: bool
) -> None:
    features = data.array("features.npy")
    with notify.progress("auditing", len(features), "rows") as bar:
        audit = audit_features(features, samples, blocks_of(data), config, bar.advance)
    leaks = list(data.content["leaks"])
    found.payload |= {
        "exact": audit.exact.counts(),
        "near": None,
        "blank": None,
        "not_finite": len(audit.not_finite),
        "dominating": [
            {"id": str(samples.ids[entry.row]), "component": entry.component, "share": entry.share}
            for entry in audit.dominating
        ],
        "leaks": leaks,
    }
    found.values |= {
        "cross-split-duplicates": audit.exact.counts()["cross_split"],
        "conflicting-labels": audit.exact.counts()["conflicting"],
    }
    found.tables.append(tables.sets_table({"exact": audit.exact}, rows="rows"))
    if audit.exact.groups:
        found.tables.append(tables.worst_table("Equal rows, the worst first", audit.exact, samples))
    if audit.dominating:
        found.tables.append(_dominating_table(audit, samples, config))
    found.lines.append(f"rows with a value that is not finite: {len(audit.not_finite):,}")
    found.lines.append(
        f"rows that carry {100 * config.dominant_share:g} % or more of a component's variance: "
        f"{len(audit.dominating):,}"
    )
    found.lines += [f"leak: {leak}" for leak in leaks]
    if wanted:
        from fercli.workflow.audit_files import feature_files

        found.files |= feature_files(samples, audit)


def _dominating_table(audit: FeatureAudit, samples: Samples, config: AuditConfig) -> Table:
    rows = tuple(
        (tables.described(samples, entry.row), entry.component, entry.share)
        for entry in audit.dominating[: tables.LISTED]
    )
    hidden = len(audit.dominating) - len(rows)
    notes = (f"and {hidden:,} more; --out FOLDER lists them all",) if hidden else ()
    return Table("Rows that dominate a component", ("row", "component", "share of its variance"), rows, notes)


def _outcome(config: AuditConfig, found: _Findings, *, legal: Mapping[str, str], out: Path | None) -> Outcome:
    gates = [
        {"expression": name, "value": found.values[name], "passed": found.values[name] == 0} for name in config.fail_on
    ]
    found.payload["gates"] = gates
    failure = _failure(gates, legal, out)
    if failure is not None:
        # The findings and the failure are one JSON object.
        found.payload["error"] = {
            "code": int(failure.code),
            "kind": failure.kind,
            "message": failure.what,
            "where": failure.where,
            "next": failure.next_step,
        }
    return Outcome(
        status="done" if failure is None else "failed",
        payload=found.payload,
        tables=tuple(found.tables),
        lines=tuple(found.lines),
        failure=failure,
    )


def _failure(gates: Sequence[Mapping[str, Any]], legal: Mapping[str, str], out: Path | None) -> GateFailed | None:
    failed = [gate for gate in gates if not gate["passed"]]
    if not failed:
        return None
    parts = [f"{legal[gate['expression']]}: {gate['value']:,}" for gate in failed]
    return GateFailed(
        f"{len(failed)} of {len(gates)} gates failed: {'; '.join(parts)}",
        where=f"--fail-on {','.join(gate['expression'] for gate in failed)}",
        next_step=f"{'list them with --out FOLDER' if out is None else f'see the lists in {out}'}, "
        "then mend the source and import it again",
    )
