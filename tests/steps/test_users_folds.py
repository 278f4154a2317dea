"""A user's own table of folds, from the command line."""

import json

import numpy as np
import pytest

from fercli.artifacts.store import Store
from fercli.artifacts.tables import read_csv

SHEET = "id,label,group,a.x,a.y\n" + "".join(
    f"s{i},{'happy' if i % 2 else 'sad'},g{i // 4},{i * 0.5},{(7 * i) % 11}\n" for i in range(24)
)


@pytest.fixture
def rows(fer, tmp_path):
    """A workspace with 24 rows in six groups of four."""
    (tmp_path / "rows.csv").write_text(SHEET)
    fer("import-features", "rows.csv")
    return Store(tmp_path / "ws")


def table(path, fold_of, ids=24):
    path.write_text("id,fold\n" + "".join(f"s{i},{fold_of(i)}\n" for i in range(ids)))
    return path


def test_a_trainer_takes_a_table_as_it_is(fer, tmp_path, rows):
    table(tmp_path / "mine.csv", lambda i: i // 12)
    body = json.loads(fer("train-baseline", "--model", "lda", "--folds", "mine.csv", "--name", "a", "--json").out)
    assert (body["protocol"]["scheme"], body["protocol"]["k"], body["protocol"]["groups"]) == ("imported", 2, 6)
    _, lines = read_csv(rows.open("folds", "mine").file("folds.csv"))
    assert [int(line[3]) for line in lines] == [i // 12 for i in range(24)]
    predicted = rows.open("run", "a").file("predictions.csv").read_text().splitlines()[1:]
    assert {line.split(",")[0]: int(line.split(",")[2]) for line in predicted} == {f"s{i}": i // 12 for i in range(24)}
    assert fer("train-baseline", "--model", "lda", "--folds", "mine.csv", "--name", "a", "--json").code == 0


def test_folds_that_stand_can_be_edited_and_taken_back(fer, tmp_path, rows):
    fer("make-folds", "--k", "3")
    standing = rows.open("folds", "rows-stratified-grouped-3").file("folds.csv")
    (tmp_path / "edited.csv").write_text(standing.read_text().replace(",0,2\n", ",0,0\n"))
    body = json.loads(fer("make-folds", "--from", "edited.csv", "--json").out)
    assert (body["artifact"], body["protocol"]["k"]) == ("folds/edited", 2)
    (tmp_path / "edited.csv").write_text(standing.read_text())
    again = fer("make-folds", "--from", "edited.csv", "--json")
    assert "folds/edited is stale: source/edited changed" in again.err
    assert json.loads(again.out)["protocol"]["k"] == 3


def test_a_table_that_cuts_groups_is_refused_unless_allowed_and_then_said(fer, tmp_path, rows):
    table(tmp_path / "cut.csv", lambda i: i % 2)
    refused = fer("make-folds", "--from", "cut.csv")
    assert refused.code == 3
    assert "fer: error: these folds would cut 6 of 6 groups" in refused.err
    assert rows.names("folds") == []
    allowed = json.loads(fer("make-folds", "--from", "cut.csv", "--allow-group-leak", "--json").out)
    assert allowed["protocol"]["leaks"] == ["groups with rows both in training and held out: 6 of 6"]
    run = json.loads(fer("train-baseline", "--model", "majority", "--folds", "cut", "--json").out)
    assert "groups with rows both in training and held out: 6 of 6" in run["protocol"]["leaks"]


@pytest.mark.parametrize("new", [("--k", "3"), ("--scheme", "stratified")])
def test_a_table_beside_new_folds_is_refused_in_the_options_of_the_command(fer, tmp_path, rows, new):
    table(tmp_path / "mine.csv", lambda i: i // 12)
    answer = fer("make-folds", "--from", "mine.csv", *new)
    assert (answer.code, answer.err) == (
        2,
        "fer: error: --from takes over folds that stand, --scheme and --k make new ones: give one of them\n"
        "  next: see fer make-folds --help\n",
    )
    answer = fer("train-baseline", "--model", "lda", "--folds", "mine.csv", *new)
    assert (answer.code, answer.err) == (
        2,
        "fer: error: --folds names folds that stand, --scheme and --k make new ones: give one of them\n"
        "  next: see what it takes with --help\n",
    )


@pytest.mark.parametrize(("text", "where"), [("", "empty.csv"), ("a,b\n", "empty.csv: a,b")])
def test_a_table_without_the_columns_is_refused(fer, tmp_path, rows, text, where):
    (tmp_path / "empty.csv").write_text(text)
    answer = fer("make-folds", "--from", "empty.csv")
    assert (answer.code, answer.err) == (
        3,
        "fer: error: a table of folds needs the columns id and fold, and has no id and no fold\n"
        f"  where: {where}\n"
        "  next: begin the table with the row id,group,repeat,fold, as `fer make-folds` writes it\n",
    )


def test_dry_run_stores_nothing(fer, tmp_path, rows):
    table(tmp_path / "mine.csv", lambda i: i // 12)
    assert fer("train-baseline", "--model", "lda", "--folds", "mine.csv", "--dry-run").code == 0
    assert "would write folds/mine" in fer("make-folds", "--from", "mine.csv", "--dry-run").out
    assert rows.names("folds") == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("id,label\ns0,sad\n", "a table of folds needs the columns id and fold, and has no fold"),
        ("", "a table of folds needs the columns id and fold, and has no id and no fold"),
        ("id,fold\ns0,one\n", "a row of a folds table is id, group, repeat, fold"),
        ("id,fold\nnobody,0\ns1,1\n", "1 ids of the folds are not in the data, the first is nobody"),
    ],
)
def test_tables_that_are_none_are_refused(fer, tmp_path, rows, content, words):
    (tmp_path / "bad.csv").write_text(content)
    answer = fer("make-folds", "--from", "bad.csv")
    assert answer.code == 3
    assert words in answer.err
    assert "  where: bad.csv" in answer.err


def test_a_missing_table_is_an_input_error(fer, rows):
    for arguments in (("make-folds", "--from", "no"), ("train-baseline", "--model", "lda", "--folds", "no.csv")):
        answer = fer(*arguments)
        assert (answer.code, answer.err.splitlines()[0]) == (3, "fer: error: the table of folds does not exist")


def test_a_permission_that_nothing_needs_makes_the_same_folds(fer, rows):
    first = json.loads(fer("make-folds", "--k", "3", "--json").out)
    again = json.loads(fer("make-folds", "--k", "3", "--allow-group-leak", "--json").out)
    assert (again["status"], again["artifact"]) == ("up-to-date", first["artifact"])
    assert np.array_equal(first["balance"], again["balance"])


def test_a_standing_table_edited_in_place_is_not_run_on(fer, tmp_path, rows):
    fer("make-folds", "--k", "2")
    path = rows.open("folds", "rows-stratified-grouped-2").file("folds.csv")
    first, rest = path.read_text().split(",0,", 1)
    path.write_text(f"{first},0,{1 - int(rest[0])}{rest[1:]}")
    answer = fer("train-baseline", "--model", "lda")
    assert answer.code == 4
    assert "folds/rows-stratified-grouped-2 is damaged: folds.csv was changed after it was written" in answer.err
    assert "fer make-folds --from" in answer.err
