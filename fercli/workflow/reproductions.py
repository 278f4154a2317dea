"""A reproduced paper as a report artifact: the page, its figures as PNG and SVG, its tables as CSV."""

from fercli import __version__
from fercli.artifacts.draft import Draft
from fercli.artifacts.store import Artifact
from fercli.artifacts.tables import read_csv
from fercli.evaluation.intervals import LEVEL
from fercli.records import Outcome
from fercli.report.history import Columns
from fercli.report.material import RunMaterial
from fercli.report.reproduction import Reproduction, reproduction_page
from fercli.workflow.scored_runs import RunInput, scored

DRAWS = 2000


def columns_of(run: Artifact, file: str) -> Columns | None:
    """A CSV file of a run, None where it has none."""
    return Columns.of(*read_csv(run.file(file))) if run.has(file) else None


def run_material(entry: RunInput, seed: int) -> RunMaterial:
    """A run for the figures of a page, its scores taken again from its predictions."""
    return RunMaterial(
        metrics=scored(entry, seed=seed, draws=DRAWS, level=LEVEL),
        history=columns_of(entry.run, "history.csv"),
        receipts=columns_of(entry.run, "receipts.csv"),
        activations=columns_of(entry.run, "activations.csv"),
        content=entry.run.manifest.content,
    )


def write_reproduction(draft: Draft, made: Reproduction, runs: tuple[str, ...]) -> dict[str, object]:
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


def reproduction_outcome(artifact: Artifact, status: str) -> Outcome:
    """The verdict and where the page lies, with the tables that were written."""
    page, content = artifact.file("index.html"), artifact.content
    told = ("paper", "runs", "verdict", "figures", "protocols")
    return Outcome(
        status=status,
        artifact=artifact.label,
        payload={"page": str(page), **{key: content[key] for key in told if key in content}},
        lines=(*content["verdict"], f"page: {page}"),
    )
