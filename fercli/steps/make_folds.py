"""`fer make-folds`: a division of rows that every trainer can run on."""

from fercli.artifacts.store import Artifact, Store
from fercli.config.protocol import ProtocolConfig
from fercli.datasets.folds_sheet import read_folds_sheet
from fercli.protocol.resolve import resolve
from fercli.records import Notify, Outcome, Table
from fercli.workflow.inputs import data_artifact, folds_base
from fercli.workflow.plans import default_folds_name, store_folds, users_table
from fercli.workflow.request import Request


def run(config: ProtocolConfig, request: Request, store: Store, notify: Notify) -> Outcome:
    """Make and store folds of a data set, or of features that have none behind them; or take over a user's table."""
    data = data_artifact(store, request)
    samples = data.samples()
    table = users_table(config)
    plan = resolve(samples, config, standing=read_folds_sheet(table) if table else None)
    if request.dry_run:
        name = request.name or default_folds_name(folds_base(data), plan, config)
        return Outcome(payload={"would_make": f"folds/{name}"}, lines=(f"would write folds/{name}",))
    for leak in plan.protocol.leaks:
        notify.warn(f"leak: {leak}")
    artifact, status = store_folds(store, data, samples, plan, config, request, name=request.name)
    return outcome(artifact, status)


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
