"""`fer reproduce xu --smoke` from nothing, and on a sheet; what it refuses."""

import csv
import json

import pytest

from fercli.artifacts.store import Store


@pytest.fixture(scope="module")
def _quick():
    """Half of what a smoke run draws is enough here."""
    from fercli.cli import reproduce_xu

    patch = pytest.MonkeyPatch()
    patch.setattr(reproduce_xu, "SMOKE_SUBJECTS", 10)
    patch.setattr(reproduce_xu, "SMOKE_IMAGES", 7)
    yield
    patch.undo()


@pytest.mark.usefixtures("_quick")
def test_from_nothing_to_the_page(fer, tmp_path):
    answer = fer("reproduce", "xu", "--smoke", "--json", "--jobs", 1, "--threads", 1)
    assert answer.code == 0, answer.err
    body = json.loads(answer.out)
    assert (body["command"], body["artifact"], body["paper"]) == ("reproduce", "report/xu-smoke", "xu")
    assert body["verdict"][0] == "NOT THE PAPER'S PROTOCOL"
    assert any("NOT THE PAPER'S PROTOCOL" in warning for warning in body["warnings"])
    assert [one["protocol"] for one in body["protocols"]] == ["contiguous", "random", "films"]
    store = Store(tmp_path / "ws")
    for one in body["protocols"]:
        metrics = store.open("run", one["run"]).json("metrics.json")
        assert one["accuracy"] == metrics["accuracy"]
        assert one["control"] == metrics["control"]["accuracy"]
        confusion = metrics["confusion"]
        later = sum(confusion[row][(row + 1) % 7] for row in range(7)) / sum(map(sum, confusion))
        assert one["label_offset"]["plus_one"] == pytest.approx(later)
        assert list(one["baselines"]) == [f"xu-smoke-{one['protocol']}.model-lda"]
    assert store.open("run", "xu-smoke-contiguous").json("metrics.json")["protocol"]["scheme"] == "contiguous"
    report = store.open("report", "xu-smoke")
    for number in range(1, 7):
        assert report.has(f"figures/figure{number}.png"), number
        assert report.has(f"figures/figure{number}.svg"), number
    assert report.has("figures/xu-smoke-films-activations.png")
    page = report.file("index.html").read_text()
    assert page.index("NOT THE PAPER&#x27;S PROTOCOL") < page.index("Accuracy by protocol")
    for number in range(1, 7):
        assert f"<h2>Figure {number}: " in page
    assert page.count("The ResNet is not here") == 3  # figures 5 and 6, table 2
    leaks = {one["protocol"]: one["leaks"] for one in body["protocols"]}
    assert [len(leaks[key]) for key in ("contiguous", "random", "films")] == [2, 1, 0]
    assert leaks["contiguous"][0].startswith("contiguous folds are flawed")
    for leak, words in ((leaks["contiguous"][0], "rows in file order"), (leaks["random"][0], "random folds")):
        assert (
            leak
            in store.open("run", f"xu-smoke-{'random' if 'random' in words else 'contiguous'}").json("metrics.json")[
                "protocol"
            ]["leaks"]
        )
        assert page.count(f"{words}: {leak}") == 3, "under every table of scores"
    assert "Known to differ, and why" in page
    assert "Trained on cpu." in page
    with report.file("tables/table1.csv").open(newline="") as handle:
        table = list(csv.DictReader(handle))
    assert next(row for row in table if (row["measure"], row["class"]) == ("recall", "sad"))["xu"] == "0.15"
    again = fer("reproduce", "xu", "--smoke", "--json", "--jobs", 1, "--threads", 1)
    assert json.loads(again.out)["status"] == "up-to-date"
    assert json.loads(again.out)["protocols"] == body["protocols"]
    dry = json.loads(fer("reproduce", "xu", "--smoke", "--json", "--dry-run").out)
    assert dry["would_make"] == "report/xu-smoke"
    assert {label for label in dry["artifacts"] if label.startswith("run/")} == {f"run/{name}" for name in body["runs"]}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("xu", "--smoke"), ["dataset/synthetic", "features/synthetic", "run/xu-smoke-films", "report/xu-smoke"]),
        (("du", "--smoke"), ["dataset/faces", "run/du-smoke-resnet50.seed-2026", "report/du-smoke"]),
        (("xu-resnet", "--smoke", "--name", "mine"), ["dataset/frames", "run/mine-films", "report/mine"]),
    ],
)
def test_a_dry_run_names_what_it_would_make_and_makes_nothing(fer, tmp_path, arguments, expected):
    body = json.loads(fer("reproduce", *arguments, "--dry-run", "--json", "--device", "cpu").out)
    assert set(expected) <= set(body["artifacts"])
    assert body["artifacts"][-1] == body["would_make"] == expected[-1]
    assert not (tmp_path / "ws").exists()


def test_a_dry_run_on_standing_features_tells_the_cost(fer):
    fer("synthesize", "--subjects", 8, "--images", 7, "--size", 32)
    fer("extract-features", "--jobs", 1)
    body = json.loads(fer("reproduce", "xu", "--smoke", "--dry-run", "--json", "--threads", 1).out)
    assert body["seconds"] > 0
    assert "features/synthetic" not in body["artifacts"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("nobody",), 2, "there is no paper called nobody to reproduce"),
        (("xu", "sheet.csv", "--features", "other"), 2, "a sheet and --features both name the data"),
        (("xu", "missing.xlsx"), 3, "missing.xlsx"),
        (("xu", "--repeats", 0), 2, "--repeats: input should be greater than or equal to 1"),
        (("xu",), 4, "features"),
    ],
)
def test_refusals(fer, arguments, code, message):
    answer = fer("reproduce", *arguments)
    assert answer.code == code
    assert message in answer.err
