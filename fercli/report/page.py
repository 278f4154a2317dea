"""The report as one HTML file: no network, light and dark, for a phone, a screen and a printer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from fercli.report.drawings import run_drawings
from fercli.report.html import paragraph, tag, text
from fercli.report.material import AgainstBest, Drawing, RunMaterial
from fercli.report.overview import set_part, sets_summary
from fercli.report.run_section import run_section, run_sheets
from fercli.report.tables import Sheet
from fercli.report.wording import counted, ranked

BESIDE = (
    "Made by fercli {version}. Numbers stand in tables/ as CSV, figures in figures/ as PNG and SVG, a card of each "
    "model in model_cards/."
)
MANY_RUNS = 6  # above it the sections of runs fold away, but for the best of each set


@dataclass(frozen=True)
class Report:
    """The page with everything that lies beside it as files."""

    html: str
    drawings: tuple[Drawing, ...]
    sheets: tuple[Sheet, ...]


def build(
    runs: Sequence[RunMaterial],
    *,
    title: str,
    test_scorings: int = 0,
    version: str = "",
    tests: Mapping[str, AgainstBest] | None = None,
) -> Report:
    """The report over `runs`, which have different names.

    test_scorings: how often a test split was scored in this workspace, by its ledger. version: of the package.
    tests: the best run of a set against each of the others, by their names. Equal input gives an equal page: it
    carries no date of its own. ValueError without runs.
    """
    if not runs:
        raise ValueError("a report needs at least one run")
    by_name = {run.name: run for run in runs}
    sets = ranked([run.metrics for run in runs])
    ordered = [[by_name[str(entry["name"])] for entry in members] for members in sets]
    places = [run.name for together in ordered for run in together]
    links = {name: f"run-{place}" for place, name in enumerate(places, start=1)}
    overview: list[str] = []
    drawings: list[Drawing] = []
    sheets: list[Sheet] = []
    for index, together in enumerate(ordered):
        part = set_part(together, "" if index == 0 else f"-{index + 1}", tests or {}, links, alone=len(sets) == 1)
        overview.append(part.html)
        drawings += part.drawings
        sheets += part.sheets
    sections: list[str] = []
    folds_away = len(runs) > MANY_RUNS
    for together in ordered:
        for place, run in enumerate(together):
            drawn, own = run_drawings(run), run_sheets(run)
            is_open = place == 0 if folds_away else None
            sections.append(run_section(run, drawn, own, links[run.name], is_open=is_open))
            drawings += drawn
            sheets += own.values()
    ledger = (
        f"Test splits were scored {counted(test_scorings, 'time')} in this workspace, by its ledger."
        if test_scorings
        else "No test split was scored in this workspace, by its ledger."
    )
    body = [
        tag("header", tag("p", "Expression recognition report", class_="kicker"), tag("h1", text(title))),
        sets_summary(ordered),
        *overview,
        "" if folds_away else _navigation(links),
        *sections,
        tag(
            "footer",
            paragraph(ledger),
            paragraph(BESIDE.format(version=version)),
        ),
    ]
    return Report(document(title, tag("main", *body)), tuple(drawings), tuple(sheets))


def document(title: str, body: str) -> str:
    """A whole page around its body, with style and script inside it."""
    assets = files("fercli.report") / "assets"
    css, js = ((assets / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{text(title)}</title><style>{css}</style>"
    )
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head><body>{body}<script>{js}</script></body></html>\n'


def _navigation(links: Mapping[str, str]) -> str:
    """A link to each of a few runs; the sections of many fold away and are a list of links themselves."""
    if len(links) < 2:
        return ""
    return tag("nav", *(tag("a", text(name), href=f"#{place}") for name, place in links.items()), aria_label="Runs")
