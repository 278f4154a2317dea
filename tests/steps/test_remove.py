"""`fer remove`: what goes, what is refused, and that the trash keeps it until it is emptied."""

import json

import pytest

from fercli.artifacts.locks import exclusive
from fercli.artifacts.store import Store

SHEET = "id,label,group,a.x,a.y\n" + "".join(
    f"s{i},{'happy' if i % 2 else 'sad'},g{i // 4},{i * 0.5},{(7 * i) % 11}\n" for i in range(24)
)


@pytest.fixture
def store(fer, tmp_path):
    """features/rows, folds of it, the runs one and two, and an evaluation of both."""
    (tmp_path / "rows.csv").write_text(SHEET)
    assert fer("import-features", "rows.csv").code == 0
    for name in ("one", "two"):
        assert fer("train-baseline", "--model", "majority", "--k", 3, "--name", name).code == 0
    assert fer("evaluate", "--draws", 100).code == 0
    return Store(tmp_path / "ws")


def standing(store):
    return [f"{kind}/{name}" for kind in ("features", "folds", "run", "evaluation") for name in store.names(kind)]


EVERYTHING = ["features/rows", "folds/rows-stratified-grouped-3", "run/one", "run/two", "evaluation/all"]


def test_an_artifact_with_children_is_refused_and_they_are_listed(fer, store):
    answer = fer("remove", "features/rows")
    assert answer.code == 2
    assert "fer: error: 4 artifacts made from what would go still stand" in answer.err
    assert "  where: folds/rows-stratified-grouped-3, run/one, run/two, evaluation/all" in answer.err
    assert "--with-children" in answer.err
    assert standing(store) == EVERYTHING
    assert "1 artifact made from" in fer("remove", "run/one", "run/two").err


def test_what_has_no_children_goes_to_the_trash_whole(fer, store):
    files = sorted(path.name for path in (store.root / "evaluations" / "all").iterdir())
    body = json.loads(fer("remove", "evaluation/all", "run/two", "--json").out)
    assert [entry["what"] for entry in body["moved"]] == ["evaluation/all", "run/two"]
    assert body["bytes_moved"] == sum(entry["bytes"] for entry in body["moved"]) > 0
    assert body["bytes_freed"] == 0
    assert standing(store) == EVERYTHING[:3]
    trash = sorted(store.root.glob(".trash/*"))
    assert [entry.name.rsplit("-", 2)[0] for entry in trash] == ["evaluation-all", "run-two"]
    assert sorted(path.name for path in trash[0].iterdir()) == files


def test_with_children_everything_below_goes_children_first(fer, store):
    body = json.loads(fer("remove", "rows-stratified-grouped-3", "--with-children", "--json").out)
    assert [entry["what"] for entry in body["moved"]] == [
        "evaluation/all",
        "run/one",
        "run/two",
        "folds/rows-stratified-grouped-3",
    ]
    assert standing(store) == ["features/rows"]


def test_dry_run_moves_nothing(fer, store):
    answer = fer("remove", "features/rows", "--with-children", "--empty-trash", "--dry-run")
    assert answer.code == 0
    assert "run/one" in answer.out
    assert "would be freed: " in answer.out
    assert standing(store) == EVERYTHING
    assert not (store.root / ".trash").exists()


def test_the_trash_is_emptied_on_request_and_its_bytes_are_told(fer, store):
    moved = json.loads(fer("remove", "evaluation/all", "--json").out)["bytes_moved"]
    answer = fer("remove", "--empty-trash")
    assert f"freed: {moved:,} bytes" in answer.out
    assert list(store.root.glob(".trash/*")) == []
    body = json.loads(fer("remove", "run/one", "--empty-trash", "--json").out)
    assert [entry["what"] for entry in body["deleted"]] == ["run/one"]
    assert body["bytes_freed"] > 0
    assert body["moved"] == []
    assert list(store.root.glob(".trash/*")) == []


def test_partials_are_deleted_unless_a_process_writes_them(fer, store):
    for name in ("left", "busy"):
        partial = store.folder("run") / f".{name}.partial"
        partial.mkdir()
        (partial / "weights").write_bytes(b"12345")
    with exclusive(store.lock_path("run", "busy"), lambda text: None):
        answer = fer("remove", "--partials", "--json")
    body = json.loads(answer.out)
    assert body["deleted"] == [{"what": "run/left, partial", "bytes": 5}]
    assert body["bytes_freed"] == 5
    assert "run/busy is being written by another process, and stays" in answer.err
    assert [path.name for path in store.folder("run").glob(".*.partial")] == [".busy.partial"]
    assert standing(store) == EVERYTHING


def test_a_damaged_artifact_can_be_removed(fer, store):
    (store.root / "evaluations" / "all" / "artifact.json").write_text("{")
    assert fer("remove", "evaluation/all").code == 0
    assert store.names("evaluation") == []


def test_the_ledger_stays(fer, store):
    (store.root / "ledger.jsonl").write_text("")
    assert fer("remove", "run/one", "run/two", "--with-children").code == 0
    assert (store.root / "ledger.jsonl").exists()


def test_nothing_to_remove_and_names_that_do_not_stand(fer, store):
    nothing = fer("remove")
    assert (nothing.code, nothing.err.splitlines()[0]) == (2, "fer: error: there is nothing to remove")
    missing = fer("remove", "run/three")
    assert (missing.code, missing.err.splitlines()[0]) == (4, "fer: error: there is no run called three")
    assert fer("remove", "nobody").code == 4


def test_a_name_given_twice_goes_once(fer, store):
    body = json.loads(fer("remove", "evaluation/all", "all", "--json").out)
    assert [entry["what"] for entry in body["moved"]] == ["evaluation/all"]


def test_a_removal_that_was_cut_short_ends_when_it_is_run_again(fer, store):
    """Killed after its first of three moves, and again in the middle of emptying the trash."""
    assert fer("remove", "evaluation/all").code == 0
    assert fer("remove", "run/one").code == 0
    again = fer("remove", "evaluation/all", "one", "run/two")
    assert again.code == 0
    assert "evaluation/all was removed before\none was removed before\n" in again.err
    assert standing(store) == EVERYTHING[:2]
    assert fer("remove", "evaluation/all", "one", "run/two", "--empty-trash").code == 0
    assert list(store.root.glob(".trash/*")) == []
    assert fer("remove", "run/one").err.startswith("fer: error: there is no run called one\n")


def test_what_lies_in_the_trash_is_told_by_its_whole_name(fer, store):
    assert fer("remove", "run/one", "--with-children").code == 0
    for name in ("run/on", "features/one", "on", "run"):
        assert fer("remove", name).code == 4, name
