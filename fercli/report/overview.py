"""The first part of the report's page: each set of comparable runs with its verdict, table and figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fercli.report.balance import balance_sheet, by_balance
from fercli.report.drawings import balance_drawing, frontier_drawing, models_drawing, optimizer_drawing
from fercli.report.html import bullets, details, figure, paragraph, table, tag, text
from fercli.report.material import Drawing, RunMaterial
from fercli.report.receipts import shortened
from fercli.report.tables import Sheet, models_sheet
from fercli.report.verdict import Tests, judged_verdict, leak_words
from fercli.report.wording import counted, division_words, few, percent, protocols_of, rows_of


@dataclass(frozen=True)
class SetPart:
    """The HTML of one set, and what lies beside the page as files."""

    html: str
    drawings: tuple[Drawing, ...]
    sheets: tuple[Sheet, ...]


def set_part(
    runs: Sequence[RunMaterial], suffix: str, tests: Tests, links: Mapping[str, str], *, alone: bool
) -> SetPart:
    """Comparable runs, best first.

    suffix: of the names of its files. links: to the section of each run. alone: no other set, so no heading.
    """
    members = [run.metrics for run in runs]
    first, *rest = judged_verdict(members, tests)
    sheet = models_sheet(members, f"models{suffix}", {name: tests[name] for name in _names(runs) if name in tests})
    # the first notes are the protocols, the others are what a reader must know before believing a number
    count = len(protocols_of(members))
    protocols, warned = sheet.notes[:count], sheet.notes[count:]
    drawn = models_drawing(runs, f"models{suffix}") + frontier_drawing(runs, f"frontier{suffix}")
    drawn += optimizer_drawing(_by_optimizer(runs), f"optimizers{suffix}")
    balances, balance_sheets, folded = _balances(runs, suffix)
    shown = [*drawn, *(balances if len(balances) == 1 else [])]
    leaks = leak_words(members)
    caution = tag("div", tag("strong", text(leaks)), bullets(warned), class_="caution") if warned else paragraph(leaks)
    notes = [f"Protocol: {protocol}" for protocol in protocols]
    if tests and len(runs) > 1:
        notes.append(
            "Behind the best, p: a paired test of each run against the best on the rows that both scored, corrected "
            f"for {counted(len(runs) - 1, 'comparison')} by Holm's method"
        )
    html = tag(
        "section",
        "" if alone else tag("h2", text(f"{rows_of(members[0])}: {division_words(members)}")),
        tag("div", paragraph(first, "lead"), *(paragraph(line) for line in rest), caution, class_="verdict"),
        tag(
            "div",
            table(sheet, mark_first=True, with_notes=False, links=links),
            bullets(notes, "notes"),
            tag("div", *map(_figure, shown), class_="figures"),
            folded,
            class_="side",
        ),
    )
    return SetPart(html, (*drawn, *balances), (sheet, *balance_sheets))


def sets_summary(sets: Sequence[Sequence[RunMaterial]]) -> str:
    """A line for each of several sets, ahead of their parts; nothing for a single one."""
    if len(sets) < 2:
        return ""
    lines = []
    for runs in sets:
        best, members = runs[0], [run.metrics for run in runs]
        lines.append(
            f"{rows_of(members[0])}, {division_words(members)}: {best.name} is best of {counted(len(runs), 'run')} "
            f"with {percent(best.metrics['accuracy'])} %"
            if len(runs) > 1
            else f"{rows_of(members[0])}, {division_words(members)}: {best.name} alone, "
            f"{percent(best.metrics['accuracy'])} %"
        )
    told = f"The runs fall into {len(sets)} sets; between sets no figure can be set against another:"
    return tag("section", paragraph(told), bullets(lines), class_="sets")


def _names(runs: Sequence[RunMaterial]) -> list[str]:
    return [run.name for run in runs]


def _figure(drawing: Drawing) -> str:
    return figure(drawing.svg.decode(), drawing.caption, drawing.stem)


def _by_optimizer(runs: Sequence[RunMaterial]) -> list[tuple[str, RunMaterial]]:
    """Runs of a sweep over `--optimizer`, by the optimizer; nothing where none is one."""
    marked = [(run.name.split(".optimizer-"), run) for run in runs]
    return [(parts[1], run) for parts, run in marked if len(parts) == 2]


def _balances(runs: Sequence[RunMaterial], suffix: str) -> tuple[list[Drawing], list[Sheet], str]:
    """Figure and table of the folds, each once for the runs that share them."""
    drawings: list[Drawing] = []
    sheets: list[Sheet] = []
    folded: list[str] = []
    shared = by_balance(runs)
    for index, alike in enumerate(shared):
        stem = f"folds{suffix}" if index == 0 else f"folds{suffix}.{index + 1}"
        drawn = balance_drawing(alike, stem)
        sheet = balance_sheet(alike[0].folds, alike[0].metrics["classes"], stem)
        if len(shared) == 1:
            folded.append(details("Rows held out, fold by fold", table(shortened(sheet))))
        else:
            figures = tag("div", *map(_figure, drawn), class_="figures")
            folded.append(details(f"Fold balance: {few(_names(alike))}", figures, table(shortened(sheet))))
        drawings += drawn
        sheets.append(sheet)
    return drawings, sheets, "".join(folded)
