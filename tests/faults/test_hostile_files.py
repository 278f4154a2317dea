"""Some hostile files through the real commands, every reader fuzzed for a moment, and what both found, one by one."""

import json

import pytest
from fault_files import encoded
from fault_fuzzing import fuzz
from fault_readers import READERS
from hostile import meet_all, workspace
from hostile_tables import STYLES_XML, workbook

from fercli.artifacts.arrays import read_array
from fercli.artifacts.contents import Facts, check_content
from fercli.artifacts.json_text import read_json
from fercli.cli.plain_text import plain
from fercli.datasets.images import decode
from fercli.errors import ArtifactError, InputError

FUZZED = sorted(READERS)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return workspace(tmp_path_factory.mktemp("hostile"))


@pytest.mark.parametrize("seed", [0])
def test_hostile_files_end_with_one_message_and_leave_nothing(seed, base):
    tally = meet_all(seed, base, every=12, fresh_every=0)
    assert [text for met in tally for text in met.wrong] == []
    assert sum(met.count for met in tally) >= 40


@pytest.mark.parametrize("name", FUZZED)
def test_damaged_files_raise_nothing_but_what_a_user_is_meant_to_see(name):
    tally = fuzz(name, seed=7, count=120)
    assert [(f.what, f.where, f.first) for f in tally.findings.values()] == []
    assert tally.refused > 10


def test_a_jpeg_whose_middle_is_missing_is_refused_and_libjpeg_stays_silent(capfd):
    whole = encoded(".jpg", side=48)
    decode(whole, source="a.jpg")
    with pytest.raises(InputError, match=r"damaged: .*premature end of data segment"):
        decode(whole[: len(whole) // 2] + b"\xff\xd9", source="a.jpg")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "text", ['{"a": NaN}', '{"a": 1e999}', "[" * 100_000, "9" * 5000, '{"a": -Infinity}', "\ufeff{}", "{"]
)
def test_json_that_python_would_read_and_others_would_not(text):
    with pytest.raises(ValueError, match=r"."):
        read_json(text.encode())
    assert read_json(b'{"a": [1, 2.5, null, "\xc3\xa9"]}') == {"a": [1, 2.5, None, "é"]}


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", "no header"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (9999999,), }", "promises"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (__import__('os'),), }", "no header"),
        ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", "no header"),
    ],
)
def test_array_headers_that_lie_or_compute(tmp_path, header, message):
    text = header.encode() + b"\n"
    path = tmp_path / "a.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(64))
    with pytest.raises(ArtifactError, match=message):
        read_array(path)


def test_facts_that_are_missing_or_of_another_type():
    facts = Facts({"rows": 3}, label="features/x", where="artifact.json")
    assert facts["rows"] == 3
    with pytest.raises(ArtifactError, match="features/x does not say its 'classes'"):
        facts["classes"]
    check_content({"rows": 3, "pca": 0.5, "made by another release": {}}, where="")
    with pytest.raises(ArtifactError, match=r"classes\.0: input should be a valid string"):
        check_content({"classes": [1]}, where="")


def test_what_a_file_holds_adds_no_line_and_no_escape(fer, tmp_path):
    name = "a\x1b[31m\nfer: error: b.csv"
    answer = fer("import-features", tmp_path / name)
    assert answer.code == 3
    assert answer.err.splitlines() == [
        "fer: error: the source does not exist",
        f"  where: {tmp_path}/a\\x1b[31m\\nfer: error: b.csv",
        "  next: check the path",
    ]
    assert plain("é 表情\t", lines=True) == "é 表情\t"
    assert plain("\u202egnp\udcff") == "\\u202egnp\\udcff"


def test_a_command_line_that_is_refused_names_its_command(fer):
    assert json.loads(fer("-w", "X", "status", "--json").out)["command"] == "status"
    assert json.loads(fer("-w", "status", "show", "--json").out)["command"] == "show"
    assert json.loads(fer("nothing", "--json").out)["command"] == "fer"


def test_an_empty_name_is_no_default(fer):
    answer = fer("synthesize", "--name", "")
    assert answer.code == 2
    assert "'' cannot be the name of an artifact" in answer.err


def test_a_refused_trainer_takes_back_the_folds_it_made_and_no_others(fer, tmp_path):
    assert fer("synthesize", "--subjects", 6, "--images", 7, "--size", 24).code == 0
    assert fer("extract-features", "--jobs", 1, "--descriptors", "lbp").code == 0
    assert fer("train-bp", "--k", 3, "--epochs", 1, "--threads", 1).code == 0
    folds = sorted(path.name for path in (tmp_path / "ws/folds").iterdir())
    assert fer("train-bp", "--k", 4, "--epochs", 1, "--threads", 1).code == 2
    assert sorted(path.name for path in (tmp_path / "ws/folds").iterdir()) == folds
    assert list((tmp_path / "ws/.trash").iterdir()) == []
    assert fer("train-bp", "--k", 3, "--epochs", 2, "--threads", 1).code == 2
    assert sorted(path.name for path in (tmp_path / "ws/folds").iterdir()) == folds


def test_one_spelling_for_the_same_folds(fer, tmp_path):
    assert fer("synthesize", "--subjects", 6, "--images", 7, "--size", 24).code == 0
    assert fer("extract-features", "--jobs", 1, "--descriptors", "lbp").code == 0
    assert fer("make-folds", "--k", 2, "--name", "x").code == 0
    states = [
        json.loads(fer("train-bp", "--folds", folds, "--epochs", 1, "--threads", 1, "--json").out)["status"]
        for folds in ("x", "./x", f"{tmp_path}/ws/folds/x/")
    ]
    assert states == ["done", "up-to-date", "up-to-date"]
    table = tmp_path / "own.csv"
    rows = [line.split(",") for line in (tmp_path / "ws/folds/x/folds.csv").read_text().splitlines()]
    table.write_text("".join(f"{row[rows[0].index('id')]},{row[rows[0].index('fold')]}\n" for row in rows))
    run = ("--epochs", 1, "--threads", 1, "--name", "own", "--json")
    states = [
        json.loads(fer("train-bp", "--folds", folds, *run).out)["status"] for folds in ("own.csv", table, "./own.csv")
    ]
    assert states == ["done", "up-to-date", "up-to-date"]
    table.write_text(table.read_text().replace(",0\n", ",2\n").replace(",1\n", ",0\n").replace(",2\n", ",1\n"))
    other = fer("train-bp", "--folds", "own.csv", *run)
    assert "run/own is stale: folds/own changed; making it again" in other.err
    assert json.loads(other.out)["status"] == "done"


def test_a_torn_line_of_the_ledger_is_mended_by_the_next_one(tmp_path):
    from fercli.artifacts.store import Store
    from fercli.workflow.ledger import append_scoring, scorings_so_far

    store = Store(tmp_path)
    append_scoring(store, "a", "test", 3)
    with (tmp_path / "ledger.jsonl").open("a") as stream:
        stream.write('{"run": "b", "ti')
    assert scorings_so_far(store) == 1
    append_scoring(store, "c", "test", 3)
    assert scorings_so_far(store) == 2
    assert (tmp_path / "ledger.jsonl").read_text().count("\n") == 2


def test_what_a_library_prints_stays_out_of_json(fer, tmp_path):
    """openpyxl prints `0 is out of range` to stdout here."""
    (tmp_path / "styles.xlsx").write_bytes(workbook(xl__styles_xml=STYLES_XML))
    answer = fer("import-features", "styles.xlsx", "--json")
    assert answer.code == json.loads(answer.out)["error"]["code"] == 3
