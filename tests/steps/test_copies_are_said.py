"""Rows whose equal copy stands in training are counted under every table that scores them."""

import json

import cv2
import numpy as np
import pytest

from fercli.artifacts.store import Store

COUNTED = "5 held-out rows have equal copies among the training rows"
FAST = ("--draws", 100, "--jobs", 1, "--threads", 1)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Pictures with an official split whose validation rows hold five copies of training rows, and two runs on them."""
    import signal

    from fercli.cli.app import run

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    root = tmp_path_factory.mktemp("copies")
    draw = np.random.default_rng(0)
    for label, level in (("happy", 0), ("sad", 60), ("fear", 120)):
        train = draw.integers(level, level + 120, (12, 16, 16)).astype(np.uint8)
        held_out = draw.integers(level, level + 120, (6, 16, 16)).astype(np.uint8)
        held_out[:2] = train[:2] if label != "fear" else held_out[:2]
        held_out[0] = train[0]
        for split, stem, pictures in (("train", "Training", train), ("validation", "PublicTest", held_out)):
            folder = root / "fer2013" / split / label
            folder.mkdir(parents=True)
            for number, picture in enumerate(pictures):
                cv2.imwrite(str(folder / f"{stem}_{level * 10 + number}.png"), picture)
    for command in (
        ("import-dataset", str(root / "fer2013"), "--name", "faces"),
        ("extract-features", "--descriptors", "lbp", "--lbp-grid", "2x2", "--jobs", "1"),
        ("train-baseline", "--model", "lda", "--name", "lda", "--jobs", "1"),
        ("train-baseline", "--model", "majority", "--name", "majority", "--jobs", "1"),
    ):
        assert run([*command, "-w", str(root / "ws"), "--quiet"]) == 0
    for number, handler in handlers.items():
        signal.signal(number, handler)
    return root / "ws"


@pytest.fixture
def store(made, tmp_path, fer):
    import shutil

    shutil.copytree(made, tmp_path / "ws")
    return Store(tmp_path / "ws")


def test_compare_counts_them_and_says_that_the_tests_hold_them(store, fer):
    text = fer("compare", "lda", "majority").out
    assert f"{COUNTED}; accuracy and macro-F1 without them: lda " in text
    assert "every test is on all shared rows, those copies among them" in text
    assert "protocol: official split: fitted on train, scored on validation" in text


def page_of(store, name):
    return store.open("report", name).file("index.html").read_text()


def test_robustness_counts_them_with_the_clean_score_without_them(store, fer):
    corrupt = ("robustness", "lda", "--kinds", "blur", "--levels", 1)
    text = fer(*corrupt, *FAST).out
    metrics = store.open("run", "lda").json("metrics.json")
    assert metrics["copies_in_training"] == 5
    share = f"{100 * metrics['without_copies']['accuracy']:.1f} %"
    assert f"{COUNTED}; without them accuracy on clean pictures is {share} and macro-F1 " in text
    assert COUNTED in page_of(store, "lda-robustness")
    body = json.loads(fer(*corrupt, "--json", *FAST).out)
    assert (body["status"], body["copies_in_training"], body["without_copies"]["rows"]) == ("up-to-date", 5, 13)
    some = json.loads(fer(*corrupt, "--limit", 9, "--name", "some", "--json", *FAST).out)
    assert some["rows"] == some["without_copies"]["rows"] + some["copies_in_training"] == 9
    other = fer(*corrupt, "--on", "dataset/faces", "--split", "validation", *FAST).out
    assert "5 of 18 rows equal a training row; without them accuracy on clean pictures is " in other


def test_explain_counts_them(store, fer):
    text = fer("explain", "lda", "--permutations", 2, *FAST).out
    assert COUNTED in text
    assert COUNTED in page_of(store, "lda-explain")
    assert json.loads(fer("explain", "lda", "--permutations", 2, "--json", *FAST).out)["copies_in_training"] == 5


def test_what_a_run_got_wrong_stands_over_protocol_leaks_and_copies(store, fer):
    more = ("train-baseline", "--model", "lda", "--scheme", "contiguous", "--k", 3, "--name", "files", "--jobs", 1)
    assert fer(*more).code == 0
    text = fer("show", "run/lda", "--errors").out
    assert text.count("protocol: official split: 36 train rows, scored on 18 validation rows") == 2, "under both tables"
    assert text.count("5 of 18 scored rows have an equal copy in training; without them accuracy") == 2
    assert fer("show", "run/files", "--errors").out.count("leak: contiguous folds are flawed: ") == 2
    body = json.loads(fer("show", "run/files", "--errors", "--json").out)
    assert body["protocol"] == store.open("run", "files").json("metrics.json")["protocol"]
    assert json.loads(fer("show", "run/lda", "--errors", "--json").out)["copies_in_training"] == 5


def test_where_there_are_none_nothing_is_said(fer, tmp_path):
    assert fer("synthesize", "--subjects", 4, "--images", 7, "--size", 24).code == 0
    assert fer("extract-features", "--descriptors", "lbp", "--lbp-grid", "2x2", "--jobs", 1).code == 0
    for model in ("lda", "majority"):
        assert fer("train-baseline", "--model", model, "--name", model, "--k", 2, "--jobs", 1).code == 0
    told = [
        fer("robustness", "lda", "--kinds", "blur", "--levels", 1, *FAST),
        fer("explain", "lda", "--permutations", 2, *FAST),
        fer("compare", "lda", "majority"),
    ]
    assert [answer.code for answer in told] == [0, 0, 0]
    assert not any("copies" in answer.out.replace("copies share a fold", "") for answer in told)
