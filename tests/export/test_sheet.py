"""Sheets: header rows, label numbers, marks, exact numbers, and what a reader makes of them."""

import io

import numpy as np
import openpyxl
import pytest
from sklearn.decomposition import PCA

from fercli.datasets.feature_sheets import read_sheet
from fercli.errors import InputError
from fercli.export import sheet as sheets
from fercli.export.sheet import SheetContent, fit_components, header_rows, label_numbers, sheet_rows
from fercli.records import Block, Samples

BLOCKS = (Block("phog", 0, 6), Block("lpq", 6, 14))
WRITERS = {".csv": sheets.write_csv, ".xlsx": sheets.write_xlsx}


def samples(count=30, classes=("angry", "happy", "contempt"), split=True, group=True):
    text = lambda values: np.array(list(values), dtype=np.str_)  # noqa: E731
    return Samples(
        ids=text(f"folder/p{row}" for row in range(count)),
        labels=text(classes[row % len(classes)] for row in range(count)),
        splits=text(("train" if row % 3 else "test") if split else "" for row in range(count)),
        groups=text(f"g{row % 4}" if group else "" for row in range(count)),
        sources=text("" for _ in range(count)),
        widths=np.zeros(count, dtype=np.int64),
        heights=np.zeros(count, dtype=np.int64),
        classes=classes,
    )


def features(count=30, seed=0):
    values = np.random.default_rng(seed).normal(size=(count, 14))
    values[:, ::2] = np.exp(2 * values[:, ::2])  # skewed enough that a logarithm, which a sheet has none of, would show
    return values.astype(np.float32)


def content(pca=3, **changes):
    x = features()
    fitted = fit_components(x, BLOCKS, np.arange(20), pca)
    return SheetContent(**{"samples": samples(), "features": x, "blocks": BLOCKS, "fitted": fitted, **changes})


def written(what, path):
    with path.open("wb") as stream:
        WRITERS[path.suffix](what, stream)
    return path


def test_header_rows_name_blocks_labels_and_columns():
    above, below = header_rows(content(pca=2, leaks=("fitted here", "and there")))
    meaning = "1 angry, 4 happy, 8 contempt"
    assert above == ["Features: fitted here | and there", meaning, "phog", "", "lpq", "", "", ""]
    assert below == ["name", "label", "phog.pc1", "phog.pc2", "lpq.pc1", "lpq.pc2", "split", "group"]


def test_components_are_those_of_the_rows_they_were_fitted_on():
    what = content(pca=3)
    values = np.array([row[2:8] for row in sheet_rows(what)], dtype=np.float64)
    for start, block in zip((0, 3), BLOCKS, strict=True):
        part = what.features[:, block.start : block.stop].astype(np.float64)
        expected = PCA(3, svd_solver="full").fit(part[:20]).transform(part)
        np.testing.assert_allclose(np.abs(values[:, start : start + 3]), np.abs(expected), rtol=1e-5, atol=1e-5)


def test_components_do_not_know_other_rows():
    x = features()
    changed = x.copy()
    changed[20:] *= 1000
    changed[-1] = np.nan
    first, second = (fit_components(one, BLOCKS, np.arange(20), 3) for one in (x, changed))
    for name, array in first.to_arrays().items():
        assert array.tobytes() == second.to_arrays()[name].tobytes()


@pytest.mark.parametrize("pca", [None, 14])
def test_nothing_is_fitted_where_columns_stay_as_they_are(pca):
    assert fit_components(features(), BLOCKS, np.arange(20), pca) is None


def test_label_numbers_are_those_of_sfew_whichever_classes_occur():
    seven = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
    assert list(label_numbers(seven).items()) == list(zip(seven, range(1, 8), strict=True))
    assert label_numbers(("sad", "bored", "surprise", "calm")) == {"sad": 6, "surprise": 7, "bored": 8, "calm": 9}


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("pca", [None, 1, 3, 0.8])
def test_round_trip_is_exact(tmp_path, suffix, pca):
    what = content(pca=pca, leaks=("one; with a semicolon", "two, with a comma"))
    read = read_sheet(written(what, tmp_path / f"s{suffix}"))
    mine = np.array([row[2:-2] for row in sheet_rows(what)], dtype=np.float32)
    np.testing.assert_array_equal(read.features.astype(np.float32), mine)
    for column in ("ids", "labels", "splits", "groups"):
        assert getattr(read.samples, column).tolist() == getattr(what.samples, column).tolist()
    assert read.samples.classes == what.samples.classes
    assert read.blocks == sheets.out_blocks(what)
    assert read.leaks == what.leaks
    assert read.left_out == ()


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_sheet_without_fit_split_group_and_some_labels(tmp_path, suffix):
    bare = samples(split=False, group=False)
    bare.labels[3] = ""
    bare.ids[4] = "=1+1"
    read = read_sheet(written(content(pca=None, samples=bare), tmp_path / f"s{suffix}"))
    assert read.leaks == ()
    assert set(read.samples.splits) == set(read.samples.groups) == {""}
    assert read.samples.labels.tolist() == bare.labels.tolist()
    assert read.samples.ids[4] == "=1+1"


def test_the_workbook_carries_its_notes(tmp_path):
    path = written(content(notes=(("fitted on", "train rows"), ("pca", 5))), tmp_path / "s.xlsx")
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["features", "notes"]
    assert book["features"]["C3"].value == float(str(next(sheet_rows(content()))[2]))
    assert list(book["notes"].iter_rows(values_only=True)) == [("fitted on", "train rows"), ("pca", 5)]


def test_a_label_that_the_first_row_does_not_explain(tmp_path):
    path = written(content(), tmp_path / "s.csv")
    path.write_text(path.read_text().replace("\nfolder/p1,4,", "\nfolder/p1,5,"))
    with pytest.raises(InputError, match=r"label '5' is none of those .* 1 angry, 4 happy, 8 contempt") as caught:
        read_sheet(path)
    assert caught.value.where.endswith("s.csv, row 4")


def test_a_sheet_too_large_for_xlsx(monkeypatch):
    monkeypatch.setattr(sheets, "LARGEST_XLSX", (31, 100))
    with pytest.raises(InputError, match=r"a sheet of 32 x 10 cells does not fit .xlsx \(31 x 100\)"):
        sheets.write_xlsx(content(), io.BytesIO())
