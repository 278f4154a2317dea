"""The page of `fer explain`: maps of a net, importance of features, and what the descriptors see."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fercli.report.figures.cam import Overlay, averages_figure, overlays_figure, single_figure
from fercli.report.figures.descriptor_view import lpq_figure, phog_figure
from fercli.report.figures.importance import MOST, importance_figure
from fercli.report.figures.style import png_bytes, svg_bytes
from fercli.report.html import bullets, figure, paragraph, table, tag, text
from fercli.report.material import Drawing
from fercli.report.page import Report, document
from fercli.report.robustness import copy_notes, models_words
from fercli.report.tables import Column, Sheet
from fercli.report.wording import between, counted, number, percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MASS = (
    Column("class", "class"),
    Column("maps", "maps", "count"),
    Column("empty", "without evidence", "count"),
    Column("top_left", "top left %", "percent"),
    Column("top_right", "top right %", "percent"),
    Column("bottom_left", "bottom left %", "percent"),
    Column("bottom_right", "bottom right %", "percent"),
    Column("middle", "middle ninth %", "percent"),
)
IMPORTANCE = (
    Column("kind", "what"),
    Column("name", "name"),
    Column("block", "block"),
    Column("accuracy_lost", "accuracy lost %", "percent"),
    Column("accuracy_sd", "sd %", "percent"),
    Column("accuracy_lower", "from %", "percent"),
    Column("accuracy_upper", "to %", "percent"),
    Column("log_loss_risen", "log loss risen", "number"),
    Column("log_loss_sd", "sd", "number"),
    Column("log_loss_lower", "from", "number"),
    Column("log_loss_upper", "to", "number"),
)
TARGETS = {"predicted": "the predicted class", "truth": "the true class"}


def drawing(stem: str, caption: str, drawn: "Figure") -> Drawing:
    """A figure as PNG and SVG."""
    return Drawing(stem, caption, svg_bytes(drawn), png_bytes(drawn))


def mass_sheet(body: Mapping[str, Any]) -> Sheet:
    """Where the average map of each class has its mass."""
    rows = tuple(tuple(entry[column.key] for column in MASS) for entry in body["mass"])
    lines = ("an even spread has 25 % in each quadrant and 11.1 % in the middle ninth", *notes(body))
    return Sheet("mass", f"Mass of the average maps of {body['run']} on {body['on']}", MASS, rows, lines)


def importance_sheet(body: Mapping[str, Any]) -> Sheet:
    """One row a block, then one a component."""
    rows = []
    for entry in body["importance"]:
        cells: list[Any] = [entry["kind"], entry["name"], entry["block"]]
        for score in ("accuracy", "log_loss"):
            sure = entry[score]["interval"] or {}
            cells += [entry[score]["mean"], entry[score]["sd"], sure.get("lower"), sure.get("upper")]
        rows.append(tuple(cells))
    lines = (
        f"{counted(body['permutations'], 'permutation')} within each fold; sd over these, intervals over rows",
        *notes(body),
    )
    return Sheet(
        "importance", f"Permutation importance in {body['run']} on {body['on']}", IMPORTANCE, tuple(rows), lines
    )


def notes(body: Mapping[str, Any]) -> list[str]:
    """Whose models, which rows, every known leak, and the copies."""
    lines = [f"looked at: {models_words(body)}, {counted(body['rows'], 'row')}"]
    if body["limit"]:
        lines.append(f"rows drawn class by class with seed {body['seed']} (--limit)")
    return [*lines, *body["leaks"], *copy_notes(body)]


def maps_drawings(
    body: Mapping[str, Any],
    faces: NDArray[np.float64],
    averages: NDArray[np.float64],
    shown: Mapping[str, tuple[Sequence[Overlay], Sequence[Overlay]]],
) -> list[Drawing]:
    """The average maps, then the samples of each class. faces, averages: (C, H, W), see `workflow/net_maps.py`."""
    used = [index for index, entry in enumerate(body["mass"]) if entry["maps"] > entry["empty"]]
    found = []
    whose = TARGETS.get(body["target"], f"the class {body['target']}")
    if used:
        names = [body["mass"][index]["class"] for index in used]
        counts = [body["mass"][index]["maps"] for index in used]
        density = averages[used] * averages[0].size
        by = "that class" if body["target"] in TARGETS else "the true class"
        caption = (
            f"Where {body['run']} finds {whose}: average Grad-CAM maps by {by}, over the mean picture of their rows."
        )
        found.append(drawing("average", caption, averages_figure(names, counts, faces[used], density)))
    across = max((len(right) + len(wrong) for right, wrong in shown.values()), default=0)
    for name, (right, wrong) in shown.items():
        if right or wrong:
            caption = f"Pictures of {name} and, over them, where the net finds {whose}; under each, the answer."
            found.append(
                drawing(
                    f"samples-{name.replace('/', '-')}", caption, overlays_figure(right, wrong, name, across=across)
                )
            )
    return found


def overlay_drawings(
    picture: NDArray[np.uint8], map: NDArray[np.float32], name: str, body: Mapping[str, Any]
) -> list[Drawing]:
    """One picture and where the net finds a class in it."""
    caption = f"{body['predicted']} {body['probability']:.0%}"
    drawn = single_figure(Overlay(picture, map, caption, name), body["target"])
    return [drawing("map", f"{name} and, over it, where {body['run']} finds {body['target']} (Grad-CAM).", drawn)]


def importance_drawings(body: Mapping[str, Any]) -> list[Drawing]:
    """Blocks, then the components that cost most."""
    found = []
    for kind, words in (("block", "descriptor block"), ("component", "column")):
        own = [entry for entry in body["importance"] if entry["kind"] == kind]
        own.sort(key=lambda entry: -entry["log_loss"]["mean"])
        if own:
            more = f" The {MOST} that cost most of {len(own)}." if len(own) > MOST else ""
            caption = f"What {body['run']} loses when one {words} is permuted among the held-out rows.{more}"
            found.append(drawing(f"{kind}s", caption, importance_figure(own)))
    return found


def importance_words(body: Mapping[str, Any]) -> list[str]:
    """The blocks in sentences, the one that costs most first, and what cannot be told from nothing."""
    blocks = [entry for entry in body["importance"] if entry["kind"] == "block"]
    blocks.sort(key=lambda entry: -entry["accuracy"]["mean"])
    lines = [
        f"{entry['name']} permuted: {percent(entry['accuracy']['mean'])} points of accuracy lost "
        f"({between(entry['accuracy']['interval'])}), log loss up by {number(entry['log_loss']['mean'])}"
        for entry in blocks
    ]
    single = [entry for entry in body["importance"] if entry["kind"] == "component"]
    idle = [entry for entry in single if (entry["log_loss"]["interval"] or {"lower": 0})["lower"] <= 0]
    if single:
        lines.append(f"{len(idle)} of {len(single)} columns cannot be told from useless by their log loss")
    return lines


def maps_words(body: Mapping[str, Any]) -> list[str]:
    """Where each class is found, as far as quadrants tell."""
    lines = []
    for entry in body["mass"]:
        if entry["middle"] is None:
            continue
        quadrants = {
            key.replace("_", " "): entry[key] for key in ("top_left", "top_right", "bottom_left", "bottom_right")
        }
        most = max(quadrants, key=lambda key: quadrants[key])
        lines.append(
            f"{entry['class']}: {percent(quadrants[most], 0)} % of the mass {most}, {percent(entry['middle'], 0)} % in "
            "the middle ninth"
        )
    without = sum(entry["empty"] for entry in body["mass"])
    if without:
        lines.append(f"{counted(without, 'map')} without any evidence, left out of the averages")
    return lines


def view_drawings(stem: str, name: str, view: Any) -> list[Drawing]:
    """What PHOG and LPQ see in the picture `name`; view: of `workflow/descriptor_views.py`."""
    found = []
    if view.edges is not None:
        levels = [(entry.level, entry.cells, entry.rows, entry.columns) for entry in view.levels]
        caption = f"What PHOG sees in {name}: edges, cells of each level with their orientations, and the descriptor."
        found.append(drawing(f"{stem}-phog", caption, phog_figure(view.picture, view.edges, levels, view.angle)))
    if view.windows:
        windows = [(entry.window, entry.codes, entry.histogram, entry.grid) for entry in view.windows]
        caption = f"What LPQ sees in {name}: the codes of local phase, and how often each occurs."
        found.append(drawing(f"{stem}-lpq", caption, lpq_figure(windows)))
    return found


def build_explain(
    title: str, lead: Sequence[str], drawings: Sequence[Drawing], sheets: Sequence[Sheet], *, version: str
) -> Report:
    """The page: sentences, figures, tables."""
    parts = [
        tag("header", tag("p", "Explanation", class_="kicker"), tag("h1", text(title))),
        tag(
            "section",
            tag("div", bullets(lead), class_="verdict") if lead else "",
            tag("div", *(figure(entry.svg.decode(), entry.caption, entry.stem) for entry in drawings), class_="wide"),
            *(table(sheet) for sheet in sheets),
        ),
        tag(
            "footer", paragraph(f"Made by fercli {version}." + (" Numbers stand in tables/ as CSV." if sheets else ""))
        ),
    ]
    return Report(document(title, tag("main", *parts)), tuple(drawings), tuple(sheets))
