"""Feature sheets: SFEW's, with its oddities, and plain tables; nothing vanishes, every refusal says where."""

import csv

import numpy as np
import openpyxl
import pytest

from fercli.datasets.feature_sheets import read_sheet
from fercli.errors import InputError

# The form of the SFEW sheet with made numbers: two header rows, names in .mat, labels 1 to 7.
SFEW = [
    [
        "",
        "label",
        "First 5 Principal Components of (LPQ)\nfeatures",
        *[""] * 4,
        "First 5 Components of (PHOG)",
        *[""] * 4,
    ],
    ["", "", *range(1, 6), *range(1, 6)],
    ["Film_000519240_00000005.mat", 1, *np.arange(10) / 8],
    ["Hangover_001949614_00000089.mat", 3, *np.arange(5) / 8, *["NaN"] * 5],
    ["HarryPotter_Deathly_Hallows_1_001610960_00000028.mat", 3, *np.arange(10) / 16],
    ["OceansThirteen-010619400_00000087.mat", 4, *np.arange(10) / 32],
    ["IAmSam_013827920__00000055.mat", 6, *np.arange(10) / 64],
    ["HarryPotter_Deathly_Hallows_1_001610960_00000028.mat", 7, *np.arange(10) / 16],
    ["HarryPotter_Deathly_Hallows_2_001723920_00000023.mat", 5, *np.arange(10) / 128],
]


def write_csv(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)
    return path


def write_xlsx(path, rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append([None if cell == "" else cell for cell in row])
    book.save(path)
    return path


@pytest.fixture(params=["csv", "xlsx"])
def write(request, tmp_path):
    writer = {"csv": write_csv, "xlsx": write_xlsx}[request.param]
    return lambda rows: writer(tmp_path / f"sheet.{request.param}", rows)


def test_sfew_sheet_with_its_oddities(write):
    sheet = read_sheet(write(SFEW))
    deathly = "HarryPotter_Deathly_Hallows_1_001610960_00000028"
    assert sheet.samples.ids.tolist() == [
        "Film_000519240_00000005",
        deathly,
        "OceansThirteen-010619400_00000087",
        "IAmSam_013827920_00000055",
        f"{deathly}#2",
        "HarryPotter_Deathly_Hallows_2_001723920_00000023",
    ]
    assert sheet.samples.labels.tolist() == ["angry", "fear", "happy", "sad", "surprise", "neutral"]
    parts = "HarryPotter_Deathly_Hallows"
    assert sheet.samples.groups.tolist() == ["Film", parts, "OceansThirteen", "IAmSam", parts, parts]
    assert [(block.name, block.start, block.stop) for block in sheet.blocks] == [("lpq", 0, 5), ("phog", 5, 10)]
    assert sheet.blocks[1].columns == ("phog.1", "phog.2", "phog.3", "phog.4", "phog.5")
    assert np.array_equal(sheet.features[0], np.arange(10) / 8)
    assert [(item.source, item.reason) for item in sheet.left_out] == [
        ("Hangover_001949614_00000089", "row 4, column phog.1: 'NaN', not a finite number")
    ]
    assert sheet.notes == (f"{deathly}: the same features under the labels fear and surprise (rows 5 and 8)",)
    assert sheet.leaks == ("components were fitted on all rows of the sheet",)
    content = sheet.samples.extra["content"]
    assert content[1] == content[4]
    assert len(set(content.tolist())) == 5


def test_a_row_without_a_label_contradicts_none(write):
    header = ["id", "label", "a.x", "a.y"]
    rows = [["a", "happy", 1, 2], ["b", "sad", 3, 4], ["d", "", 1, 2]]
    assert read_sheet(write([header, *rows])).notes == ()
    notes = read_sheet(write([header, *rows, ["e", "sad", 1, 2]])).notes
    assert notes == ("a, e: the same features under the labels happy and sad (rows 2 and 5)",)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (["not a frame", 1, *range(10)], "'not a frame' is not the name of a film frame"),
        (["Film_000519240_00000006.mat", 8, *range(10)], "label '8' is not a number from 1 to 7"),
        (["Film_000519240_00000006.mat", 1, *range(11)], "13 cells where the SFEW sheet has 12"),
    ],
)
def test_sfew_rows_that_do_not_belong(write, row, message):
    with pytest.raises(InputError, match=message) as caught:
        read_sheet(write([*SFEW, row]))
    assert caught.value.where.endswith("row 10")


def test_plain_table_with_interleaved_blocks(write):
    sheet = read_sheet(
        write(
            [
                ["ID", "a.1", "label", "plain", "a.2", "Group", "split", "b.x"],
                ["r1", 1, "Anger", 2, 3, "ann", "val", 4],
                ["r2", 5, "odd", 6, 7.5, "", "", 8],
            ]
        )
    )
    assert [(block.name, block.columns) for block in sheet.blocks] == [
        ("a", ("a.1", "a.2")),
        ("features", ("plain",)),
        ("b", ("b.x",)),
    ]
    assert sheet.features.tolist() == [[1, 3, 2, 4], [5, 7.5, 6, 8]]
    assert sheet.samples.labels.tolist() == ["angry", "odd"]
    assert sheet.samples.splits.tolist() == ["validation", ""]
    assert sheet.samples.groups.tolist() == ["ann", ""]
    assert sheet.samples.sources.tolist() == ["row 2", "row 3"]
    assert sheet.leaks == ()


@pytest.mark.parametrize(("cell", "shown"), [("inf", "'inf'"), ("x1", "'x1'"), ("", "empty"), ("nan", "'nan'")])
def test_cells_that_are_no_number_leave_the_row_out_by_name(write, cell, shown):
    sheet = read_sheet(write([["id", "label", "f"], ["bad", "sad", cell], ["good", "sad", 1]]))
    assert sheet.samples.ids.tolist() == ["good"]
    ((item),) = sheet.left_out
    assert item.source == "bad"
    assert item.reason.startswith(f"row 2, column f: {shown}")


@pytest.mark.parametrize(
    ("rows", "message", "where"),
    [
        ([["name", "label", "f"], ["a", "sad", 1]], "the header has no column id; it reads: name, label, f", "header"),
        ([["id", "f"], ["a", 1]], "the header has no column label", "header"),
        ([["id", "label", "f", "f"], ["a", "sad", 1, 2]], "names column 'f' 2 times", "header"),
        ([["id", "label"], ["a", "sad"]], "no numeric column", "row 1"),
        ([["id", "label", "f"]], "no row with features", "sheet"),
        ([["id", "label", "f"], ["a", "sad", "x"]], "no row with features; the first of 1 left out: row 2", "sheet"),
        ([["id", "label", "f"], ["a", "sad", 1, 2]], "4 cells under a header of 3", "row 2"),
        ([["id", "label", "f"], ["", "sad", 1]], "the id is empty", "row 2"),
        ([["id", "label", "split", "f"], ["a", "sad", "held", 1]], "split 'held' is none of", "row 2"),
    ],
)
def test_refusals_say_where(write, rows, message, where):
    with pytest.raises(InputError, match=message) as caught:
        read_sheet(write(rows))
    assert where in caught.value.where
    assert caught.value.next_step


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the sheet is empty"),
        (b"id,label,f\na,sad,1\nb,s\0d,2\n", "NUL"),
        (b"id,label,f\na,sad,1\nb,\xe9t\xe9,2\n", "not UTF-8: byte 0xe9"),
        (b"\xff\xfei\0d\0", "not UTF-8"),
        (b'id,label,f\na,"sad"x,1\n', "broken CSV"),
        (b"PK\x03\x04 no zip", "not a readable .xlsx sheet"),
    ],
)
def test_files_that_are_no_sheet(tmp_path, data, message):
    (tmp_path / "s.csv").write_bytes(data)
    with pytest.raises(InputError, match=message):
        read_sheet(tmp_path / "s.csv")


def test_a_missing_file_and_a_semicolon_table(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_sheet(tmp_path / "none.csv")
    (tmp_path / "s.csv").write_bytes(b"\xef\xbb\xbfid;label;f\na;sad;1\n")
    assert read_sheet(tmp_path / "s.csv").features.tolist() == [[1]]


@pytest.mark.real_data
def test_the_published_sheet(real_data):
    sheet = read_sheet(real_data / "sfew-lpq-phog-pca.xlsx")
    deathly = "HarryPotter_Deathly_Hallows_1_001610960_00000028"
    assert sheet.features.shape == (674, 10)
    assert [item.source for item in sheet.left_out] == ["Hangover_001949614_00000089"]
    assert len(sheet.notes) == 1
    assert deathly in sheet.notes[0]
    assert "fear and surprise" in sheet.notes[0]
    _, films = np.unique(sheet.samples.groups, return_counts=True)
    assert (len(films), films.max()) == (57, 54)
