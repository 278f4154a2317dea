"""The only place that turns text into HTML; every string that comes from data is escaped here."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from fercli.report.tables import Sheet

# The figures' colours, which the page's style sheet gives other values on dark screens.
THEMED = {
    "#1b1f24": "var(--ink)",
    "#6b7480": "var(--muted)",
    "#d5dae0": "var(--rule)",
    "#ffffff": "var(--card)",
    "#0072b2": "var(--train)",
    "#d55e00": "var(--test)",
    "#009e73": "var(--monitor)",
}
PROSE = 40  # letters: longer cells than this are sentences, which may break over lines
WIDE = 320  # points: a figure wider than one column of a paper takes the width of the page
_UNIT = re.compile(r"(\d) %")
_RANGE = re.compile(r"(\d)–(\d)")
_BREAKS = re.compile(r"(?<=[._/-])(?=\w)")
_IDS = re.compile(r'(\bid="|url\(#|href="#)([^")]+)')


def text(value: Any) -> str:
    """Escaped for content and for attributes; a number stays on one line with its unit, an interval with its ends."""
    kept = _UNIT.sub("\\1\N{NO-BREAK SPACE}%", str(value))
    kept = _RANGE.sub("\\1\N{WORD JOINER}–\N{WORD JOINER}\\2", kept)
    return escape(kept, quote=True)


def tag(name: str, *content: str, **attributes: str | None) -> str:
    """An element around content that is HTML already; attributes are escaped, `class_` is class, None is left out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{written}>{''.join(content)}</{name}>"


def paragraph(content: str, class_: str | None = None) -> str:
    """A paragraph of plain text."""
    return tag("p", text(content), class_=class_)


def bullets(lines: Sequence[str], class_: str | None = None) -> str:
    """A list of plain sentences; nothing for no sentences."""
    return tag("ul", *(tag("li", text(line)) for line in lines), class_=class_) if lines else ""


def breakable(value: Any) -> str:
    """Escaped, with places where a long name may break: after a dot, hyphen, underscore or slash."""
    return "<wbr>".join(text(part) for part in _BREAKS.split(str(value)))


def table(
    sheet: Sheet,
    *,
    mark_first: bool = False,
    with_title: bool = True,
    with_notes: bool = True,
    links: Mapping[str, str] | None = None,
) -> str:
    """A sortable table in a frame that scrolls sideways on a small screen; its notes stand under it.

    A table of sentences is laid out row below row there instead. links: places in the page by the text of a row's
    first cell.
    """
    numeric = [column.form != "text" for column in sheet.columns]
    prose = any(isinstance(cell, str) and len(cell) > PROSE for row in sheet.rows for cell in row[1:])
    head = tag(
        "tr",
        *(
            tag("th", tag("button", text(column.label), type="button"), scope="col", class_="n" if number else None)
            for column, number in zip(sheet.columns, numeric, strict=True)
        ),
    )
    body = []
    for index, row in enumerate(sheet.rows):
        cells = []
        for place, (column, number, cell) in enumerate(zip(sheet.columns, numeric, row, strict=True)):
            raw = ("" if cell is None else repr(cell)) if number else None
            cells.append(
                tag("th", _row_name(column.write(cell), links or {}), scope="row")
                if place == 0 and not number
                else tag(
                    "td",
                    text(column.write(cell)),
                    class_="n" if number else None,
                    data_v=raw,
                    data_label=column.label if prose else None,
                )
            )
        body.append(tag("tr", *cells, class_="best" if mark_first and index == 0 and len(sheet.rows) > 1 else None))
    # the title stands outside: inside, a caption is as wide as the table and would be cut off on a phone
    title = tag("p", text(sheet.title), class_="title") if with_title else ""
    kind = "sortable prose" if prose else "sortable"
    drawn = tag("table", tag("thead", head), tag("tbody", *body), class_=kind, aria_label=sheet.title)
    return title + tag("div", drawn, class_="scroll") + (bullets(sheet.notes, "notes") if with_notes else "")


def _row_name(name: str, links: Mapping[str, str]) -> str:
    return tag("a", breakable(name), href=f"#{links[name]}") if name in links else breakable(name)


def pairs(entries: Mapping[str, Any]) -> str:
    """A list of names and values."""
    return tag("dl", *(tag("dt", text(name)) + tag("dd", text(value)) for name, value in entries.items()))


def details(summary: str, *content: str, is_open: bool = False) -> str:
    """A part that opens on a click, and is open in print."""
    opened = " open" if is_open else ""
    return f"<details{opened}><summary>{text(summary)}</summary>{''.join(content)}</details>"


def figure(svg: str, caption: str, key: str) -> str:
    """An SVG of ours inside the page: its ids made unique by `key`, its colours the page's, its size the column's."""
    inner = svg[svg.index("<svg") :]
    # a digest: keys hold names of runs, and what a name may hold would end the attribute
    prefix = f"f{hashlib.sha256(key.encode()).hexdigest()[:10]}"
    inner = _IDS.sub(lambda match: f"{match[1]}{prefix}-{match[2]}", inner)
    for colour, variable in THEMED.items():
        inner = inner.replace(colour, variable)
    opening, rest = inner.split(">", 1)
    opening = re.sub(r'\s(width|height|version)="[^"]*"', "", opening)
    opening += f' role="img" aria-label="{text(caption)}"'
    width = re.search(r'viewBox="0 0 ([0-9.]+)', opening)
    wide = "wide" if width and float(width[1]) > WIDE else None
    return tag("figure", tag("div", f"{opening}>{rest}"), tag("figcaption", text(caption)), class_=wide)


def picture(png: bytes, description: str) -> str:
    """A PNG inside the page."""
    source = f"data:image/png;base64,{b64encode(png).decode()}"
    return f'<img src="{source}" alt="{text(description)}">'
