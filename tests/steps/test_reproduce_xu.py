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
    for name in ("optimizers.png", "preparation.svg", "xu-smoke-films-activations.png", "xu-smoke-films-units.png"):
        assert report.has(f"figures/{name}")
    page = report.file("index.html").read_text()
    assert page.index("NOT THE PAPER&#x27;S PROTOCOL") < page.index("Accuracy by protocol")
    with report.file("tables/table1.csv").open(newline="") as handle:
        table = list(csv.DictReader(handle))
    assert next(row for row in table if (row["measure"], row["class"]) == ("recall", "sad"))["xu"] == "0.15"
    again = fer("reproduce", "xu", "--smoke", "--json", "--jobs", 1, "--threads", 1)
    assert json.loads(again.out)["status"] == "up-to-date"
    assert json.loads(again.out)["protocols"] == body["protocols"]


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
