"""`fer show RUN --errors`: the most confident wrong answers, the commonest confusions, and their pictures."""

import csv
import json
import shutil

import pytest

from fercli.artifacts.store import Store


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """A workspace with drawn faces, features of them and a weak run on those."""
    import signal

    from fercli.cli.app import run

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    root = tmp_path_factory.mktemp("faces") / "ws"
    for command in (
        ("synthesize", "--subjects", "6", "--difficulty", "1", "--images", "7", "--size", "24"),
        ("extract-features", "--descriptors", "lbp", "--jobs", "1"),
        ("train-baseline", "--model", "lda", "--k", "3", "--pca", "4", "--name", "weak", "--jobs", "1"),
    ):
        assert run([*command, "-w", str(root), "--quiet"]) == 0
    for number, handler in handlers.items():
        signal.signal(number, handler)
    return root


@pytest.fixture
def store(faces, tmp_path, fer):
    shutil.copytree(faces, tmp_path / "ws")
    return Store(tmp_path / "ws")


def answers(store):
    with store.open("run", "weak").file("predictions.csv").open(newline="") as handle:
        return list(csv.DictReader(handle))


def test_wrong_answers_come_most_confident_first_with_what_is_known_of_them(fer, store):
    body = json.loads(fer("show", "weak", "--errors", "--limit", "5", "--json").out)
    wrong = [line for line in answers(store) if line["truth"] != line["predicted"]]
    wrong.sort(key=lambda line: -float(line[f"p_{line['predicted']}"]))
    assert (body["answers"], body["wrong"], len(body["errors"])) == (42, len(wrong), 5)
    sources = dict(
        zip(
            *(getattr(store.open("dataset", "synthetic").samples(), n).tolist() for n in ("ids", "sources")),
            strict=True,
        )
    )
    for shown, line in zip(body["errors"], wrong, strict=False):
        assert (shown["id"], shown["truth"], shown["predicted"]) == (line["id"], line["truth"], line["predicted"])
        assert shown["probability"] == float(line[f"p_{line['predicted']}"])
        assert shown["probability_of_truth"] == float(line[f"p_{line['truth']}"])
        assert (shown["fold"], shown["source"] or "") == (int(line["fold"]), sources[line["id"]])


def test_confusions_are_counted_and_come_commonest_first(fer, store):
    body = json.loads(fer("show", "weak", "--errors", "--json").out)
    lines = answers(store)
    for pair in body["confusions"]:
        count = sum((one["truth"], one["predicted"]) == (pair["truth"], pair["predicted"]) for one in lines)
        assert pair["count"] == count > 0
        assert pair["share"] == count / sum(one["truth"] == pair["truth"] for one in lines)
    counts = [pair["count"] for pair in body["confusions"]]
    assert counts == sorted(counts, reverse=True)
    assert sum(counts) == body["wrong"]


def test_people_see_tables_and_how_many_more_there_are(fer, store):
    answer = fer("show", "weak", "--errors", "--limit", "3")
    assert answer.code == 0
    assert "run/weak: wrong, the most confident first" in answer.out
    wrong = sum(line["truth"] != line["predicted"] for line in answers(store))
    assert f"{wrong} of 42 held-out answers are wrong; {wrong - 3} more are not shown (--limit)" in answer.out
    assert "Commonest confusions" in answer.out


def test_the_pictures_are_drawn_from_the_data_set_behind_the_features(fer, store, tmp_path):
    answer = fer("show", "weak", "--errors", "--contact-sheet", "wrong.png")
    assert answer.code == 0
    assert answer.out.splitlines()[-1] == "wrote wrong.png"
    assert (tmp_path / "wrong.png").read_bytes().startswith(b"\x89PNG")


def test_where_pictures_are_gone_only_the_sheet_is_refused(fer, store):
    shutil.rmtree(store.root / "datasets" / "synthetic")
    assert fer("show", "weak", "--errors").code == 0
    answer = fer("show", "weak", "--errors", "--contact-sheet", "wrong.png")
    assert answer.code == 4
    assert "the pictures of run/weak are not in this workspace" in answer.err


def test_where_the_data_is_gone_ids_and_probabilities_stay(fer, store):
    shutil.rmtree(store.root / "features" / "synthetic")
    answer = fer("show", "weak", "--errors", "--json")
    body = json.loads(answer.out)
    assert {entry["source"] for entry in body["errors"]} == {None}
    assert "groups and sources are unknown" in body["warnings"][0]


def test_a_contact_sheet_replaces_none_but_its_like(fer, store, tmp_path):
    sheet = tmp_path / "wrong.png"
    assert fer("show", "weak", "--errors", "--contact-sheet", sheet).code == 0
    first = sheet.read_bytes()
    assert fer("show", "weak", "--errors", "--contact-sheet", sheet).code == 0
    assert sheet.read_bytes() == first
    sheet.write_bytes(b"\x89PNG a face")
    answer = fer("show", "weak", "--errors", "--contact-sheet", sheet)
    assert answer.code == 2
    assert "a file that fer has not drawn stands there, and is not replaced" in answer.err
    assert sheet.read_bytes() == b"\x89PNG a face"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("dataset/synthetic", "--errors"), "dataset/synthetic predicts nothing"),
        (("weak", "--contact-sheet", "a.png"), "--contact-sheet draws what --errors lists"),
        (("weak", "--errors", "--contact-sheet", "a.jpg"), "--contact-sheet is a PNG file"),
        (("weak", "--errors", "--layers"), "--layers and --errors are two questions"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(arguments, words, fer, store):
    answer = fer("show", *arguments)
    assert answer.code == 2
    assert words in answer.err
