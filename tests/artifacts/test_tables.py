"""CSV tables: round trips, and what damage says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.artifacts import tables
from fercli.errors import ArtifactError
from fercli.records import Predictions, Samples

# What an id may hold: anything printable, quotes and commas included, but no line ends and no NUL.
TEXT = st.text(st.characters(blacklist_categories=["Cc", "Cs"]), min_size=1, max_size=12)


def samples_of(ids, labels):
    count = len(ids)
    text = np.array(ids, dtype=np.str_)
    return Samples(
        ids=text,
        labels=np.array(labels, dtype=np.str_),
        splits=np.array(["train"] * count, dtype=np.str_),
        groups=np.array([""] * count, dtype=np.str_),
        sources=text,
        widths=np.arange(count),
        heights=np.arange(count) + 1,
        classes=("happy", "sad"),
        extra={"content": text},
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=6, unique=True))
def test_samples_come_back_as_they_went(tmp_path_factory, ids):
    path = tmp_path_factory.mktemp("t") / "samples.csv"
    samples = samples_of(ids, ["happy"] * len(ids))
    path.write_bytes(tables.samples_bytes(samples))
    back = tables.read_samples(path, ["happy", "sad"])
    assert back.ids.tolist() == ids
    assert back.extra["content"].tolist() == ids
    assert back.widths.tolist() == list(range(len(ids)))
    assert back.targets.tolist() == [0] * len(ids)
    assert list(back.extra) == ["content"]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_predictions_come_back_to_the_last_bit(tmp_path_factory, rows, seed):
    probabilities = np.random.default_rng(seed).dirichlet(np.ones(3), rows)
    predictions = Predictions(
        ids=np.array([f"r{i}" for i in range(rows)]),
        repeats=np.zeros(rows, np.int64),
        folds=np.arange(rows),
        splits=np.array([""] * rows),
        truth=np.arange(rows) % 3,
        probabilities=probabilities,
        classes=("a", "b", "c"),
    )
    path = tmp_path_factory.mktemp("t") / "predictions.csv"
    path.write_bytes(tables.predictions_bytes(predictions))
    back = tables.read_predictions(path)
    assert np.array_equal(back.probabilities, probabilities)
    assert back.classes == predictions.classes
    assert back.truth.tolist() == predictions.truth.tolist()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "the CSV is empty"),
        (b"id,label\n", "lacks the columns split, group, source, width, height"),
        (b"id,label,split,group,source,width,height\na,b\n", "row 2 has 2 cells, the header 7"),
        (b"id,label,split,group,source,width,height\na,b,,,s,x,1\n", "not a whole number"),
        (b"\xff\xfe\x00", "not a readable CSV"),
        (b'id,"label\n', "not a readable CSV"),
    ],
)
def test_damage_is_named(tmp_path, text, message):
    path = tmp_path / "samples.csv"
    path.write_bytes(text)
    with pytest.raises(ArtifactError, match=message) as caught:
        tables.read_samples(path, ["b"])
    assert caught.value.where == str(path)
