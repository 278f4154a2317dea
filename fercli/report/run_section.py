"""One run in the report's page: its figures of merit, figures, tables, errors, protocol and provenance."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fercli.report.html import details, figure, pairs, paragraph, table, tag, text
from fercli.report.material import Drawing, RunMaterial
from fercli.report.mistakes import gallery
from fercli.report.receipts import receipts_sheet, shortened
from fercli.report.tables import Sheet, confusion_sheet, folds_sheet, per_class_sheet, pruning_sheet
from fercli.report.wording import NONE, between, caveats, counted, listed, number, percent, protocol_words

MANY_FOLDS = 10


def run_sheets(run: RunMaterial) -> dict[str, Sheet]:
    """The run's tables by what they show; what it has no data for is left out."""
    found = {
        "classes": per_class_sheet(run.metrics),
        "folds": folds_sheet(run.metrics),
        "confusion": confusion_sheet(run.metrics),
        "pruning": pruning_sheet(run.metrics),
        "receipts": None if run.receipts is None else receipts_sheet(run.receipts, run.name),
    }
    return {key: sheet for key, sheet in found.items() if sheet is not None}


def run_section(
    run: RunMaterial, drawn: Sequence[Drawing], sheets: Mapping[str, Sheet], anchor: str, *, is_open: bool | None
) -> str:
    """is_open: of a section that folds away, as on a page with many runs; None for one that does not."""
    metrics = run.metrics
    title = (text(run.name), tag("span", text(metrics["kind"]), class_="chip"))
    body = _body(run, drawn, sheets)
    if is_open is None:
        return tag("section", tag("h2", *title), *body, id=anchor, class_="run")
    score = f"{percent(metrics['accuracy'])} % ({between(metrics['intervals']['accuracy'])})"
    head = tag("summary", tag("h2", *title), tag("span", text(score), class_="score"))
    whole = f"<details{' open' if is_open else ''}>{head}{''.join(body)}</details>"
    return tag("section", whole, id=anchor, class_="run folding")


def _body(run: RunMaterial, drawn: Sequence[Drawing], sheets: Mapping[str, Sheet]) -> list[str]:
    metrics = run.metrics
    folds = sheets["folds"]
    warned = caveats(metrics)
    parts = [
        tag("div", *_figures_of_merit(metrics), class_="tiles"),
        *([paragraph(_pruning_words(run.content))] if "hidden_after" in run.content else []),
        tag("div", *(figure(d.svg.decode(), d.caption, d.stem) for d in drawn), class_="figures"),
        *([table(sheets["pruning"])] if "pruning" in sheets else []),
        table(sheets["classes"]),
    ]
    if run.mistakes is not None:
        parts.append(tag("p", "Most confident errors", class_="title"))
        parts.append(gallery(run.mistakes))
    if "receipts" in sheets:
        units = counted(len(sheets["receipts"].rows), "unit")
        parts.append(details(f"Pruning receipts: {units} removed", table(shortened(sheets["receipts"]))))
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
    return parts


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
