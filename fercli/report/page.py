"""The report as one HTML file: no network, light and dark, for a phone, a screen and a printer."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from fercli.report.drawings import frontier_drawing, models_drawing, optimizer_drawing, run_drawings
from fercli.report.html import bullets, details, figure, pairs, paragraph, table, tag, text
from fercli.report.material import Drawing, RunMaterial
from fercli.report.tables import Sheet, confusion_sheet, folds_sheet, models_sheet, per_class_sheet, pruning_sheet
from fercli.report.wording import (
    NONE,
    between,
    caveats,
    counted,
    division_words,
    listed,
    number,
    percent,
    protocol_words,
    protocols_of,
    ranked,
    verdict,
)

MANY_FOLDS = 10


@dataclass(frozen=True)
class Report:
    """The page with everything that lies beside it as files."""

    html: str
    drawings: tuple[Drawing, ...]
    sheets: tuple[Sheet, ...]


def build(runs: Sequence[RunMaterial], *, title: str, test_scorings: int = 0, version: str = "") -> Report:
    """The report over `runs` (at least one).

    test_scorings: how often a test split was scored in this workspace, by its ledger. version: of the package.
    Equal input gives an equal page: it carries no date of its own.
    """
    by_name = {run.name: run for run in runs}
    sets = ranked([run.metrics for run in runs])
    overview, drawings, sheets = [], [], []
    for index, members in enumerate(sets):
        stem = "models" if index == 0 else f"models-{index + 1}"
        sheet = models_sheet(members, stem)
        together = [by_name[str(entry["name"])] for entry in members]
        drawn = models_drawing(together, stem) + frontier_drawing(together, stem.replace("models", "frontier"))
        drawn += optimizer_drawing(_by_optimizer(together), stem.replace("models", "optimizers"))
        overview.append(_overview(members, sheet, drawn, alone=len(sets) == 1))
        drawings += drawn
        sheets.append(sheet)
    sections = []
    for members in sets:
        for entry in members:
            run = by_name[str(entry["name"])]
            drawn = run_drawings(run)
            run_sheets = {
                "classes": per_class_sheet(entry),
                "folds": folds_sheet(entry),
                "confusion": confusion_sheet(entry),
            }
            pruning = pruning_sheet(entry)
            if pruning is not None:
                run_sheets["pruning"] = pruning
            sections.append(_run_section(run, drawn, run_sheets))
            drawings += drawn
            sheets += run_sheets.values()
    ledger = (
        f"Test splits were scored {counted(test_scorings, 'time')} in this workspace, by its ledger."
        if test_scorings
        else "No test split was scored in this workspace, by its ledger."
    )
    body = [
        tag("header", tag("p", "Expression recognition report", class_="kicker"), tag("h1", text(title))),
        *overview,
        _navigation([str(entry["name"]) for members in sets for entry in members]),
        *sections,
        tag("footer", paragraph(ledger), paragraph(f"Made by fercli {version}. Numbers stand in tables/ as CSV.")),
    ]
    return Report(document(title, tag("main", *body)), tuple(drawings), tuple(sheets))


def _by_optimizer(runs: Sequence[RunMaterial]) -> list[tuple[str, RunMaterial]]:
    """Runs of a sweep over `--optimizer`, by the optimizer; nothing where none is one."""
    marked = [(run.name.split(".optimizer-"), run) for run in runs]
    return [(parts[1], run) for parts, run in marked if len(parts) == 2]


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


def _overview(members: Sequence[Mapping[str, Any]], sheet: Sheet, drawn: Sequence[Drawing], *, alone: bool) -> str:
    """The verdict first, then the models side by side."""
    first, *rest = verdict(members)
    # the first notes are the protocols, the others are what a reader must know before believing a number
    count = len(protocols_of(members))
    protocols, warned = sheet.notes[:count], sheet.notes[count:]
    heading = "" if alone else tag("h2", text(f"{members[0]['on']}: {division_words(members)}"))
    return tag(
        "section",
        heading,
        tag("div", paragraph(first, "lead"), *(paragraph(line) for line in rest), class_="verdict"),
        tag(
            "div",
            table(sheet, mark_first=True, with_notes=False),
            bullets([f"Protocol: {protocol}" for protocol in protocols], "notes"),
            tag("div", tag("strong", "Read with care"), bullets(warned), class_="caution") if warned else "",
            tag("div", *(figure(entry.svg.decode(), entry.caption, entry.stem) for entry in drawn), class_="figures"),
            class_="side",
        ),
    )


def _navigation(names: Sequence[str]) -> str:
    if len(names) < 2:
        return ""
    links = (tag("a", text(name), href=f"#run-{name}") for name in names)
    return tag("nav", *links, aria_label="Runs")


def _run_section(run: RunMaterial, drawn: Sequence[Drawing], sheets: Mapping[str, Sheet]) -> str:
    metrics = run.metrics
    folds = sheets["folds"]
    warned = caveats(metrics)
    parts = [
        tag("h2", text(run.name), tag("span", text(metrics["kind"]), class_="chip")),
        tag("div", *_figures_of_merit(metrics), class_="tiles"),
        *([paragraph(_pruning_words(run.content))] if "hidden_after" in run.content else []),
        tag("div", *(figure(d.svg.decode(), d.caption, d.stem) for d in drawn), class_="figures"),
        *([table(sheets["pruning"])] if "pruning" in sheets else []),
        table(sheets["classes"]),
    ]
    if len(folds.rows) > 1:
        spread = metrics["test"]["accuracy"]
        summary = f"{len(folds.rows)} folds: accuracy {percent(spread['mean'])} % ± {percent(spread['sd'])}"
        parts.append(details(summary, table(folds), is_open=len(folds.rows) <= MANY_FOLDS))
    protocol = {
        "Protocol": protocol_words(metrics),
        "Scored": f"{metrics['on']}, {metrics['split']}",
        "Known leaks": listed(warned) if warned else "none known",
        "Left out": _left_out(run.content),
    }
    worst = metrics.get("worst_group")
    if worst:
        rows = counted(worst["rows"], "row")
        protocol["Worst group"] = (
            f"{worst['group']}: {percent(worst['accuracy'])} % of {rows} (groups of 10 rows or more)"
        )
    parts.append(details("Protocol and leaks", pairs(protocol), is_open=bool(warned)))
    parts.append(details("Provenance", pairs(run.provenance)))
    return tag("section", *parts, id=f"run-{run.name}", class_="run")


def _figures_of_merit(metrics: Mapping[str, Any]) -> list[str]:
    intervals = metrics["intervals"]
    entries = [
        ("accuracy", f"{percent(metrics['accuracy'])} %", f"95 % interval {between(intervals['accuracy'])}"),
        ("macro-F1", f"{percent(metrics['macro_f1'])} %", f"95 % interval {between(intervals['macro_f1'])}"),
        ("log loss", number(metrics["log_loss"]), f"uniform guessing: {number(_uniform(metrics))}"),
        (
            "training accuracy",
            f"{percent(metrics['train']['accuracy']['mean'])} %",
            f"majority held out: {percent(metrics['majority']['accuracy']['pooled'])} %",
        ),
    ]
    return [
        tag(
            "div",
            tag("span", text(name), class_="name"),
            tag("b", text(NONE if value.startswith(NONE) else value)),
            tag("small", text(note)),
        )
        for name, value, note in entries
    ]


def _uniform(metrics: Mapping[str, Any]) -> float:
    """The log loss of equal probabilities: the logarithm of the number of classes."""
    return math.log(len(metrics["classes"]))


def _pruning_words(content: Mapping[str, Any]) -> str:
    after, removed = content["hidden_after"], content["removed"]
    parts = [f"{count} {name}" for name, count in removed.items()]
    return (
        f"Pruned from {content['hidden_before']} hidden units to {after['mean']:.1f} on average "
        f"({after['min']} to {after['max']}); removed over all folds: {listed(parts)}."
    )


def _left_out(content: Mapping[str, Any]) -> str:
    left_out = content.get("left_out")
    if not left_out:
        return "no row"
    return counted(left_out if isinstance(left_out, int) else len(left_out), "row")
