"""From options to the folds of a trainer: standing folds found, new ones made and stored."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fercli.artifacts.schema import Parent
from fercli.artifacts.store import Artifact, Store
from fercli.artifacts.tables import csv_bytes, read_csv
from fercli.config.protocol import ProtocolConfig
from fercli.datasets.folds_sheet import read_folds_sheet
from fercli.errors import ArtifactError, InputError, UsageError
from fercli.protocol.describe import balances, describe
from fercli.protocol.resolve import is_official, left_out, resolve
from fercli.protocol.standing import FOLD_COLUMNS, StandingFolds, folds_table, read_folds_table
from fercli.records import FoldPlan, FoldProtocol, LeftOut, Notify, Samples
from fercli.workflow.inputs import folds_base
from fercli.workflow.request import Request
from fercli.workflow.sources import default_name, source_parent

ALGORITHM = 1
# What decides the folds themselves; the inner monitor rows are drawn per run.
FOLD_FIELDS = ("scheme", "k", "repeats", "duplicates", "pool_splits", "allow_group_leak", "seed")


@dataclass(frozen=True)
class Planned:
    """The folds of one run. parents: of the run, the data first. line: the protocol in one line."""

    plan: FoldPlan
    parents: tuple[Parent, ...]
    line: str
    left_out: tuple[LeftOut, ...]
    folds_name: str | None


def plan_for(
    store: Store, data: Artifact, samples: Samples, config: ProtocolConfig, request: Request, notify: Notify
) -> Planned:
    """Resolve the protocol (design: official split, else standing folds, else new ones), store new folds, say it."""
    sheet = users_table(config)
    standing_artifact = None if sheet else _standing_artifact(store, data, samples, config)
    standing = read_folds_sheet(sheet) if sheet else None
    if standing_artifact is not None:
        standing = standing_folds(standing_artifact)
    plan = resolve(samples, config, standing=standing)
    excluded = left_out(samples, config, standing=standing)
    parents: tuple[Parent, ...] = (data.parent(),)
    folds_name = None
    if standing_artifact is not None:
        folds_name = standing_artifact.name
        parents += (standing_artifact.parent(),)
    elif plan.protocol.scheme != "official" and not request.dry_run:
        made, status = store_folds(store, data, samples, plan, config, request, name=None)
        if status == "done":
            store.provisional.append(made)
        folds_name = made.name
        parents += (made.parent(),)
    line = describe(plan)
    notify.say(f"protocol: {line}" + (f" (folds {folds_name})" if folds_name else ""))
    for note in plan.notes:
        notify.say(f"  {note}")
    for leak in (*plan.protocol.leaks, *data.content.get("leaks", [])):
        notify.warn(f"leak: {leak}")
    return Planned(plan, parents, line, excluded, folds_name)


def users_table(config: ProtocolConfig) -> Path | None:
    """The file that `--folds` means, where it means a user's own table and not an artifact; InputError when missing."""
    if config.folds is None:
        return None
    path = Path(config.folds)
    if path.is_file():
        return path
    if path.suffix.lower() == ".csv" and not path.is_dir():
        raise InputError("the table of folds does not exist", where=config.folds, next_step="check the path")
    return None


def _standing_artifact(store: Store, data: Artifact, samples: Samples, config: ProtocolConfig) -> Artifact | None:
    """The folds that `--folds` names, or the only ones of this data where nothing else is asked for."""
    if config.folds is not None:
        return store.open("folds", config.folds)
    if config.scheme is not None or config.k is not None or is_official(samples, config):
        return None
    base = folds_base(data)
    found = [
        folds
        for folds in (store.open("folds", name) for name in store.names("folds"))
        if any((parent.kind, parent.name) == (base.kind, base.name) for parent in folds.manifest.parents)
    ]
    if len(found) > 1:
        raise UsageError(
            f"{len(found)} folds of {base.kind}/{base.name} stand",
            where=", ".join(folds.name for folds in found),
            next_step=f"name one with --folds {found[0].name}, or say --k",
        )
    return found[0] if found else None


def standing_folds(artifact: Artifact) -> StandingFolds:
    """The folds of an artifact, for `resolve`."""
    _, rows = read_csv(artifact.file("folds.csv"), FOLD_COLUMNS)
    stored = artifact.content.get("protocol")
    try:
        protocol = None if stored is None else FoldProtocol(**{**stored, "leaks": tuple(stored["leaks"])})
    except (TypeError, KeyError):
        raise ArtifactError(
            f"{artifact.label} has no readable protocol",
            where=str(artifact.path),
            next_step="make the folds again with --force",
        ) from None
    return read_folds_table(rows, name=artifact.label, protocol=protocol)


def folds_config(plan: FoldPlan, config: ProtocolConfig) -> dict[str, Any]:
    """What decides the folds, with scheme and k as they were resolved."""
    values = {name: value for name, value in config.stored().items() if name in FOLD_FIELDS}
    scheme, groups = plan.protocol.scheme, plan.protocol.groups
    # A permission that these folds had no use for decides nothing.
    allowed = config.allow_group_leak and scheme == "stratified" and groups > 0
    # The number of folds of a user's own table lies in the table, which is a parent.
    k = None if config.folds else plan.protocol.k
    return {**values, "scheme": scheme, "k": k, "allow_group_leak": allowed}


def default_folds_name(base: Parent, plan: FoldPlan, config: ProtocolConfig) -> str:
    """`DATA-SCHEME-K`, with what differs from the defaults after it, so that other folds get another name; for a
    user's own table its stem in place of `DATA-SCHEME-K`."""
    table = users_table(config)
    parts = [default_name(table)] if table else [base.name, plan.protocol.scheme, str(plan.protocol.k)]
    if config.repeats != 1:
        parts.append(f"x{config.repeats}")
    if config.duplicates != "group":
        parts.append(config.duplicates)
    if config.pool_splits:
        parts.append("pooled")
    if config.seed:
        parts.append(f"seed{config.seed}")
    return "-".join(parts)


def store_folds(
    store: Store,
    data: Artifact,
    samples: Samples,
    plan: FoldPlan,
    config: ProtocolConfig,
    request: Request,
    *,
    name: str | None,
) -> tuple[Artifact, str]:
    """The folds of `plan` as an artifact, and whether it was made now (`done`) or stood already (`up-to-date`)."""
    base = folds_base(data)
    table = users_table(config)
    begun = store.begin(
        "folds",
        name or default_folds_name(base, plan, config),
        algorithm=ALGORITHM,
        config=folds_config(plan, config),
        parents=[base, source_parent(table)] if table else [base],
        seed=config.seed,
        command=request.command,
        execution=request.execution(),
        # Without a name of its own the name says what the folds are: making them again changes nothing else.
        force=request.force and name is not None,
    )
    if isinstance(begun, Artifact):
        return begun, "up-to-date"
    with begun as draft:
        draft.write_bytes("folds.csv", csv_bytes(FOLD_COLUMNS, folds_table(plan, samples)))
        path = draft.commit(
            {
                "summary": describe(plan),
                "rows": len(plan.rows),
                "protocol": {**asdict(plan.protocol), "leaks": list(plan.protocol.leaks)},
                "notes": list(plan.notes),
                "balance": [asdict(balance) for balance in balances(plan, samples)],
            }
        )
    return store.read(path, "folds"), "done"


def row_roles(plan: FoldPlan, fold_index: int, count: int) -> np.ndarray[Any, Any]:
    """(count,) int8 role of every row of the data in one fold: 0 unused, 1 fitted on, 2 inner, 3 held out."""
    fold = plan.folds[fold_index]
    roles = np.zeros(count, dtype=np.int8)
    roles[fold.train] = 1
    roles[fold.inner] = 2
    roles[fold.test] = 3
    return roles
