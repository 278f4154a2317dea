"""A reproduced paper as a report artifact: the page, its figures as PNG and SVG, its tables as CSV."""

from fercli import __version__
from fercli.artifacts.draft import Draft
from fercli.artifacts.store import Artifact
from fercli.records import Outcome
from fercli.report.reproduction import Reproduction, reproduction_page

DRAWS = 2000


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
