"""`fer extract-features`: pictures of a data set become descriptor vectors."""

import time

from fercli.artifacts.store import Artifact, Store, free_space_or_fail
from fercli.config.descriptors import DescriptorConfig
from fercli.datasets.mapped_rows import release
from fercli.descriptors.extraction import Backend, blocks, chunks, extract_chunks
from fercli.records import Notify, Outcome
from fercli.workflow.features import RowFacts, features_content, features_outcome
from fercli.workflow.inputs import input_artifact
from fercli.workflow.request import Request

ALGORITHM = 1
# How often rows are made durable; a killed extraction repeats at most this much.
FLUSH_SECONDS = 2.0


def run(
    config: DescriptorConfig,
    request: Request,
    store: Store,
    notify: Notify,
    *,
    backend: Backend = "loky",
    scheduler: str | None = None,
) -> Outcome:
    """Extract every picture's raw descriptors, float32 (N, D); PCA is only noted as the trainers' default."""
    dataset = input_artifact(store, "dataset", request)
    images = dataset.array("images.npy")
    columns = blocks(config, images.shape[1:])
    width = columns[-1].stop
    name = request.name or dataset.name
    if request.dry_run:
        size = len(images) * width * 4
        return Outcome(
            payload={"would_make": f"features/{name}", "rows": len(images), "columns": width, "bytes": size},
            lines=(f"would extract {len(images):,} x {width:,} columns ({size / 1e6:,.0f} MB) into features/{name}",),
        )
    begun = store.begin(
        "features",
        name,
        algorithm=ALGORITHM,
        config=config.stored(),
        parents=[dataset.parent()],
        seed=None,
        command=request.command,
        execution=request.execution(backend=backend),
        force=request.force,
    )
    if isinstance(begun, Artifact):
        notify.say(f"{begun.label} is up to date")
        return features_outcome(begun, "up-to-date")
    with begun as draft:
        free_space_or_fail(store.root, len(images) * width * 4)
        draft.keep_partial()
        started = flushed = time.perf_counter()
        parts = chunks(len(images), images.shape[1:])
        writer = draft.array_writer("features.npy", (width,), "float32", resume=True)
        done = [part for part in parts if part.stop <= writer.rows]
        if writer.rows != (done[-1].stop if done else 0):
            # Rows of a version that cut chunks elsewhere: begin again rather than repeat or lose some.
            writer, done = draft.array_writer("features.npy", (width,), "float32"), []
        with writer:
            if writer.rows:
                notify.say(f"going on after {writer.rows:,} rows that an interrupted run left")
            with notify.progress("extracting", len(images), "images") as bar:
                bar.advance(writer.rows)
                for _, rows in extract_chunks(
                    images, config, jobs=request.jobs, backend=backend, scheduler=scheduler, skip=len(done)
                ):
                    writer.append(rows)
                    bar.advance(len(rows))
                    release(images)
                    if time.perf_counter() - flushed > FLUSH_SECONDS:
                        writer.flush()
                        flushed = time.perf_counter()
        draft.copy_file("samples.csv", dataset.file("samples.csv"))
        draft.write_csv("timing.csv", ("step", "seconds"), (("extracting", time.perf_counter() - started),))
        path = draft.commit(features_content(RowFacts.of_dataset(dataset), columns, pca=config.pca))
        status = "resumed" if draft.resumed else "done"
    return features_outcome(store.read(path, "features"), status)
