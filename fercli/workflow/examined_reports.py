"""What `explain` and `robustness` do alike with a report: device and threads, facts, files, the answer."""

from collections.abc import Mapping, Sequence
from typing import Any

from fercli.artifacts.draft import Draft
from fercli.artifacts.store import Artifact, Store
from fercli.config.explain import ExplainConfig
from fercli.config.robustness import RobustnessConfig
from fercli.records import Outcome, Table
from fercli.report.page import Report
from fercli.workflow.examined import Examined
from fercli.workflow.request import Request


def is_net(run: Artifact) -> bool:
    """Whether the run's models take pictures as they are."""
    return bool(run.json("metrics.json")["kind"] == "resnet")


def net_device(device: str) -> dict[str, str]:
    """The type of device, part of the configuration of whatever a net computes: its last digits depend on it."""
    from fercli.resnet import devices  # torch takes seconds to load, and models on columns do without it

    return {"device": devices.resolve(device).type}


def net_threads(threads: int) -> None:
    """Let a net's arithmetic use so many threads."""
    from fercli.resnet.starting import use_threads

    use_threads(threads)


def begun_report(
    store: Store,
    name: str,
    what: Examined,
    config: ExplainConfig | RobustnessConfig,
    request: Request,
    *,
    algorithm: int,
    device: str,
) -> Draft | Artifact:
    """The report about `what`, to be written, or the one that stands and is up to date."""
    return store.begin(
        "report",
        name,
        algorithm=algorithm,
        config={**config.stored(), **(net_device(device) if is_net(what.run) else {})},
        parents=what.parents,
        seed=config.seed,
        command=request.command,
        execution=request.execution(device=device),
        force=request.force,
    )


def facts_of(what: Examined, everything: Examined, config: ExplainConfig | RobustnessConfig) -> dict[str, Any]:
    """Whose models and which rows, and what is known to flatter them. everything: before `--limit`."""
    return {
        "run": what.run.name,
        "kind": what.run.json("metrics.json")["kind"],
        "on": what.on,
        "split": what.split,
        "own": what.is_own,
        "classes": list(what.classes),
        "rows": len(what.rows),
        "limit": config.limit if len(what.rows) < len(everything.rows) else None,
        "seed": config.seed,
        "leaks": list(what.leaks),
        "copies_in_training": what.copies,
    }


def write_report(draft: Draft, report: Report) -> None:
    """`index.html`, `figures/` as PNG and SVG, `tables/` as CSV."""
    draft.write_bytes("index.html", report.html.encode())
    for drawing in report.drawings:
        draft.write_bytes(f"figures/{drawing.stem}.png", drawing.png)
        draft.write_bytes(f"figures/{drawing.stem}.svg", drawing.svg)
    for sheet in report.sheets:
        draft.write_csv(f"tables/{sheet.name}.csv", sheet.header, sheet.rows)


def report_outcome(
    artifact: Artifact,
    status: str,
    body: Mapping[str, Any],
    *,
    tables: Sequence[Table] = (),
    lines: Sequence[str] = (),
) -> Outcome:
    """The numbers, their tables and sentences, and where the page lies."""
    page = artifact.file("index.html")
    figures = sorted(name for name in artifact.manifest.files if name.startswith("figures/") and name.endswith(".png"))
    return Outcome(
        status=status,
        artifact=artifact.label,
        payload={**body, "page": str(page), "figures": figures},
        tables=tuple(tables),
        lines=(*lines, f"page: {page}"),
    )
