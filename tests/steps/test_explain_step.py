"""`fer explain`: maps lie where the class is, features that carry nothing lose nothing, one picture at a time."""

import json

import cv2
import numpy as np
import pytest
import skimage.data

from fercli.artifacts.schema import Parent
from fercli.artifacts.store import Store
from fercli.artifacts.tables import read_csv, samples_bytes
from fercli.records import Samples

CLASSES = ("angry", "happy", "sad")
SIDE = 96
FAST = ("--draws", 100, "--jobs", 1, "--threads", 1)
NET = ("train-resnet", "--variant", "cnn", "--width", 4, "--epochs", 1, "--device", "cpu", "--threads", 1, "--k", 2)
LDA = ("train-baseline", "--model", "lda", "--name", "lda", "--threads", 1, "--jobs", 1)


def quadrant_dataset(root, rows=72):
    """Noise with stripes, crossing stripes or a chequer, by class, in the upper right quadrant."""
    half, margin = SIDE // 2, 10
    y, x = np.indices((half, half))
    patterns = [60 + 140 * (part // 2 % 2) for part in (y, x, y + x)]
    labels = np.arange(rows) % 3
    images = np.random.default_rng(0).integers(90, 166, (rows, SIDE, SIDE)).astype(np.uint8)
    inside = slice(margin, half - margin)
    for row, label in enumerate(labels):
        images[row, inside, half + margin : SIDE - margin] = patterns[label][inside, inside]
    samples = Samples(
        ids=np.array([f"s{row:03d}" for row in range(rows)]),
        labels=np.array(CLASSES)[labels],
        splits=np.full(rows, ""),
        groups=np.full(rows, ""),
        sources=np.array([f"s{row}.png" for row in range(rows)]),
        widths=np.full(rows, SIDE),
        heights=np.full(rows, SIDE),
        classes=CLASSES,
    )
    begun = Store(root).begin(
        "dataset",
        "quadrant",
        algorithm=1,
        config={},
        parents=[Parent(kind="source", name="drawn", fingerprint="0" * 64)],
        seed=0,
        command=("test",),
        execution={},
    )
    with begun as draft:
        draft.write_bytes("samples.csv", samples_bytes(samples))
        draft.write_array("images.npy", images)
        draft.commit({"summary": "drawn", "classes": list(CLASSES), "left_out": []})


def ask(fer, *arguments):
    answer = fer("explain", *arguments, "--json", *FAST)
    assert answer.code == 0, answer.err
    return json.loads(answer.out)


def test_a_net_looks_where_the_class_is(tmp_path, fer):
    """At least 80 % of the mass of every class lies in the one quadrant that differs between classes."""
    quadrant_dataset(tmp_path / "ws")
    plain = ("--no-flip", "--shift", 0, "--rotate", 0, "--no-final-model", "--duplicates", "keep", "--monitor", "none")
    train = ("train-resnet", "--variant", "cnn", "--width", 8, "--epochs", 10, "--batch-size", 16, "--k", 2)
    assert fer(*train, *plain, "--device", "cpu", "--threads", 1).code == 0
    body = ask(fer, "--samples", 2, "--target", "truth")
    for entry in body["mass"]:
        assert entry["top_right"] >= 0.8, entry
        assert (entry["maps"], entry["empty"]) == (24, 0)
    report = Store(tmp_path / "ws").open("report", "cnn-explain")
    average = report.array("average.npy")
    assert average.shape == (3, SIDE, SIDE)
    np.testing.assert_allclose(average.sum(axis=(1, 2)), 1, atol=1e-5)
    assert average[0, : SIDE // 2, SIDE // 2 :].sum() == pytest.approx(body["mass"][0]["top_right"], abs=1e-5)
    header, rows = read_csv(report.file("tables/mass.csv"))
    assert [float(row[header.index("top_right")]) for row in rows] == [entry["top_right"] for entry in body["mass"]]
    assert {"figures/average.png", "figures/samples-angry.png", "figures/samples-sad.svg"} <= set(report.manifest.files)


@pytest.fixture
def faces(tmp_path, fer):
    assert fer("synthesize", "--subjects", 6, "--images", 7, "--size", 24, "--name", "faces").code == 0
    return Store(tmp_path / "ws")


def test_maps_of_other_data_of_one_class_and_of_some_rows(faces, fer):
    assert fer(*NET).code == 0
    first = ask(fer, "--samples", 1, "--limit", 14)
    assert (first["rows"], first["limit"], first["own"]) == (14, 14, True)
    assert sum(entry["maps"] for entry in first["mass"]) == 14
    by_truth = ask(fer, "--target", "happy", "--samples", 0)
    assert [entry["maps"] for entry in by_truth["mass"]] == [6] * 7, "averages of one class's maps are by true class"
    assert by_truth["status"] == "done", "another target is another explanation"
    assert by_truth["figures"] == ["figures/average.png"]
    assert ask(fer, "--target", "happy", "--samples", 0)["status"] == "up-to-date"
    unknown = fer("explain", "--target", "glad", *FAST)
    assert unknown.code == 2
    assert "take predicted, truth or one of angry, disgust" in unknown.err
    assert fer("synthesize", "--subjects", 4, "--images", 7, "--size", 24, "--name", "fresh", "--seed", 7).code == 0
    other = ask(fer, "--on", "fresh", "--samples", 1)
    assert (other["artifact"], other["rows"], other["own"]) == ("report/cnn-explain-on-fresh", 28, False)
    refused = fer("explain", "--on", "faces", *FAST)
    assert refused.code == 3
    assert "42 of 42 scored rows are rows that run/cnn was fitted on" in refused.err


def write_sheet(path, *, splits=("",)):
    """Block a tells the class, block b nothing; a.1 carries all of it."""
    drawn = np.random.default_rng(1).normal(size=(90, 4))
    drawn[:, 0] = np.arange(90) % 3 * 4 + 0.3 * drawn[:, 0]
    lines = ["id,label,split,a.1,a.2,b.1,b.2"]
    for row in range(90):
        cells = [f"r{row}", CLASSES[row % 3], splits[row // 3 % len(splits)], *(f"{value:.5f}" for value in drawn[row])]
        lines.append(",".join(cells))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("trainer", ["bp", "lda"])
def test_what_carries_the_class_costs_and_what_does_not_does_not(trainer, tmp_path, fer):
    assert fer("import-features", write_sheet(tmp_path / "sheet.csv")).code == 0
    bp = ("train-bp", "--name", "bp", "--hidden", 6, "--epochs", 60, "--lr", 0.02, "--pca", "none", "--threads", 1)
    train = {"bp": bp, "lda": (*LDA, "--pca", "none")}[trainer]
    assert fer(*train, "--k", 3).code == 0
    body = ask(fer)
    own = Store(tmp_path / "ws").open("run", trainer).json("metrics.json")
    assert body["clean"] == {"rows": 90, "accuracy": own["accuracy"], "log_loss": pytest.approx(own["log_loss"])}
    found = {(entry["kind"], entry["name"]): entry for entry in body["importance"]}
    assert list(found) == [
        *(("block", name) for name in "ab"),
        *(("component", name) for name in ("a.1", "a.2", "b.1", "b.2")),
    ]
    for key in (("block", "a"), ("component", "a.1")):
        assert found[key]["accuracy"]["mean"] == pytest.approx(2 / 3, abs=0.12), "what is left is chance"
        assert found[key]["log_loss"]["interval"]["lower"] > 0.3
        assert 0 < found[key]["accuracy"]["sd"] < 0.1
    for key in (("block", "b"), ("component", "b.2"), ("component", "a.2")):
        assert abs(found[key]["accuracy"]["mean"]) < 0.05
    report = Store(tmp_path / "ws").open("report", f"{trainer}-explain")
    header, rows = read_csv(report.file("tables/importance.csv"))
    assert float(rows[0][header.index("accuracy_lost")]) == found["block", "a"]["accuracy"]["mean"]
    assert body["figures"] == ["figures/blocks.png", "figures/components.png"], "a sheet has no pictures to look at"
    text = fer("explain", *FAST).out
    assert "a permuted: " in text
    assert "columns cannot be told from useless by their log loss" in text
    assert [entry["name"] for entry in ask(fer, "--components", 0)["importance"]] == ["a", "b"]


def test_test_rows_go_through_the_ledger(tmp_path, fer):
    assert fer("import-features", write_sheet(tmp_path / "sheet.csv", splits=("train", "train", "test"))).code == 0
    assert fer(*LDA).code == 0
    ledger = tmp_path / "ws/ledger.jsonl"
    before = len(ledger.read_text().splitlines())
    assert ask(fer)["rows"] == 30
    (line,) = [json.loads(line) for line in ledger.read_text().splitlines()[before:]]
    assert (line["run"], line["purpose"], line["rows"]) == ("lda", "explain", 30)


def test_a_run_on_extracted_features_shows_what_they_see(faces, fer):
    extract = ("extract-features", "--descriptors", "phog,lpq", "--phog-levels", 1, "--lpq-window", "3,5", "--jobs", 1)
    assert fer(*extract).code == 0
    assert fer(*LDA, "--k", 3).code == 0
    body = ask(fer, "--permutations", 2)
    assert "figures/example-phog.png" in body["figures"]
    assert "figures/example-lpq.png" in body["figures"]
    svg = Store(faces.root).open("report", "lda-explain").file("figures/example-phog.svg").read_text()
    assert "level 1: 2x2 cells" in svg
    assert "level 2" not in svg
    one = ask(fer, "lda", "--sample", "subject-001-happy-00")
    assert one["artifact"] == "report/lda-explain-subject-001-happy-00"
    assert one["figures"] == ["figures/view-lpq.png", "figures/view-phog.png"]
    assert fer(*NET).code == 0
    net = ask(fer, "cnn", "--sample", "subject-001-happy-00", "--target", "sad")
    assert (net["truth"], net["target"], net["figures"]) == ("happy", "sad", ["figures/map.png"])
    run = faces.open("run", "cnn")
    header, rows = read_csv(run.file("predictions.csv"))
    row = next(row for row in rows if row[0] == "subject-001-happy-00")
    assert net["predicted"] == row[header.index("predicted")]
    assert net["probability"] == pytest.approx(float(row[header.index(f"p_{net['predicted']}")]))


def test_of_a_photo_the_largest_face_is_looked_at_as_predict_scores_it(faces, tmp_path, fer):
    photo = tmp_path / "astronaut.png"
    cv2.imwrite(str(photo), skimage.data.astronaut()[..., ::-1])
    assert fer(*NET).code == 0
    scored = json.loads(fer("predict", photo, "--model", "cnn", "--json").out)["faces"][0]
    net = ask(fer, "cnn", "--picture", photo)
    assert net["face"] == [scored[side] for side in "xywh"]
    assert (net["predicted"], net["probability"]) == (
        scored["predicted"],
        pytest.approx(scored[f"p_{scored['predicted']}"], abs=1e-5),
    )
    plain = fer("explain", "--picture", photo, *FAST)
    left, top, wide, high = net["face"]
    assert f"astronaut: its largest face, {wide}x{high} pixels at {left}, {top}" in plain.out
    whole = ask(fer, "cnn", "--picture", photo, "--faces", "whole", "--name", "whole")
    taken = json.loads(fer("predict", photo, "--model", "cnn", "--faces", "whole", "--json").out)["faces"][0]
    assert whole["face"] is None
    assert whole["probability"] == pytest.approx(taken[f"p_{whole['predicted']}"], abs=1e-5)
    coins = tmp_path / "coins.png"
    cv2.imwrite(str(coins), skimage.data.coins())
    answer = fer("explain", "cnn", "--picture", coins, *FAST)
    assert (answer.code, f"no face was found in {coins}: the whole picture is taken" in answer.err) == (0, True)
    for arguments, message in (
        (("cnn", "--faces", "whole"), "--faces says how a file is looked at: give --picture FILE too"),
        (("cnn", "--picture", photo, "--faces", "half"), "--faces: input should be 'crop' or 'whole'"),
    ):
        answer = fer("explain", *arguments, *FAST)
        assert (answer.code, message in answer.err) == (2, True), answer.err


def test_a_file_is_seen_by_the_descriptors_or_by_the_final_model(faces, tmp_path, fer):
    big = np.random.default_rng(0).integers(0, 256, (700, 900, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "holiday photo.png"), big)
    seen = ask(fer, "--picture", tmp_path / "holiday photo.png")
    assert seen["artifact"] == "report/explain-holiday-photo"
    assert (seen["run"], seen["descriptors"]) == (None, ["phog", "lpq"])
    assert fer(*NET).code == 0
    net = ask(fer, "cnn", "--picture", tmp_path / "holiday photo.png")
    assert net["predicted"] == net["target"]
    assert (net["truth"], net["artifact"]) == (None, "report/cnn-explain-holiday-photo")
    own = faces.open("dataset", "faces")
    cv2.imwrite(str(tmp_path / "own.png"), own.array("images.npy")[3])
    refused = fer("explain", "cnn", "--picture", tmp_path / "own.png", *FAST)
    assert refused.code == 3
    assert "run/cnn was fitted on this very picture, by the hash of its pixels" in refused.err
    assert f"--sample {own.samples().ids[3]}" in refused.err
    assert ask(fer, "cnn", "--picture", tmp_path / "own.png", "--allow-train-rows")["run"] == "cnn"
    (tmp_path / "text.jpg").write_text("no picture")
    cases = (
        (("--picture", tmp_path / "text.jpg"), 3, "text.jpg"),
        (("--picture", tmp_path / "none.png"), 3, "the source does not exist"),
        (("--picture", tmp_path), 3, "this is a folder, not a picture"),
        (("--sample", "nobody"), 3, "dataset/faces has no row nobody"),
        (("--sample", "x", "--picture", "y"), 2, "--picture and --sample are two pictures"),
        (("--picture", tmp_path / "own.png", "--on", "faces"), 2, "--picture and --sample are one picture"),
        (("cnn", "--picture", tmp_path / "own.png", "--target", "truth"), 2, "nobody knows the true class of a file"),
    )
    for arguments, code, message in cases:
        answer = fer("explain", *arguments, *FAST)
        assert (answer.code, message in answer.err) == (code, True), answer.err
    dry = fer("explain", "cnn", "--dry-run", "--name", "dry", *FAST)
    assert "would look at 42 rows of dataset/faces and write report/dry" in dry.out
    assert "dry" not in faces.names("report")
