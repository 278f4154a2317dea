"""A reproduced paper as a report artifact: the page over standing runs, its figures and tables beside it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fercli import __version__
from fercli.artifacts.draft import Draft
from fercli.artifacts.store import Artifact, Store
from fercli.config.base import Config
from fercli.records import Notify, Outcome
from fercli.report.differences import RunLine, differences_sheet, runs_sheet
from fercli.report.material import RunMaterial
from fercli.report.reproduction import Part, Reproduction, reproduction_page
from fercli.report.wording import listed
from fercli.workflow.report_material import run_material
from fercli.workflow.request import Request
from fercli.workflow.scored_runs import RunInput, all_parents, run_inputs

DRAWS = 2000
TOLD = ("paper", "runs", "verdict", "figures", "protocols")
# Tables that the page alone shows: on a console they would push the result away.
ASIDE = ("structure", "readings", "differences", "runs")


@dataclass(frozen=True)
class Page:
    """A paper's page. answer: further keys of the JSON answer, kept in the artifact."""

    made: Reproduction
    answer: Mapping[str, Any]


def write_page(
    store: Store,
    request: Request,
    notify: Notify,
    *,
    paper: str,
    algorithm: int,
    config: Config,
    seed: int,
    runs: Sequence[str],
    make: Callable[[Mapping[str, RunMaterial]], Page],
) -> Outcome:
    """Read the standing `runs`, let `make` lay out the page from them, write it; nothing where it is up to date."""
    inputs = run_inputs(store, [store.open("run", name) for name in runs], notify)
    begun = store.begin(
        "report",
        request.name or paper,
        algorithm=algorithm,
        # which runs stand decides what the page can show
        config={"command": f"reproduce {paper}", **config.stored(), "runs": list(runs)},
        parents=all_parents(inputs),
        seed=seed,
        command=request.command,
        execution=request.execution(),
        force=request.force,
    )
    if isinstance(begun, Artifact):
        notify.say(f"{begun.label} is up to date")
        return _outcome(begun, "up-to-date")
    with begun as draft:
        materials = {}
        with notify.progress("reading", len(inputs), "runs") as bar:
            for entry in inputs:
                materials[entry.run.name] = run_material(entry, seed=seed, draws=DRAWS)
                bar.advance(note=entry.run.name)
        page = make(materials)
        made = _with_origins(page.made, paper, inputs)
        notify.say(f"drawing {len(made.drawings)} figures")
        path = draft.commit({**_write(draft, made, runs), **page.answer})
    outcome = _outcome(store.read(path, "report"), "done")
    return replace(outcome, tables=tuple(sheet.as_table() for sheet in made.sheets if not sheet.name.startswith(ASIDE)))


def _with_origins(made: Reproduction, paper: str, inputs: Sequence[RunInput]) -> Reproduction:
    """The page with what every paper's page has: on what it was trained, what differs and why, the runs."""
    lines = [_line(entry.run) for entry in inputs]
    trained = f"Trained on {listed(sorted({line.device for line in lines}))}."
    differ = Part("Known to differ, and why", (differences_sheet(paper),))
    behind = Part("Runs behind this page", (runs_sheet(lines),))
    return replace(made, lead=(*made.lead, trained), parts=(*made.parts, differ, behind))


def _line(run: Artifact) -> RunLine:
    config, manifest = run.config, run.manifest
    return RunLine(
        name=run.name,
        kind=str(run.content.get("run_kind", "")),
        seed="–" if manifest.seed is None else str(manifest.seed),
        device=str(config.get("device", "cpu")),
        precision=config.get("precision"),
        epochs=config.get("epochs"),
        command=" ".join(manifest.command),
    )


def _write(draft: Draft, made: Reproduction, runs: Sequence[str]) -> dict[str, object]:
    """Write the files; gives back the content for `draft.commit`."""
    draft.write_bytes("index.html", reproduction_page(made, runs=runs, version=__version__).encode())
    for drawing in made.drawings:
        draft.write_bytes(f"figures/{drawing.stem}.png", drawing.png)
        draft.write_bytes(f"figures/{drawing.stem}.svg", drawing.svg)
    for sheet in made.sheets:
        draft.write_csv(f"tables/{sheet.name}.csv", sheet.header, sheet.rows)
    warning = [made.warning] if made.warning else []
    return {
        "summary": ": ".join([*warning, made.title]),
        "title": made.title,
        "paper": made.paper,
        "runs": list(runs),
        "verdict": [*warning, *made.lead],
        "figures": [drawing.stem for drawing in made.drawings],
    }


def _outcome(artifact: Artifact, status: str) -> Outcome:
    """The verdict and where the page lies, with the tables that were written."""
    page, content = artifact.file("index.html"), artifact.content
    return Outcome(
        status=status,
        artifact=artifact.label,
        payload={"page": str(page), **{key: content[key] for key in TOLD if key in content}},
        lines=(*content["verdict"], f"page: {page}"),
    )
