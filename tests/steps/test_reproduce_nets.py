"""`fer reproduce du --smoke` and `xu-resnet --smoke` from nothing to the page; their protocols and refusals."""

import csv
import json
from statistics import mean

import numpy as np
import pytest

from fercli.artifacts.store import Store
from fercli.artifacts.tables import samples_bytes
from fercli.cli import reproduce_xu
from fercli.config.reproduce_nets import ReproduceDuConfig, ReproduceFramesConfig
from fercli.records import Samples
from fercli.report.material import RunMaterial
from fercli.steps.reproduce_nets import examples

RUNNING = ("--threads", "1", "--device", "cpu", "--json")


def table(report, name):
    with report.file(f"tables/{name}.csv").open(newline="") as handle:
        return list(csv.DictReader(handle))


def test_du_from_nothing_to_the_page(fer, workspace):
    answer = fer("reproduce", "du", "--smoke", *RUNNING)
    assert answer.code == 0, answer.err
    body = json.loads(answer.out)
    assert (body["artifact"], body["paper"]) == ("report/du-smoke", "du")
    assert body["verdict"][0] == "NOT THE PAPER'S PROTOCOL"
    store = Store(workspace)
    report = store.open("report", "du-smoke")
    rows = {row["model"]: row for row in table(report, "table1")}
    for variant, paper in (("resnet50", ("0.44", "1.47082")), ("du-improved-resnet50", ("0.5731", "1.15563"))):
        run = store.open("run", f"du-smoke-{variant}.seed-2026").json("metrics.json")
        assert (rows[variant]["paper_accuracy"], rows[variant]["paper_loss"]) == paper
        assert float(rows[variant]["accuracy"]) == pytest.approx(run["accuracy"])
        assert float(rows[variant]["loss"]) == pytest.approx(run["test"]["loss"]["mean"])
        gap = run["train"]["accuracy"]["mean"] - run["accuracy"]
        assert float(rows[variant]["gap"]) == pytest.approx(gap)
    for number in range(1, 6):
        assert report.has(f"figures/figure{number}.png"), number
        assert report.has(f"figures/figure{number}.svg"), number
    parts = {row["part"]: row for row in table(report, "structure-du-improved-resnet50")}
    assert (parts["layer4"]["output"], parts["fc.block1.linear"]["output"]) == ("2048×2×2", "64")
    page = report.file("index.html").read_text()
    assert page.index("NOT THE PAPER&#x27;S PROTOCOL") < page.index("Table 1")
    again = fer("reproduce", "du", "--smoke", *RUNNING)
    assert json.loads(again.out)["status"] == "up-to-date"


def test_xu_resnet_from_nothing_to_the_page(fer, workspace, monkeypatch):
    answer = fer("reproduce", "xu-resnet", "--smoke", *RUNNING)
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["verdict"][0] == "NOT THE PAPER'S PROTOCOL"
    store = Store(workspace)
    report = store.open("report", "xu-resnet-smoke")
    rows = {row["protocol"]: row for row in table(report, "accuracy")}
    assert (rows["not said"]["train_accuracy"], rows["not said"]["accuracy"]) == ("0.95", "0.3")
    random, films = (store.open("run", f"xu-resnet-smoke-{key}").json("metrics.json") for key in ("random", "films"))
    assert float(rows["random folds"]["accuracy"]) == pytest.approx(random["accuracy"])
    assert float(rows["whole films"]["accuracy"]) == pytest.approx(films["accuracy"])
    assert (random["protocol"]["scheme"], films["protocol"]["scheme"]) == ("stratified", "stratified-grouped")
    assert float(rows["one 50/50 split"]["accuracy"]) == pytest.approx(random["folds"][0]["accuracy"])
    assert random["accuracy"] == pytest.approx(mean(fold["accuracy"] for fold in random["folds"]))
    classes = {(row["measure"], row["class"]): row for row in table(report, "table2")}
    assert classes["recall", "fear"]["xu"] == "0.62"
    drawn = report.file("figures/figure3.svg").read_text()
    assert "global average pooling" in drawn
    assert "projection shortcut" in drawn
    assert report.has("figures/figure5-6-random.png")
    assert report.has("figures/figure5-6-films.svg")

    # with these runs standing, the page of the paper's other half shows both
    monkeypatch.setattr(reproduce_xu, "SMOKE_SUBJECTS", 8)
    monkeypatch.setattr(reproduce_xu, "SMOKE_IMAGES", 7)
    answer = fer("reproduce", "xu", "--smoke", "--jobs", "1", *RUNNING)
    assert answer.code == 0, answer.err
    assert {"xu-resnet-smoke-random", "xu-resnet-smoke-films"} <= set(json.loads(answer.out)["runs"])
    report = Store(workspace).open("report", "xu-smoke")
    page = report.file("index.html").read_text()
    assert "The ResNet is not here" not in page
    drawn = report.file("figures/figure5.svg").read_text()
    assert "BP network" in drawn
    assert "ResNet, whole films" in drawn
    classes = {(row["measure"], row["class"]): row for row in table(report, "table2")}
    assert float(classes["recall", "happy"]["films"]) == pytest.approx(films["per_class"]["happy"]["recall"])


def test_pictures_of_people_stand_in_dus_page_only_when_asked_for(tmp_path):
    """With data that was not drawn; its runs need not be of a network to lay out figure 1."""
    store = Store(tmp_path / "store")
    samples = Samples(
        ids=np.array(["a", "b", "c"]),
        labels=np.array(["happy", "happy", "sad"]),
        splits=np.full(3, ""),
        groups=np.full(3, ""),
        sources=np.full(3, ""),
        widths=np.full(3, 4),
        heights=np.full(3, 4),
        classes=("happy", "sad"),
    )
    begun = store.begin(
        "dataset", "people", algorithm=1, config={}, parents=[], seed=None, command=[], execution={}, force=True
    )
    with begun as draft:
        draft.write_bytes("samples.csv", samples_bytes(samples))
        draft.write_array("images.npy", np.zeros((3, 4, 4), dtype=np.uint8))
        draft.commit({"classes": ["happy", "sad"], "format": "class-folders"})
    run = RunMaterial({"on": "people"})
    hidden = examples(ReproduceDuConfig(), run, store)
    assert hidden.drawings == ()
    assert hidden.here == ("Pictures of people are shown only with --with-images.",)
    shown = examples(ReproduceDuConfig(with_images=True), run, store)
    assert [one.stem for one in shown.drawings] == ["figure1"]
    assert shown.drawings[0].svg.count(b"<image") == 3


def test_the_papers_protocols_are_what_runs_without_smoke():
    du = ReproduceDuConfig()
    assert (du.epochs, du.seeds, du.protocol(1).scheme, du.protocol(1).monitor) == (30, 3, "official", "validation")
    assert du.training("resnet50").variant == "resnet50"
    assert du.training("resnet50").optimizer == "adam"
    frames = ReproduceFramesConfig()
    assert (frames.training.variant, frames.k, frames.epochs) == ("xu-resnet", 5, 30)
    assert frames.protocol("random").allow_group_leak
    assert not frames.protocol("films").allow_group_leak


@pytest.fixture
def workspace(tmp_path):
    return tmp_path / "ws"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("du", "--features", "some"), 2, "du is about pictures"),
        (("du", "faces.zip", "--dataset", "faces"), 2, "a source and --dataset both name the data"),
        (("du",), 4, "the workspace has no dataset yet"),
        (("xu-resnet", "--repeats", "3"), 2, "xu-resnet has one repeat"),
    ],
)
def test_refusals(fer, arguments, code, message):
    answer = fer("reproduce", *arguments, "--device", "cpu")
    assert (answer.code, message in answer.err) == (code, True), answer.err
