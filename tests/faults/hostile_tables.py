"""Tables that mean harm or are beyond repair: FER-2013's CSV, lists of pictures, folds, feature sheets."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from fault_files import SHEET, csv_sheets, fer_csv, fold_tables, xlsx_sheets
from fault_mutations import damaged_bytes, damaged_table, rng_of
from hostile_files import READ_OR_REFUSED, Hostile, file_of, zip_of


def hostile_tables(seed: int) -> Iterator[Hostile]:
    """FER-2013 tables, lists of pictures, and folds, with the wrong columns, labels, bytes and numbers."""
    plane = " ".join(["7"] * 16)
    bodies = {
        "no row": "",
        "a label outside the set": f"7,{plane},Training\n",
        "a label that is text": f"happy,{plane},Training\n",
        "a negative label": f"-1,{plane},Training\n",
        "an unknown usage": f"0,{plane},Elsewhere\n",
        "a pixel of 256": f"0,{plane[:-1]}256,Training\n",
        "a pixel of -1": f"0,-1 {plane},Training\n",
        "a pixel NaN": f"0,NaN {plane},Training\n",
        "15 pixels": f"0,{plane[2:]},Training\n",
        "no pixel": "0,,Training\n",
        "a missing cell": f"0,{plane}\n",
        "an extra cell": f"0,{plane},Training,more\n",
        "an open quote": f'0,"{plane},Training\n',
        "a NUL": f"0,{plane}\0,Training\n",
        "a number of 5000 digits": f"0,{'9' * 5000},Training\n",
        "a cell of 20 MB": f"0,{'1 ' * 10_000_000},Training\n",
    }
    for what, body in bodies.items():
        data = f"emotion,pixels,Usage\n{body}".encode()
        yield Hostile(f"FER table with {what}", file_of("fer2013.csv", data, "import-dataset"))
    sound = fer_csv()["fer2013.csv"].decode()
    for encoding in ("utf-16", "utf-32", "cp500"):
        data = sound.encode(encoding)
        yield Hostile(f"FER table in {encoding}", file_of("fer2013.csv", data, "import-dataset"))
    for column in ("emotion", "pixels", "Usage"):
        data = sound.replace(column, "other", 1).encode()
        yield Hostile(f"FER table without {column}", file_of("fer2013.csv", data, "import-dataset"))
    yield Hostile(
        "FER table of random bytes", file_of("fer2013.csv", rng_of(seed, "random").bytes(9999), "import-dataset")
    )
    yield Hostile("an empty FER table", file_of("fer2013.csv", b"", "import-dataset"))
    lists = (
        "../up.png,happy",
        "/etc/passwd,happy",
        "C:\\x.png,sad",
        ",happy",
        "gone.png,happy",
        "a\0.png,happy",
        "x.png,happy,never",
    )
    for row in lists:
        data = f"path,label{',split' if row.endswith('never') else ''}\n{row}\n".encode()
        yield Hostile(f"list of pictures with {row!r}", file_of("list.csv", data, "import-dataset"))
    folds = fold_tables()["folds.csv"].decode()
    tables = {
        "no fold column": folds.replace("fold", "part", 1),
        "unknown ids": folds,
        "no row": "id,fold\n",
        "fold -7": "id,fold\nfaces,-7\n",
        "fold 1.5": "id,fold\nfaces,1.5\n",
        "fold NaN": "id,fold\nfaces,NaN\n",
        "a fold of 400 digits": f"id,fold\nfaces,{'9' * 400}\n",
        "fold 2^62": f"id,fold\nfaces,{2**62}\n",
        "a NUL": "id,fold\nfaces\0,1\n",
        "nothing": "",
    }
    for what, text in tables.items():

        def make(folder: Path, text: str = text) -> list[str]:
            (folder / "folds.csv").write_text(text)
            return ["make-folds", "--features", "sheet", "--from", str(folder / "folds.csv")]

        yield Hostile(f"table of folds with {what}", make)
    for number in range(10):
        data = damaged_table(rng_of(seed, "fer", number), fer_csv()["fer2013.csv"])
        yield Hostile(f"FER table damaged, {number}", file_of("fer2013.csv", data, "import-dataset"), READ_OR_REFUSED)


def workbook(**parts: bytes) -> bytes:
    """A sound workbook with some parts replaced; `__` in a name stands for `/`, one without bytes is left out."""
    out = io.BytesIO()
    if "xl__sharedStrings_xml" in parts:
        # A cell that asks for the first of the texts, and the part made known.
        parts.setdefault(
            "xl__worksheets__sheet1_xml", SHEET_XML % (b"", b'<row r="1"><c r="A1" t="s"><v>0</v></c></row>')
        )
    replaced = {name.replace("__", "/").replace("_xml", ".xml"): data for name, data in parts.items()}
    with zipfile.ZipFile(io.BytesIO(xlsx_sheets()["plain.xlsx"])) as sound, zipfile.ZipFile(out, "w", 8) as changed:
        for name in [*sound.namelist(), *(name for name in replaced if name not in sound.namelist())]:
            data = replaced[name] if name in replaced else sound.read(name)
            if name == "[Content_Types].xml" and "xl/sharedStrings.xml" in replaced:
                data = data.replace(b"</Types>", TEXTS_KNOWN + b"</Types>")
            if data:
                changed.writestr(name, data)
    return out.getvalue()


SHEET_XML = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">%s<sheetData>%s</sheetData></worksheet>'
TEXTS_KNOWN = (
    b'<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-officedocument.'
    b'spreadsheetml.sharedStrings+xml"/>'
)
STYLES_XML = (
    b'<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellStyleXfs/><cellXfs/>'
    b'<cellStyles><cellStyle name="x" xfId="0"/></cellStyles></styleSheet>'
)
STRINGS_XML = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">%s</sst>'


def hostile_sheets(seed: int) -> Iterator[Hostile]:
    """Feature sheets: CSV and XLSX."""
    head, *rows = SHEET.splitlines()
    texts = {
        "no row": head,
        "no header": "\n".join(rows),
        "no id": SHEET.replace("id,", "name,", 1),
        "no label": SHEET.replace("label", "class", 1),
        "a column twice": SHEET.replace("lpq.2", "lpq.1", 1),
        "no numbers": "id,label\na,happy\n",
        "an empty id": f"{head}\n,happy,train,g,1,2,3\n",
        "an unknown split": f"{head}\na,happy,never,g,1,2,3\n",
        "a row too long": f"{head}\na,happy,train,g,1,2,3,4\n",
        "an open quote": f'{head}\n"a,happy,train,g,1,2,3\n',
        "a NUL": f"{head}\na\0,happy,train,g,1,2,3\n",
        "nothing": "",
        "other delimiters": SHEET.replace(",", "|"),
        **{
            f"only {value}": f"{head}\na,happy,train,g,1,{value},3\n"
            for value in ("NaN", "inf", "-inf", "1e999", "", "x", "=1+1")
        },
    }
    for what, text in texts.items():
        yield Hostile(f"CSV sheet with {what}", file_of("sheet.csv", text.encode(), "import-features"))
    for encoding in ("utf-16", "utf-32"):
        yield Hostile(f"CSV sheet in {encoding}", file_of("sheet.csv", SHEET.encode(encoding), "import-features"))
    for number in range(12):
        name = sorted(csv_sheets())[number % 3]
        data = damaged_table(rng_of(seed, "sheet", number), csv_sheets()[name])
        yield Hostile(f"{name} damaged, {number}", file_of("s.csv", data, "import-features"), READ_OR_REFUSED)
    cell = b'<row r="%d"><c r="%s"><v>1</v></c></row>'
    sheet = "xl__worksheets__sheet1_xml"
    bomb = STRINGS_XML % (b"<si><t>" + b"A" * (48 * 2**20) + b"</t></si>")
    laughs = b"".join(b'<!ENTITY l%d "%s">' % (n + 1, b"&l%d;" % n * 10) for n in range(9))
    laughing = (
        b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY l0 "lol">' + laughs + b"]>" + STRINGS_XML % b"<si><t>&l9;</t></si>"
    )
    formula = b'<row r="1"><c r="A1"><f>HYPERLINK("http://x")</f></c><c r="B1"><f>[1]S!A1</f></c></row>'
    external = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    books = {
        "formulas and external links": workbook(**{sheet: SHEET_XML % (b"", formula)}),
        "a row number of a million millions": workbook(**{sheet: SHEET_XML % (b"", cell % (10**12, b"A1"))}),
        "a cell in the last column": workbook(**{sheet: SHEET_XML % (b"", cell % (1, b"XFD1"))}),
        "a size that is not true": workbook(
            **{sheet: SHEET_XML % (b'<dimension ref="A1:XFD1048576"/>', cell % (1, b"A1"))}
        ),
        "texts of 48 MB from 48 kB": workbook(xl__sharedStrings_xml=bomb),
        "a billion laughs": workbook(xl__sharedStrings_xml=laughing),
        "an external entity": workbook(xl__sharedStrings_xml=external + STRINGS_XML % b"<si><t>&e;</t></si>"),
        "a style of no format": workbook(xl__styles_xml=STYLES_XML),
        "no sheet": workbook(**{sheet: b""}),
        "no workbook": workbook(xl__workbook_xml=b""),
        "broken XML": workbook(**{sheet: b"<worksheet"}),
        "no XML": workbook(**{sheet: bytes(range(256))}),
        "a zip in it": zip_of(("inner.xlsx", xlsx_sheets()["plain.xlsx"])),
        "nothing in the zip": zip_of(),
        "half of it": xlsx_sheets()["plain.xlsx"][:2000],
        "text": SHEET.encode(),
    }
    for what, data in books.items():
        yield Hostile(f"XLSX sheet with {what}", file_of("sheet.xlsx", data, "import-features"))
    for number in range(12):
        name = sorted(xlsx_sheets())[number % 3]
        data = damaged_bytes(rng_of(seed, "xlsx", number), xlsx_sheets()[name])
        yield Hostile(f"{name} damaged, {number}", file_of("s.xlsx", data, "import-features"), READ_OR_REFUSED)
