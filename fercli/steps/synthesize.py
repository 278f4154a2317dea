"""`fer synthesize`: a data set of faces that the package draws itself."""

from fercli.artifacts.store import Artifact, Store
from fercli.config.import_dataset import ImportDatasetConfig
from fercli.config.synthesize import SynthesizeConfig
from fercli.datasets import synthetic
from fercli.records import Notify, Outcome
from fercli.workflow.datasets import dataset_outcome, write_dataset
from fercli.workflow.request import Request

ALGORITHM = 1
DEFAULT_NAME = "synthetic"


def run(config: SynthesizeConfig, request: Request, store: Store, notify: Notify) -> Outcome:
    """Draw subjects × images_per_subject faces with exact labels and the subject as group."""
    name = request.name or DEFAULT_NAME
    total = config.subjects * config.images_per_subject
    if request.dry_run:
        return Outcome(
            payload={"would_make": f"dataset/{name}", "rows": total},
            lines=(f"would draw {total:,} faces of {config.subjects:,} subjects and write dataset/{name}",),
        )
    begun = store.begin(
        "dataset",
        name,
        algorithm=ALGORITHM,
        config=config.stored(),
        parents=[],
        seed=config.seed,
        command=request.command,
        execution=request.execution(),
        force=request.force,
    )
    if isinstance(begun, Artifact):
        notify.say(f"{begun.label} is up to date")
        return dataset_outcome(begun, "up-to-date")
    with begun as draft:
        artifact = write_dataset(
            store,
            draft,
            synthetic.draw(config),
            ImportDatasetConfig(color=config.color),
            notify,
            what="drawing",
            where="synthetic faces",
            total=total,
            facts={"format": "synthetic"},
        )
    return dataset_outcome(artifact, "done")
