"""fer bench and fer export: from argv to tables and files."""

import json

import numpy as np
import openpyxl
import pytest

from fercli.artifacts.store import Store
from fercli.steps import export as export_step

SHEET = "id,label,split,group,lpq.a,lpq.b,lpq.c,phog.a,phog.b\n"


@pytest.fixture
def table(fer, tmp_path):
    """Features `table` in the workspace: 40 rows, blocks lpq 3 and phog 2, splits and groups."""
    rng = np.random.default_rng(0)
    lines = [
        f"s{row},{('happy', 'sad')[row % 2]},{'train' if row % 4 else 'test'},g{row % 10},"
        + ",".join(f"{value:.5f}" for value in rng.normal(size=5))
        for row in range(40)
    ]
    (tmp_path / "table.csv").write_text(SHEET + "\n".join(lines) + "\n")
    assert fer("import-features", tmp_path / "table.csv").code == 0
    return Store(tmp_path / "ws").open("features", "table")


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--pca", "2"), "components were fitted on all train rows"),
        (("--pca", "2", "--fit-on", "all"), "components were fitted on all rows of the sheet"),
        (("--pca", "2", "--fit-on", "fold 0/1"), "components were fitted on the training rows of fold 0/1 of own"),
        ((), None),
    ],
)
def test_a_sheet_comes_back_with_its_leak(fer, tmp_path, table, suffix, options, sentence):
    assert fer("make-folds", "--k", "4", "--pool-splits", "--name", "own").code == 0
    out = tmp_path / f"sheet.{suffix}"
    body = json.loads(fer("export", "table", "--out", out, *options, "--json").out)
    back = json.loads(fer("import-features", out, "--json").out)
    assert back["leaks"] == body["leaks"]
    assert len(back["leaks"]) == (sentence is not None)
    if sentence:
        assert back["leaks"][0].startswith(sentence)
        assert body["warnings"] == [f"leak: {sentence}" for sentence in back["leaks"]]
    ours, theirs = table.samples(), Store(tmp_path / "ws").open("features", "sheet").samples()
    for column in ("ids", "labels", "splits", "groups"):
        assert getattr(ours, column).tolist() == getattr(theirs, column).tolist()
    assert [block["columns"] for block in back["blocks"]] == ([2, 2] if sentence else [3, 2])


def test_components_of_a_fold_are_those_of_its_training_rows(fer, tmp_path, table):
    from sklearn.decomposition import PCA

    assert fer("make-folds", "--k", "4", "--pool-splits", "--name", "own").code == 0
    folds = (Store(tmp_path / "ws").open("folds", "own").path / "folds.csv").read_text().splitlines()[1:]
    held_out = {line.split(",")[0] for line in folds if line.endswith(",0,1")}
    rows = np.array([row for row, name in enumerate(table.samples().ids) if name not in held_out])
    body = json.loads(
        fer("export", "table", "--pca", "1", "--fit-on", "fold 0/1", "--out", tmp_path / "f.csv", "--json").out
    )
    assert body["fitted_rows"] == len(rows) == 40 - len(held_out)
    lpq = table.array("features.npy")[:, :3].astype(np.float64)
    expected = PCA(1, svd_solver="full").fit(lpq[rows])
    written = [float(line.split(",")[2]) for line in (tmp_path / "f.csv").read_text().splitlines()[2:]]
    np.testing.assert_allclose(np.abs(written), np.abs(expected.transform(lpq)[:, 0]), atol=1e-6)
    assert body["blocks"][0]["variance"] == pytest.approx(expected.explained_variance_ratio_[0])


def test_a_leak_that_features_came_with_goes_on(fer, tmp_path, table):
    assert fer("export", "table", "--pca", "2", "--fit-on", "all", "--out", tmp_path / "first.csv").code == 0
    assert fer("import-features", tmp_path / "first.csv").code == 0
    assert fer("export", "first", "--pca", "1", "--out", tmp_path / "second.csv").code == 0
    leaks = json.loads(fer("import-features", tmp_path / "second.csv", "--json").out)["leaks"]
    assert [leak.split(",")[0] for leak in leaks] == [
        "components were fitted on all rows of the sheet",
        "components were fitted on all train rows",
    ]


def test_the_workbook_says_where_it_came_from(fer, tmp_path, table):
    assert fer("export", "table", "--pca", "2", "--out", tmp_path / "s.xlsx").code == 0
    notes = dict(openpyxl.load_workbook(tmp_path / "s.xlsx")["notes"].iter_rows(values_only=True))
    assert notes["fingerprint"] == table.manifest.fingerprint
    assert (notes["fitted on"], notes["fitted rows"]) == ("train rows", 30)
    assert 0 < notes["variance kept, lpq"] < 1


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("table", "--format", "pickle", "--out", "s.csv"), 2, "--format: pickle cannot be written by this release"),
        (("table", "--out", "s.txt"), 2, "--out: a sheet ends in .csv or .xlsx, not .txt"),
        (("table", "--out", "none/s.csv"), 2, "--out: there is no such folder"),
        (("table", "--out", "table.csv"), 2, "--out: a file of this name stands"),
        (("nothing", "--out", "s.csv"), 4, "there is no features or run called nothing"),
        (("table", "--pca", "2", "--fit-on", "most", "--out", "s.csv"), 2, "--fit-on: say all, train, or 'fold R/F'"),
        (("table", "--pca", "0", "--out", "s.csv"), 2, "--pca: give a number of components from 1"),
        (("table", "--pca", "2", "--fit-on", "fold 0/0", "--out", "s.csv"), 4, "the workspace has no folds yet"),
    ],
)
def test_refusals_name_the_remedy_and_write_nothing(fer, tmp_path, table, arguments, code, message):
    answer = fer("export", *arguments)
    assert (answer.code, message in answer.err) == (code, True), answer.err
    assert "next: " in answer.err
    assert not list(tmp_path.glob("*s.csv*"))


def test_a_fold_that_is_not_there(fer, tmp_path, table):
    assert fer("make-folds", "--k", "4", "--pool-splits", "--name", "own").code == 0
    answer = fer("export", "table", "--pca", "2", "--fit-on", "fold 0/4", "--out", "s.csv")
    assert answer.code == 3
    assert "folds/own has no fold 0/4" in answer.err
    assert "folds from 0 to 3" in answer.err


def test_a_file_that_stands_is_replaced_whole_or_not_at_all(fer, tmp_path, table, monkeypatch):
    out = tmp_path / "s.csv"
    out.write_text("mine")
    assert fer("export", "table", "--out", out, "--dry-run", "--force").code == 0
    assert out.read_text() == "mine"

    def full(content, stream):
        stream.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(export_step.WRITERS, ".csv", full)
    assert fer("export", "table", "--out", out, "--force").code == 5
    assert out.read_text() == "mine"
    assert not list(tmp_path.glob(".*.new"))
    monkeypatch.undo()


def test_force_replaces(fer, tmp_path, table):
    (tmp_path / "s.csv").write_text("mine")
    assert fer("export", "table", "--out", tmp_path / "s.csv", "--force").code == 0
    assert (tmp_path / "s.csv").read_text().startswith("Features: nothing was fitted,")


@pytest.mark.parametrize(
    ("topic", "implementations"),
    [
        ("descriptors", {"fercli", "transcription", "scikit-image"}),
        ("bp", {"ours", "pytorch", "scikit-learn"}),
        ("pca", {"fercli", "scikit-learn full", "scikit-learn covariance_eigh", "scikit-learn arpack"}),
        ("resnet", {"matrix product 256", "3x3 convolution 42", "copy of 4 MiB", "ours", "bare loop", "plain loop"}),
    ],
)
def test_every_topic_shows_both_sides_and_where_it_ran(fer, topic, implementations):
    body = json.loads(fer("bench", topic, "--quick", "--threads", "1", "--jobs", "1", "--json").out)
    assert (body["topic"], body["quick"], body["artifact"]) == (topic, True, None)
    assert {timing["implementation"] for timing in body["timings"]} == implementations
    assert all(timing["seconds"] > 0 for timing in body["timings"])
    machine = body["machine"]
    assert machine["threads"] == 1
    assert machine["versions"]["numpy"] == np.__version__
    assert {"cores", "load_before", "load_after"} <= machine.keys()


def test_pca_of_real_features(fer, table):
    answer = fer("bench", "pca", "--features", "table", "--k", "3", "--components", "2", "--rows", "30", "--quick")
    assert answer.code == 0, answer.err
    assert "features/table" in answer.out
    assert "quick: small data, one repeat; these times say little" in answer.out
    assert "load average" in answer.out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("speed",), 2, "there is no benchmark called speed"),
        (("bp", "--features", "table"), 2, "fer bench bp reads no features"),
        (("pca", "--k", "1"), 2, "--k: input should be greater than or equal to 2"),
        (("resnet", "--variant", "vgg"), 2, "there is no variant 'vgg'"),
        (("resnet", "--device", "tpu"), 2, "there is no device 'tpu'"),
        (("pca", "--features", "none"), 4, "there is no features called none"),
    ],
)
def test_bench_refusals(fer, arguments, code, message):
    answer = fer("bench", *arguments)
    assert (answer.code, message in answer.err) == (code, True), answer.err


def test_topics_of_the_config_are_those_of_the_step():
    from fercli.config.bench import TOPICS
    from fercli.steps import bench as bench_step

    assert list(TOPICS) == list(bench_step._TOPICS)
