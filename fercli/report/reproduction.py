"""The page of `fer reproduce`: a paper's tables and figures with ours beside them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fercli.report.html import bullets, details, figure, paragraph, table, tag, text
from fercli.report.material import Drawing
from fercli.report.page import document
from fercli.report.tables import Sheet


@dataclass(frozen=True)
class Part:
    """One part of the page: a paper's table or figure, or ours beside it.

    paper: what the paper prints or says there. here: what this reproduction finds, or why it can show nothing.
    """

    heading: str
    sheets: tuple[Sheet, ...] = ()
    drawings: tuple[Drawing, ...] = ()
    paper: tuple[str, ...] = ()
    here: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reproduction:
    """A paper reproduced. warning: what heads the page where this is not its protocol, None where it is."""

    paper: str
    title: str
    lead: tuple[str, ...]
    parts: tuple[Part, ...]
    warning: str | None = None

    @property
    def sheets(self) -> tuple[Sheet, ...]:
        """Every table, for the CSV files."""
        return tuple(sheet for part in self.parts for sheet in part.sheets)

    @property
    def drawings(self) -> tuple[Drawing, ...]:
        """Every figure, for the PNG and SVG files."""
        return tuple(drawing for part in self.parts for drawing in part.drawings)


def renamed(drawings: Sequence[Drawing], stem: str) -> tuple[Drawing, ...]:
    """Drawings under the number that a paper gives them; a second one and further ones are counted on."""
    stems = [stem if place == 0 else f"{stem}-{place + 1}" for place in range(len(drawings))]
    return tuple(replace(one, stem=name) for one, name in zip(drawings, stems, strict=True))


def reproduction_page(made: Reproduction, *, runs: Sequence[str], version: str) -> str:
    """One self-contained HTML page; equal input gives an equal page."""
    first, *rest = made.lead
    warned = tag("div", tag("strong", text(made.warning)), class_="caution") if made.warning else ""
    body = [
        tag("header", tag("p", "A paper reproduced", class_="kicker"), tag("h1", text(made.title))),
        warned,
        tag("section", tag("div", paragraph(first, "lead"), *(paragraph(line) for line in rest), class_="verdict")),
    ]
    for part in made.parts:
        figures = [figure(one.svg.decode(), one.caption, one.stem) for one in part.drawings]
        body.append(
            tag(
                "section",
                tag("h2", text(part.heading)),
                _beside(part),
                *(_sheet(sheet, part) for sheet in part.sheets),
                tag("div", *figures, class_="figures") if figures else "",
                class_="run",
            )
        )
    made_of = f"Runs: {', '.join(runs)}. Made by fercli {version}. Numbers stand in tables/ as CSV."
    return document(made.title, tag("main", *body, tag("footer", paragraph(made_of))))


def _beside(part: Part) -> str:
    """The paper's words and ours, beside each other where there is room."""
    sides = (("The paper", part.paper), ("Here", part.here))
    shown = [
        tag("div", tag("strong", text(name)), bullets(lines), class_="ours" if lines is part.here else None)
        for name, lines in sides
        if lines
    ]
    return tag("div", *shown, class_="beside") if shown else ""


def _sheet(sheet: Sheet, part: Part) -> str:
    """A table, folded away where a figure of the part shows the same at a glance."""
    if part.drawings:
        return details(sheet.title, table(sheet))
    return table(sheet, with_title=len(part.sheets) > 1)
