"""`fer export`: features leave the workspace as a sheet that says what its components were fitted on."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli import __version__
from fercli.artifacts.store import Artifact, Store
from fercli.config.export import ExportConfig, FoldRows
from fercli.config.protocol import ProtocolConfig
from fercli.errors import InputError, UsageError
from fercli.export.sheet import SheetContent, fit_components, out_blocks, write_csv, write_xlsx
from fercli.preprocessing.foldwise import Fitted
from fercli.protocol.resolve import resolve
from fercli.records import Notify, Outcome, Samples, Table
from fercli.workflow.features import blocks_of
from fercli.workflow.inputs import folds_base
from fercli.workflow.named import named_artifact
from fercli.workflow.outside_files import check_target, whole
from fercli.workflow.plans import standing_folds
from fercli.workflow.request import Request

WRITERS = {".csv": write_csv, ".xlsx": write_xlsx}


@dataclass(frozen=True)
class FittedOn:
    """Rows that components are fitted on. short: for JSON. leak: what no division of the sheet's rows is free of."""

    rows: NDArray[np.int64]
    short: str
    leak: str


def run(
    name: str, out: Path, config: ExportConfig, request: Request, store: Store, notify: Notify, *, default_pca: bool
) -> Outcome:
    """Write the features called `name` to `out`, whole or not at all.

    default_pca: take the components that the features name as their default, not `config.pca`. Raises UsageError for
    an artifact that is no features, an ending other than .csv and .xlsx, and a file that stands, unless forced.
    """
    artifact = named_artifact(store, name, command="fer export", kinds=("features", "run"))
    if artifact.kind != "features":
        raise UsageError(
            f"{artifact.label} is no features artifact, and a sheet holds features",
            where="--format sheet",
            next_step=f"choose one of: {', '.join(store.names('features')) or 'none stands yet'}; "
            "a run's model leaves with --format onnx or safetensors",
        )
    check_target(out, "a sheet", tuple(WRITERS), force=request.force)
    samples = artifact.samples()
    pca = artifact.content["pca"] if default_pca else config.pca
    on = _fitted_on(store, artifact, samples, config.fit_on, request) if pca is not None else None
    if request.dry_run:
        where = f"components fitted on {on.short}" if on else "columns as they are"
        return Outcome(payload={"would_make": str(out)}, lines=(f"would write {out}: {where}",))
    features, blocks = artifact.array("features.npy"), blocks_of(artifact)
    fitted = fit_components(features, blocks, on.rows, pca) if on else None
    leaks = tuple(artifact.content["leaks"]) + ((on.leak,) if on and fitted else ())
    content = SheetContent(samples, features, blocks, fitted, leaks)
    shares = _shares(fitted)
    columns = [
        {"block": block.name, "columns": block.width, "variance": share}
        for block, share in zip(out_blocks(content), shares or [None] * len(blocks), strict=True)
    ]
    facts = {
        "features": artifact.name,
        "fingerprint": artifact.manifest.fingerprint,
        "rows": len(samples),
        "pca": pca,
        "fitted_on": on.short if on and fitted else None,
        "fitted_rows": len(on.rows) if on and fitted else 0,
    }
    notes = (
        *((key.replace("_", " "), "none" if value is None else value) for key, value in facts.items()),
        *((f"variance kept, {entry['block']}", entry["variance"]) for entry in columns if entry["variance"]),
        *(("leak", leak) for leak in leaks),
        ("written by", f"fercli {__version__}"),
    )
    with whole(out) as stream:
        WRITERS[out.suffix.lower()](SheetContent(samples, features, blocks, fitted, leaks, notes), stream)
    for leak in leaks:
        notify.warn(f"leak: {leak}")
    table = Table(
        f"{out.name}: {artifact.label}, {len(samples):,} rows",
        ("block", "columns", "share of the variance"),
        tuple((entry["block"], entry["columns"], entry["variance"]) for entry in columns),
        (f"components fitted on {on.short}" if on and fitted else "columns as they are, nothing fitted",),
    )
    payload = {"out": str(out), "format": "sheet", **facts, "blocks": columns, "leaks": list(leaks)}
    return Outcome(payload=payload, tables=(table,))


def _fitted_on(
    store: Store, artifact: Artifact, samples: Samples, wanted: str | FoldRows | None, request: Request
) -> FittedOn:
    if isinstance(wanted, FoldRows):
        return _fold_rows(store, artifact, samples, wanted, request)
    train = np.flatnonzero(samples.splits == "train")
    if wanted == "train" and not len(train):
        raise InputError(
            f"no row of {artifact.label} is in the split train",
            where="--fit-on train",
            next_step="give --fit-on all, or --fit-on 'fold R/F' with --folds NAME",
        )
    if wanted == "all" or not len(train):
        return FittedOn(np.arange(len(samples)), "all rows", "components were fitted on all rows of the sheet")
    return FittedOn(
        train, "train rows", "components were fitted on all train rows, so folds among those are not free of them"
    )


def _fold_rows(store: Store, artifact: Artifact, samples: Samples, wanted: FoldRows, request: Request) -> FittedOn:
    if request.inputs.get("folds"):
        folds = store.open("folds", str(request.inputs["folds"]))
    else:
        base = folds_base(artifact)
        data = artifact if base.kind == "features" else store.open("dataset", base.name)
        folds = store.only("folds", option="--folds", parent=data)
    plan = resolve(samples, ProtocolConfig(folds=folds.name), standing=standing_folds(folds))
    for fold in plan.folds:
        if (fold.repeat, fold.fold) == (wanted.repeat, wanted.fold):
            label = f"fold {wanted.repeat}/{wanted.fold} of {folds.name}"
            return FittedOn(
                fold.train,
                f"the training rows of {label}",
                f"components were fitted on the training rows of {label}, so only its held-out rows are free of them",
            )
    raise InputError(
        f"{folds.label} has no fold {wanted.repeat}/{wanted.fold}",
        where="--fit-on",
        next_step=f"repeats go from 0 to {plan.protocol.repeats - 1}, folds from 0 to {plan.protocol.k - 1}",
    )


def _shares(fitted: Fitted | None) -> list[float | None]:
    """The share of its block's variance that each projection keeps; None for a block without one."""
    if fitted is None:
        return []
    return [
        None if part is None or part.total_variance <= 0 else float(part.variances.sum() / part.total_variance)
        for part in fitted.projections
    ]
