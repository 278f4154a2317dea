"""Folds: one row per id and repeat, drawn as the manifest says, groups and copies where the protocol puts them."""

from dataclasses import asdict

from fercli.artifacts.schema import MANIFEST
from fercli.artifacts.store import Artifact
from fercli.artifacts.tables import read_csv
from fercli.config.protocol import ProtocolConfig
from fercli.protocol.describe import balances, describe
from fercli.protocol.resolve import resolve
from fercli.protocol.standing import FOLD_COLUMNS, folds_table
from fercli.records import FoldPlan, Samples
from fercli.workflow.plans import ALGORITHM, standing_folds
from fercli.workflow.verification import Covered, Difference
from fercli.workflow.verification_values import difference_list

FILE = "folds.csv"


def folds_as_told(folds: Artifact, samples: Samples) -> Covered:
    """The table is whole, held-out rows are disjoint, and what crosses (groups, copies) is what the protocol says."""
    standing = standing_folds(folds)
    plan = resolve(samples, ProtocolConfig.of(folds=folds.name, monitor="none"), standing=standing)
    protocol = {**asdict(plan.protocol), "leaks": list(plan.protocol.leaks)}
    # Folds of an earlier form do not say whether splits were pooled, which then reads as no.
    stored = {"pooled": False, **folds.content["protocol"]}
    found = difference_list("the protocol states otherwise", MANIFEST, stored, protocol)
    told = {
        "summary": describe(plan),
        "rows": len(plan.rows),
        "balance": [asdict(one) for one in balances(plan, samples)],
    }
    found += difference_list("the manifest says otherwise than the table:", MANIFEST, folds.content, told)
    found += _rows_not_of(folds, plan, samples, "the table is not that of its rows")
    return Covered(len(plan.folds), "folds", found)


def why_not_drawn(folds: Artifact) -> str | None:
    """Why a table cannot be drawn again; None where it can."""
    if any(parent.kind == "source" for parent in folds.manifest.parents):
        return "the table is a user's own"
    if folds.manifest.algorithm != ALGORITHM:
        return f"it is of algorithm version {folds.manifest.algorithm}, this release has {ALGORITHM}"
    return None


def folds_as_drawn(folds: Artifact, samples: Samples) -> Covered:
    """The same scheme, seed and rows give the same table."""
    config = folds.config
    scheme = "auto" if config["scheme"] == "stratified-grouped" else config["scheme"]
    k = None if scheme == "logo" else config["k"]
    protocol = ProtocolConfig.of(**{**config, "scheme": scheme, "k": k, "monitor": "none"})
    found = _rows_not_of(folds, resolve(samples, protocol), samples, "a row is not in the fold that its scheme draws")
    return Covered(len(samples), "rows", found)


def _rows_not_of(folds: Artifact, plan: FoldPlan, samples: Samples, what: str) -> list[Difference]:
    """The first line of folds.csv that differs from the plan's, with how many do."""
    _, stored = read_csv(folds.file(FILE), FOLD_COLUMNS)
    computed = [[str(cell) for cell in row] for row in folds_table(plan, samples)]
    if len(stored) != len(computed):
        return [Difference(f"{what}: another number of rows", FILE, len(stored), len(computed))]
    off = [number for number, (own, other) in enumerate(zip(stored, computed, strict=True)) if own != other]
    if not off:
        return []
    more = f"; {len(off):,} rows in all" if len(off) > 1 else ""
    first = off[0]
    place = f"{FILE}, row {first + 2}: {stored[first][0]}{more}"
    return [Difference(what, place, ",".join(stored[first]), ",".join(computed[first]))]
