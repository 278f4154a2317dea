"""`fer import-features`: a feature table that somebody else made becomes features."""

import time
from pathlib import Path

import numpy as np

from fercli.artifacts.store import Artifact, Store
from fercli.artifacts.tables import samples_bytes
from fercli.config.import_features import ImportFeaturesConfig
from fercli.datasets.feature_sheets import read_sheet
from fercli.errors import InputError
from fercli.records import Notify, Outcome
from fercli.workflow.features import RowFacts, features_content, features_outcome
from fercli.workflow.request import Request
from fercli.workflow.sources import default_name, source_parent

ALGORITHM = 1


def run(sheet: Path, config: ImportFeaturesConfig, request: Request, store: Store, notify: Notify) -> Outcome:
    """Read a CSV or XLSX sheet; its columns are taken as they are, so no PCA is the default for trainers."""
    if sheet.is_dir():
        raise InputError(
            "this is a folder, not a sheet",
            where=str(sheet),
            next_step="name a CSV or XLSX file; pictures come in with fer import-dataset",
        )
    parent = source_parent(sheet)
    name = request.name or default_name(sheet)
    if request.dry_run:
        return Outcome(
            payload={"would_make": f"features/{name}"}, lines=(f"would read {sheet} and write features/{name}",)
        )
    begun = store.begin(
        "features",
        name,
        algorithm=ALGORITHM,
        config=config.stored(),
        parents=[parent],
        seed=None,
        command=request.command,
        execution=request.execution(),
        force=request.force,
    )
    if isinstance(begun, Artifact):
        notify.say(f"{begun.label} is up to date")
        return features_outcome(begun, "up-to-date")
    with begun as draft:
        started = time.perf_counter()
        read = read_sheet(sheet, config.format)
        draft.write_array("features.npy", read.features.astype(np.float32))
        draft.write_bytes("samples.csv", samples_bytes(read.samples))
        draft.write_csv("left_out.csv", ("source", "reason"), ((item.source, item.reason) for item in read.left_out))
        draft.write_csv("timing.csv", ("step", "seconds"), (("reading", time.perf_counter() - started),))
        content = features_content(
            RowFacts.of_samples(read.samples),
            read.blocks,
            pca=None,
            left_out=read.left_out,
            notes=read.notes,
            leaks=read.leaks,
        )
        path = draft.commit(content)
    return features_outcome(store.read(path, "features"), "done")
