"""`fer report`: one page with its figures and tables, for one or many runs."""

from collections.abc import Sequence

from fercli import __version__
from fercli.artifacts.store import Artifact, Store
from fercli.config.report import ReportConfig
from fercli.protocol.ledger import parse_ledger
from fercli.records import Notify, Outcome
from fercli.report.material import RunMaterial
from fercli.report.page import build
from fercli.report.verdict import judged_verdict
from fercli.report.wording import counted, ranked, rows_of
from fercli.workflow.examined_reports import write_report
from fercli.workflow.judged_runs import against_best
from fercli.workflow.model_cards import card_of_run
from fercli.workflow.report_material import run_material, with_mistakes
from fercli.workflow.request import Request
from fercli.workflow.scored_runs import all_parents, chosen_runs, default_name, run_inputs

ALGORITHM = 2


def run(config: ReportConfig, names: Sequence[str], request: Request, store: Store, notify: Notify) -> Outcome:
    """Write `index.html`, `figures/` (PNG and SVG), `tables/` (CSV) and `model_cards/` over the named runs, or all."""
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
                material = run_material(entry, seed=config.seed, draws=config.draws)
                materials.append(with_mistakes(store, entry, material) if config.with_images else material)
                bar.advance(note=entry.run.name)
        title = config.title or _title(materials)
        sets = ranked([material.metrics for material in materials])
        tests = against_best(sets, inputs, draws=config.draws, seed=config.seed)
        notify.say(f"drawing {counted(len(materials), 'run')}")
        report = build(materials, title=title, test_scorings=scorings, version=__version__, tests=tests)
        write_report(draft, report)
        with notify.progress("model cards", len(inputs), "runs") as bar:
            for entry in inputs:
                draft.write_bytes(f"model_cards/{entry.run.name}.md", card_of_run(store, entry.run).encode())
                bar.advance(note=entry.run.name)
        path = draft.commit(
            {
                "summary": f"{title}; {counted(len(report.drawings), 'figure')}",
                "title": title,
                "runs": [material.name for material in materials],
                "verdict": [line for members in sets for line in judged_verdict(members, tests)],
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
    data = sorted({rows_of(material.metrics) for material in materials})
    return f"{counted(len(materials), 'run')} on {', '.join(data) if len(data) <= 3 else f'{len(data)} data sets'}"
