"""`fer report`: one page with its figures and tables, for one or many runs."""

from collections.abc import Sequence
from typing import Any

from fercli import __version__
from fercli.artifacts.store import Artifact, Store
from fercli.artifacts.tables import read_csv
from fercli.config.report import ReportConfig
from fercli.evaluation.intervals import LEVEL
from fercli.protocol.ledger import parse_ledger
from fercli.records import Notify, Outcome
from fercli.report.history import Columns
from fercli.report.material import RunMaterial
from fercli.report.page import build
from fercli.report.wording import counted, ranked, verdict
from fercli.workflow.request import Request
from fercli.workflow.scored_runs import RunInput, all_parents, chosen_runs, default_name, run_inputs, scored

ALGORITHM = 1
PRUNING_KEYS = ("hidden_before", "hidden_after", "removed")


def run(config: ReportConfig, names: Sequence[str], request: Request, store: Store, notify: Notify) -> Outcome:
    """Write `index.html`, `figures/` (PNG and SVG) and `tables/` (CSV) over the named runs, or all."""
    runs = chosen_runs(store, names)
    name = request.name or default_name(names, runs)
    if request.dry_run:
        listed = [entry.name for entry in runs]
        return Outcome(
            payload={"would_make": f"report/{name}", "runs": listed},
            lines=(f"would write report/{name} over {', '.join(listed)}",),
        )
    inputs = run_inputs(store, runs, notify)
    scorings = _test_scorings(store)
    begun = store.begin(
        "report",
        name,
        algorithm=ALGORITHM,
        # the count stands in the page: a further scoring of a test split makes the report stale
        config={**config.stored(), "test_scorings": scorings},
        parents=all_parents(inputs),
        seed=config.seed,
        command=request.command,
        execution=request.execution(),
        force=request.force,
    )
    if isinstance(begun, Artifact):
        notify.say(f"{begun.label} is up to date")
        return outcome(begun, "up-to-date")
    with begun as draft:
        materials = []
        with notify.progress("reading", len(inputs), "runs") as bar:
            for entry in inputs:
                materials.append(_material(entry, config))
                bar.advance(note=entry.run.name)
        title = config.title or _title(materials)
        notify.say(f"drawing {counted(len(materials), 'run')}")
        report = build(materials, title=title, test_scorings=scorings, version=__version__)
        draft.write_bytes("index.html", report.html.encode())
        for drawing in report.drawings:
            draft.write_bytes(f"figures/{drawing.stem}.png", drawing.png)
            draft.write_bytes(f"figures/{drawing.stem}.svg", drawing.svg)
        for sheet in report.sheets:
            draft.write_csv(f"tables/{sheet.name}.csv", sheet.header, sheet.rows)
        sets = ranked([material.metrics for material in materials])
        path = draft.commit(
            {
                "summary": f"{title}; {counted(len(report.drawings), 'figure')}",
                "title": title,
                "runs": [material.name for material in materials],
                "verdict": [line for members in sets for line in verdict(members)],
                "figures": [drawing.stem for drawing in report.drawings],
            }
        )
    return outcome(store.read(path, "report"), "done")


def outcome(artifact: Artifact, status: str) -> Outcome:
    """The verdict and where the page lies."""
    page = artifact.file("index.html")
    return Outcome(
        status=status,
        artifact=artifact.label,
        payload={"page": str(page), **{key: artifact.content[key] for key in ("runs", "verdict", "figures")}},
        lines=(*artifact.content["verdict"], f"page: {page}"),
    )


def _test_scorings(store: Store) -> int:
    """How often a test split was scored in this workspace, by its ledger."""
    path = store.root / "ledger.jsonl"
    if not path.is_file():
        return 0
    return len(parse_ledger(path.read_text(encoding="utf-8").splitlines(), name=str(path)))


def _title(materials: Sequence[RunMaterial]) -> str:
    if len(materials) == 1:
        return f"{materials[0].name} on {materials[0].metrics['on']}"
    data = sorted({str(material.metrics["on"]) for material in materials})
    return f"{counted(len(materials), 'run')} on {', '.join(data) if len(data) <= 3 else f'{len(data)} data sets'}"


def _columns(run: Artifact, file: str) -> Columns | None:
    return Columns.of(*read_csv(run.file(file))) if run.has(file) else None


def _material(entry: RunInput, config: ReportConfig) -> RunMaterial:
    manifest = entry.run.manifest
    metrics = scored(entry, seed=config.seed, draws=config.draws, level=LEVEL)
    pruning = {key: metrics[key] for key in PRUNING_KEYS if key in metrics}
    return RunMaterial(
        metrics=metrics,
        history=_columns(entry.run, "history.csv"),
        receipts=_columns(entry.run, "receipts.csv"),
        activations=_columns(entry.run, "activations.csv"),
        content={**manifest.content, **pruning},
        provenance={
            "Command": " ".join(manifest.command),
            "Seed": "–" if manifest.seed is None else str(manifest.seed),
            "Made from": ", ".join(f"{p.kind}/{p.name} ({p.fingerprint[:12]})" for p in manifest.parents),
            "Fingerprint": manifest.fingerprint,
            "Configuration": _flat(manifest.config),
            "Ran with": _flat(manifest.execution),
            "Environment": _flat(manifest.environment),
        },
    )


def _flat(values: dict[str, Any], prefix: str = "") -> str:
    """Nested values on one line: `a = 1, b.c = 2`."""
    parts = []
    for key, value in values.items():
        if isinstance(value, dict):
            parts.append(_flat(value, f"{prefix}{key}."))
        else:
            parts.append(f"{prefix}{key} = {value}")
    return ", ".join(part for part in parts if part)
