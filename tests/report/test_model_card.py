"""The model card: every number of the run in its place, and weaknesses that follow from the scores."""

from dataclasses import replace

import pytest

from fercli.report.model_card import Card, model_card, weaknesses
from fercli.workflow.model_cards import class_intervals, typed


@pytest.fixture
def card(made_run):
    metrics = made_run("net", accuracy=0.6, kind="resnet").metrics
    return Card(
        name="net",
        kind="resnet",
        model="resnet18",
        commands=("fer import-dataset faces.zip", "fer train-resnet --variant resnet18"),
        fingerprint="ab12",
        version="0.1.0",
        data="faces",
        source="fer2013.zip",
        rows={"train": dict.fromkeys(metrics["classes"], 100) | {"disgust": 9}, "validation": {"angry": 3}},
        input="It reads 48x48 gray pictures.",
        parameters=1_234_567,
        weights_bytes=2_500_000,
        metrics=metrics,
        class_intervals=class_intervals(metrics),
    )


def section(text: str, title: str) -> str:
    return text.split(f"## {title}\n")[1].split("\n## ")[0]


def test_a_card_answers_what_a_reader_asks(card):
    text = model_card(card)
    assert text.startswith("# net\n\nA resnet model (resnet18) that gives each of the labels angry, ")
    made = section(text, "How it was made")
    assert "```\nfer import-dataset faces.zip\nfer train-resnet --variant resnet18\n```" in made
    assert all(fact in made for fact in ("1,234,567", "2,500,000 bytes", "ab12", "0.1.0", "seed: 0"))
    data = section(text, "Data")
    assert "faces, imported from fer2013.zip" in data
    assert "| class | train | validation |" in data
    assert "| disgust | 9 | 0 |" in data
    good = section(text, "How good it is")
    accuracy = card.metrics["accuracy"]
    assert f"**{100 * accuracy:.1f} %** (95 % interval" in good
    happy = card.metrics["per_class"]["happy"]
    sure = card.class_intervals["happy"]
    cells = (
        *("happy", "96", f"{100 * happy['recall']:.1f}"),
        f"{100 * sure['recall']['lower']:.1f}–{100 * sure['recall']['upper']:.1f}",
        f"{100 * happy['precision']:.1f}",
        f"{100 * sure['precision']['lower']:.1f}–{100 * sure['precision']['upper']:.1f}",
    )
    assert f"| {' | '.join(cells)} | 90.0 |" in good
    assert "FER-2013 and SFEW are given for research" in section(text, "Licence")
    assert "Not for decisions about people" in section(text, "Intended use")


def test_weaknesses_follow_from_the_scores(card):
    metrics = dict(card.metrics)
    classes = list(metrics["classes"])
    metrics["per_class"] = {
        **metrics["per_class"],
        "fear": {**metrics["per_class"]["fear"], "recall": 0.31},
        "sad": {**metrics["per_class"]["sad"], "recall": None},
    }
    confusion = [list(row) for row in metrics["confusion"]]
    confusion[classes.index("fear")] = [90 if name == "surprise" else 200 * (name == "fear") for name in classes]
    metrics |= {"confusion": confusion, "accuracy": 0.3, "train": {"accuracy": {"mean": 0.9}}}
    metrics["protocol"] = {**metrics["protocol"], "leaks": ["rows of one film are on both sides"]}
    told = weaknesses(replace(card, metrics=metrics))
    assert "fear: 31.0 % of its pictures are recognised; it is most often taken for surprise." in told
    assert "sad: no held-out row, so nothing is known about it." in told
    assert "Rare in training, below 5 % of the rows: disgust." in told
    assert "Its accuracy on training rows is 60.0 points higher: it has learned those by heart." in told
    assert "Rows of one film are on both sides." in told
    assert not [line for line in told if line.startswith("happy")]
    few = {**metrics, "classes": classes[:5], "confusion": [row[:5] for row in confusion[:5]]}
    assert "It does not know sad and surprise: such a face is given another label." in weaknesses(
        replace(card, metrics=few)
    )
    others = {**metrics, "classes": ["calm", "tense"], "per_class": {"calm": {"recall": 0.9}, "tense": {"recall": 0.8}}}
    assert not [line for line in weaknesses(replace(card, metrics=others)) if "does not know" in line]


def test_what_is_not_known_is_left_out(card):
    text = model_card(replace(card, source="", rows={}, parameters=None, weights_bytes=None))
    assert section(text, "Data").strip() == "faces."
    assert "parameters:" not in text
    assert "bytes" not in text


def test_intervals_of_classes_are_wilsons():
    metrics = {
        "classes": ["a", "b"],
        "confusion": [[8, 2], [0, 0]],
        "protocol": {"repeats": 1},
        "per_class": {
            "a": {"recall": 0.8, "precision": 1.0, "support": 10},
            "b": {"recall": None, "precision": 0.0, "support": 0},
        },
    }
    found = class_intervals(metrics)
    assert found["b"]["recall"] is None
    # Wilson 1927 for 8 of 10, by hand: centre 0.7168, half 0.2267.
    assert found["a"]["recall"]["lower"] == pytest.approx(0.4902, abs=1e-4)
    assert found["a"]["recall"]["upper"] == pytest.approx(0.9433, abs=1e-4)
    assert found["a"]["precision"]["upper"] == 1.0
    assert found["b"]["precision"]["lower"] == 0.0
    assert found["b"]["precision"]["upper"] == pytest.approx(0.6576, abs=1e-4)  # 0 of 2


def test_commands_are_written_without_the_folders_of_this_machine():
    told = typed(
        ("fer", "import-dataset", "/data/my sets/fer2013.zip", "--out=/tmp/x.csv", "--name", "a/b", "-w", "ws")
    )
    assert told == "fer import-dataset fer2013.zip --out=x.csv --name a/b -w ws"
    assert typed(("fer", "evaluate", "--require", "accuracy>=0.5")) == "fer evaluate --require 'accuracy>=0.5'"
