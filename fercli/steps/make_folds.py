"""`fer make-folds`: a division of rows that every trainer can run on."""

from fercli.artifacts.store import Artifact, Store
from fercli.config.protocol import ProtocolConfig
from fercli.errors import UsageError
from fercli.protocol.resolve import resolve
from fercli.records import Notify, Outcome, Table
from fercli.workflow.inputs import folds_base
from fercli.workflow.plans import default_folds_name, store_folds
from fercli.workflow.request import Request


def run(config: ProtocolConfig, request: Request, store: Store, notify: Notify) -> Outcome:
    """Make and store folds of a data set, or of features that have none behind them."""
    data = _data(store, request)
    samples = data.samples()
    plan = resolve(samples, config)
    if request.dry_run:
        name = request.name or default_folds_name(folds_base(data), plan, config)
        return Outcome(payload={"would_make": f"folds/{name}"}, lines=(f"would write folds/{name}",))
    for leak in plan.protocol.leaks:
        notify.warn(f"leak: {leak}")
    artifact, status = store_folds(store, data, samples, plan, config, request, name=request.name)
    return outcome(artifact, status)


def _data(store: Store, request: Request) -> Artifact:
    """The named input; else the only data set, else the only features."""
    if request.inputs.get("features") and request.inputs.get("dataset"):
        raise UsageError("--dataset and --features are two inputs", next_step="give one of them")
    if request.inputs.get("features"):
        return store.open("features", str(request.inputs["features"]))
    if request.inputs.get("dataset"):
        return store.open("dataset", str(request.inputs["dataset"]))
    if store.names("dataset") or not store.names("features"):
        return store.only("dataset", option="--dataset")
    return store.only("features", option="--features")


def outcome(artifact: Artifact, status: str) -> Outcome:
    """The balance of the folds, in a table and as JSON."""
    content = artifact.content
    table = Table(
        f"{artifact.label}: {content['summary']}",
        ("repeat", "smallest fold", "largest fold", "largest deviation of a class share", "in fold", "class"),
        tuple(
            (b["repeat"], b["rows_min"], b["rows_max"], b["deviation"], b["fold"], b["name"])
            for b in content["balance"]
        ),
        (*content["notes"], *(f"leak: {leak}" for leak in content["protocol"]["leaks"])),
    )
    payload = {key: content[key] for key in ("rows", "protocol", "balance", "notes")}
    return Outcome(status=status, artifact=artifact.label, payload=payload, tables=(table,))
