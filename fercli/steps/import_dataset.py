"""`fer import-dataset`: files of pictures become a data set."""

from pathlib import Path

from fercli.artifacts.store import Artifact, Store
from fercli.config.import_dataset import ImportDatasetConfig
from fercli.datasets import formats
from fercli.datasets.sources import open_source
from fercli.records import Notify, Outcome
from fercli.workflow.datasets import dataset_outcome, write_dataset
from fercli.workflow.request import Request
from fercli.workflow.sources import default_name, source_parent

ALGORITHM = 1


def run(source: Path, config: ImportDatasetConfig, request: Request, store: Store, notify: Notify) -> Outcome:
    """Read `source` (folder, .zip, .tar.*) in one pass; nothing is unpacked to disk."""
    parents = [source_parent(source)]
    if config.faces == "crop" and config.detector_model is not None:
        parents.append(source_parent(Path(config.detector_model)))
    opened = open_source(source)
    config = config.model_copy(update={"format": formats.resolve_format(opened, config)})
    name = request.name or default_name(source)
    if request.dry_run:
        return Outcome(
            payload={"would_make": f"dataset/{name}", "format": config.format},
            lines=(f"would read {source} as {config.format} and write dataset/{name}",),
        )
    begun = store.begin(
        "dataset",
        name,
        algorithm=ALGORITHM,
        config=config.stored(),
        parents=parents,
        seed=None,
        command=request.command,
        execution=request.execution(),
        force=request.force,
    )
    if isinstance(begun, Artifact):
        notify.say(f"{begun.label} is up to date")
        return dataset_outcome(begun, "up-to-date")
    with begun as draft:
        notify.say(f"reading {source} as {config.format}")
        artifact = write_dataset(
            store,
            draft,
            formats.read(opened, config),
            config,
            notify,
            what="reading",
            where=str(source),
            facts={"format": config.format},
        )
    return dataset_outcome(artifact, "done")
