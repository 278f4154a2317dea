"""The page of `fer robustness`: what each corruption costs, as curves and as a table."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.config.robustness import Kind
from fercli.records import SPLITS
from fercli.report.figures.contact_sheet import Strip, contact_sheet
from fercli.report.figures.robustness import robustness_figure
from fercli.report.figures.style import png_bytes, svg_bytes
from fercli.report.html import bullets, figure, paragraph, table, tag, text
from fercli.report.material import Drawing
from fercli.report.page import Report, document
from fercli.report.tables import Column, Sheet
from fercli.report.wording import NONE, between, copies_counted, counted, percent

COLUMNS = (
    Column("kind", "kind"),
    Column("level", "level", "count"),
    Column("strength", "strength", "decimal"),
    Column("accuracy", "accuracy %", "percent"),
    Column("accuracy_lower", "from %", "percent"),
    Column("accuracy_upper", "to %", "percent"),
    Column("lost", "lost %", "percent"),
    Column("lost_lower", "from %", "percent"),
    Column("lost_upper", "to %", "percent"),
    Column("balanced_accuracy", "balanced %", "percent"),
    Column("macro_f1", "macro-F1 %", "percent"),
    Column("log_loss", "log loss", "number"),
)


def robustness_sheet(body: Mapping[str, Any]) -> Sheet:
    """One row a kind and level, the clean pictures first."""
    rows = [_row("clean", body["clean"])]
    for curve in body["curves"]:
        rows += [_row(curve["kind"], level) for level in curve["levels"][1:]]
    title = f"{body['run']} on corrupted pictures of {body['on']} ({body['split']})"
    return Sheet("robustness", title, COLUMNS, tuple(rows), tuple(notes(body)))


def _row(kind: str, level: Mapping[str, Any]) -> tuple[Any, ...]:
    sure = level["intervals"]["accuracy"] or {}
    lost = level.get("lost") or {}
    of_lost = lost.get("interval") or {}
    return (
        kind,
        level["level"],
        level["strength"],
        level["accuracy"],
        sure.get("lower"),
        sure.get("upper"),
        lost.get("accuracy"),
        of_lost.get("lower"),
        of_lost.get("upper"),
        level["balanced_accuracy"],
        level["macro_f1"],
        level["log_loss"],
    )


def notes(body: Mapping[str, Any]) -> list[str]:
    """What a reader must know before believing a curve."""
    clean = body["clean"]
    sure = clean["intervals"]["accuracy"]
    lines = [f"scored: {models_words(body)}"]
    if body["limit"]:
        lines.append(f"{counted(clean['rows'], 'row')} drawn class by class with seed {body['seed']} (--limit)")
    if sure:
        method = "Wilson's" if sure["method"] == "wilson" else f"by the {sure['method']}"
        lines.append(
            f"intervals of {percent(sure['level'], 0)} %, {method}; lost: clean minus corrupted on the same rows, "
            "paired"
        )
    if body["check"] is not None:
        lines.append(
            "level 0 gives the run's own predictions: the same labels, probabilities within "
            f"{body['check']['largest_difference']:.1g}"
        )
    return [*lines, *body["leaks"], *copy_notes(body)]


def copy_notes(body: Mapping[str, Any]) -> list[str]:
    """How many of the rows equal a training row, and the clean score without them where the body has it."""
    count, without = body["copies_in_training"], body.get("without_copies")
    if not count:
        return []
    told = copies_counted(count) if body["own"] else f"{count:,} of {counted(body['rows'], 'row')} equal a training row"
    if without is None:
        return [told]
    if not without["rows"]:
        return [f"{told}: no row is left to score without them"]
    return [
        f"{told}; without them accuracy on clean pictures is {percent(without['accuracy'])} % and macro-F1 "
        f"{percent(without['macro_f1'])} % on {counted(without['rows'], 'row')}"
    ]


def models_words(body: Mapping[str, Any]) -> str:
    """Which of a run's models, and on which rows. body: with `own`, `split` as in `metrics.json`."""
    if not body["own"]:
        return "model/, fitted on all training rows"
    if body["split"] in SPLITS:
        return f"the model fitted on the training rows, on the {body['split']} rows"
    return "each fold's model on the rows it held out"


def worst_words(body: Mapping[str, Any]) -> list[str]:
    """Each kind in a sentence, the one that costs most at its highest level first."""
    clean = body["clean"]["accuracy"]
    ends = [(curve, curve["levels"][-1]) for curve in body["curves"] if len(curve["levels"]) > 1]
    found = []
    for curve, end in sorted(ends, key=lambda pair: pair[1]["accuracy"]):
        lost = end["lost"]
        found.append(
            f"{curve['kind']} at level {end['level']}: {percent(end['accuracy'])} % right, {percent(lost['accuracy'])} "
            f"points below the clean {percent(clean)} % ({between(lost['interval'])})"
        )
    return found


def build_robustness(
    body: Mapping[str, Any], pictures: Mapping[tuple[Kind, int], NDArray[np.uint8]], example: str, *, version: str
) -> Report:
    """The page over the JSON answer `body`, with one picture at every kind and level; example: its id."""
    sheet = robustness_sheet(body)
    strips = [_strip(curve, pictures) for curve in body["curves"]]
    drawn = robustness_figure(body["curves"], chance=body["chance"], majority=body["majority"])
    examples = contact_sheet(f"{example} at every level", strips, across=max(4, len(body["curves"][0]["levels"])))
    drawings = (
        Drawing(
            "robustness",
            f"Accuracy of {body['run']} with its interval, and macro-F1, on pictures of {body['on']} made worse step "
            "by step.",
            svg_bytes(drawn),
            png_bytes(drawn),
        ),
        Drawing("examples", "One picture at every kind and level.", svg_bytes(examples), png_bytes(examples)),
    )
    title = f"{body['run']}: robustness on {body['on']}"
    clean = body["clean"]
    lead = (
        f"{percent(clean['accuracy'])} % of {counted(clean['rows'], 'row')} are right on clean pictures "
        f"({between(clean['intervals']['accuracy'])})."
        if clean["accuracy"] is not None
        else NONE
    )
    parts = [
        tag("header", tag("p", "Robustness", class_="kicker"), tag("h1", text(title))),
        tag(
            "section",
            tag("div", paragraph(lead, "lead"), bullets(worst_words(body)), class_="verdict"),
            tag("div", *(figure(entry.svg.decode(), entry.caption, entry.stem) for entry in drawings), class_="wide"),
            table(sheet),
        ),
        tag("footer", paragraph(f"Made by fercli {version}. Numbers stand in tables/ as CSV.")),
    ]
    return Report(document(title, tag("main", *parts)), drawings, (sheet,))


def _strip(curve: Mapping[str, Any], pictures: Mapping[tuple[Kind, int], NDArray[np.uint8]]) -> Strip:
    levels: Sequence[Mapping[str, Any]] = curve["levels"]
    return Strip(
        f"{curve['kind']}: {curve['what']}",
        [pictures[curve["kind"], level["level"]] for level in levels],
        [
            ("clean", "") if not level["level"] else (f"{level['strength']:g}", f"level {level['level']}")
            for level in levels
        ],
    )
