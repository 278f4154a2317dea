"""The files that `fer audit --out` writes: every finding as CSV, and a contact sheet of the worst."""

import numpy as np
from numpy.typing import NDArray

from fercli.artifacts.tables import csv_bytes
from fercli.datasets import audit_tables as tables
from fercli.datasets.audit import ImageAudit
from fercli.datasets.audit_features import FeatureAudit
from fercli.datasets.duplicate_sets import DuplicateSets
from fercli.datasets.duplicates_near import difference
from fercli.datasets.mapped_rows import gather
from fercli.records import Samples
from fercli.report.figures.contact_sheet import ACROSS, Strip, contact_sheet
from fercli.report.figures.style import png_bytes

Rows = NDArray[np.int64]
_STRIPS = 6


def feature_files(samples: Samples, audit: FeatureAudit) -> dict[str, bytes]:
    """duplicates.csv, dominating.csv and not-finite.csv."""
    return {
        "duplicates.csv": csv_bytes(tables.MEMBER_COLUMNS, tables.members(audit.exact, samples)),
        "dominating.csv": csv_bytes(
            ("id", "label", "split", "component", "share"),
            ((*_row_facts(samples, entry.row), entry.component, float(entry.share)) for entry in audit.dominating),
        ),
        "not-finite.csv": csv_bytes(
            ("id", "label", "split"), (_row_facts(samples, row) for row in audit.not_finite.tolist())
        ),
    }


def _row_facts(samples: Samples, row: int) -> tuple[str, str, str]:
    return str(samples.ids[row]), str(samples.labels[row]), str(samples.splits[row])


def picture_files(
    images: NDArray[np.uint8], samples: Samples, audit: ImageAudit, crops: Rows | None, label: str
) -> dict[str, bytes]:
    """duplicates.csv, near.csv, blank.csv, whole-frame-crops.csv where boxes are known, and contact-sheet.png."""
    apart = [difference(gather(images, rows), images[rows[0]][None]) for rows in audit.near.members]
    flat = np.concatenate(apart) if apart else np.empty(0)
    dull = np.concatenate([audit.blank, audit.faint])
    files = {
        "duplicates.csv": csv_bytes(tables.MEMBER_COLUMNS, tables.members(audit.exact, samples)),
        "near.csv": csv_bytes(
            (*tables.MEMBER_COLUMNS, "difference_to_first"), tables.members(audit.near, samples, flat)
        ),
        "blank.csv": csv_bytes(
            ("id", "label", "split", "source", "standard_deviation", "blank"),
            (
                (
                    *(str(column[row]) for column in (samples.ids, samples.labels, samples.splits, samples.sources)),
                    float(audit.spread[row]),
                    int(place < len(audit.blank)),
                )
                for place, row in enumerate(dull.tolist())
            ),
        ),
    }
    if crops is not None:
        files["whole-frame-crops.csv"] = csv_bytes(("id",), ((str(samples.ids[row]),) for row in crops.tolist()))
    strips = [
        *_strips("exact", audit.exact, images, samples),
        *_strips("near", audit.near, images, samples),
        *_dull_strip("blank", audit.blank, images, samples, audit),
        *_dull_strip("nearly constant", audit.faint, images, samples, audit),
    ]
    if strips:
        files["contact-sheet.png"] = png_bytes(contact_sheet(f"Audit of {label}: the worst", strips))
    return files


def _strips(kind: str, sets: DuplicateSets, images: NDArray[np.uint8], samples: Samples) -> list[Strip]:
    strips = []
    for at in sets.worst(_STRIPS):
        rows = sets.members[at]
        facts = [f"{kind} set {at}", f"{len(rows)} pictures"]
        facts += ["across splits"] if sets.cross_split[at] else []
        facts += ["conflicting labels"] if sets.conflicting[at] else []
        strips.append(_strip(" · ".join(facts), rows, images, samples, alarming=len(facts) > 2))
    return strips


def _dull_strip(kind: str, rows: Rows, images: NDArray[np.uint8], samples: Samples, audit: ImageAudit) -> list[Strip]:
    title = f"{kind}: {len(rows):,} pictures"
    return [_strip(title, rows[np.argsort(audit.spread[rows], kind="stable")], images, samples)] if len(rows) else []


def _strip(title: str, rows: Rows, images: NDArray[np.uint8], samples: Samples, *, alarming: bool = False) -> Strip:
    """The first pictures, but first one of each pair of label and split, so that a contradiction is seen."""
    facts = [(str(samples.labels[row]), str(samples.splits[row])) for row in rows.tolist()]
    order = sorted(range(len(rows)), key=lambda place: (facts.index(facts[place]) != place, place))[:ACROSS]
    return Strip(
        title,
        [np.asarray(images[rows[place]]) for place in order],
        [
            (" · ".join(filter(None, facts[place])) or "no label", str(samples.ids[rows[place]])[-28:])
            for place in order
        ],
        alarming=alarming,
        more=len(rows) - len(order),
    )
