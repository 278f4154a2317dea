"""train-resnet from a data set to a run: its files, its protocol, its resumption and its refusals."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from fercli.artifacts.schema import Parent
from fercli.artifacts.store import Store
from fercli.artifacts.tables import read_csv, read_predictions, samples_bytes
from fercli.records import Samples
from fercli.resnet.blocks import PlainCnn
from fercli.resnet.microbatches import step_slices
from fercli.resnet.training import Training

SMALL = ("--variant", "cnn", "--width", "4", "--epochs", "3", "--batch-size", "16", "--device", "cpu", "--threads", "1")
CLASSES = ("angry", "happy", "sad")


def make_dataset(
    root: Path,
    *,
    official=False,
    groups=True,
    pixels=None,
    seed=0,
    rows=72,
    name="faces",
    held_out="validation",
    side=16,
) -> None:
    """A data set of noise with a class-coloured corner; every class in every group."""
    random = np.random.default_rng(seed)
    classes = np.arange(rows) % 3
    images = random.integers(0, 256, (rows, side, side), dtype=np.uint8)
    images[:, :8, :8] = images[:, :8, :8] // 3 + (80 * classes)[:, None, None].astype(np.uint8)
    if pixels is not None:
        pixels(images)
    splits = np.where(np.arange(rows) < rows * 2 // 3, "train", held_out) if official else np.full(rows, "")
    samples = Samples(
        ids=np.array([f"s{index:03d}" for index in range(rows)]),
        labels=np.array(CLASSES)[classes],
        splits=splits.astype(np.str_),
        groups=np.array([f"g{index // 3 % 6}" if groups else "" for index in range(rows)]),
        sources=np.array([f"s{index}.png" for index in range(rows)]),
        widths=np.full(rows, side),
        heights=np.full(rows, side),
        classes=CLASSES,
    )
    begun = Store(root).begin(
        "dataset",
        name,
        algorithm=1,
        config={"seed": seed, "pixels": pixels is not None, "held_out": held_out},
        parents=[Parent(kind="source", name="drawn", fingerprint="0" * 64)],
        seed=seed,
        command=("test",),
        execution={},
        force=True,
    )
    with begun as draft:
        draft.write_bytes("samples.csv", samples_bytes(samples))
        draft.write_array("images.npy", images)
        draft.commit({"summary": "drawn", "classes": list(CLASSES), "left_out": []})


@pytest.fixture
def workspace(tmp_path):
    return tmp_path / "ws"


def result_files(run: Path) -> dict[str, bytes]:
    """Every file of a run but those that hold seconds, hosts and command lines."""
    return {
        str(path.relative_to(run)): path.read_bytes()
        for path in sorted(run.rglob("*"))
        if path.is_file() and path.name not in ("timing.csv", "artifact.json")
    }


def test_k_folds_leave_the_files_of_the_contract_and_score_every_row_once(fer, workspace):
    make_dataset(workspace)
    answer = fer("train-resnet", *SMALL, "--k", "3", "--json")
    assert answer.code == 0, answer.err
    body = json.loads(answer.out)
    assert (body["status"], body["artifact"], body["kind"], body["run"]) == ("done", "run/cnn", "resnet", "cnn")
    assert (body["rows"], len(body["folds"]), body["protocol"]["scheme"]) == (72, 3, "stratified-grouped")
    assert body["test"]["loss"]["name"] == "cross entropy"
    assert body["seconds"] > 0
    assert body["gap"] == pytest.approx(body["train"]["accuracy"]["mean"] - body["accuracy"])
    run = workspace / "runs" / "cnn"
    for folder in ("folds/0/00", "folds/0/01", "folds/0/02", "model"):
        assert json.loads((run / folder / "model.json").read_text())["classes"] == list(CLASSES)
        assert (run / folder / "weights.safetensors").stat().st_size > 1000
    predictions = read_predictions(run / "predictions.csv")
    assert sorted(predictions.ids) == [f"s{index:03d}" for index in range(72)]
    np.testing.assert_allclose(predictions.probabilities.sum(axis=1), 1, atol=1e-12)
    header, rows = read_csv(run / "history.csv")
    assert len(rows) == 9
    assert all(rows[0][header.index(name)] for name in ("train_loss", "test_accuracy"))
    # One cosine and the last epoch: nothing is chosen, so every training row is fitted on.
    assert not rows[0][header.index("monitor_loss")]
    assert set(np.load(run / "folds/0/01/rows.npy").tolist()) == {1, 3}
    assert not list(run.rglob(".*"))
    manifest = json.loads((run / "artifact.json").read_text())
    assert manifest["config"]["device"] == "cpu"
    assert manifest["config"]["width"] == 4
    assert manifest["config"]["protocol"]["monitor"] == "inner"
    assert [parent["kind"] for parent in manifest["parents"]] == ["dataset", "folds"]
    again = fer("train-resnet", *SMALL, "--k", "3", "--json")
    assert json.loads(again.out)["status"] == "up-to-date"


def test_what_chooses_reads_an_inner_part_of_the_training_rows_and_the_final_model_takes_the_median_epoch(
    fer, workspace
):
    make_dataset(workspace)
    stopping = ("--patience", "2", "--epochs", "12", "--lr", "0.05", "--schedule", "constant", "--keep", "best")
    answer = fer("train-resnet", *SMALL, "--k", "3", *stopping, "--json")
    assert answer.code == 0, answer.err
    run = workspace / "runs" / "cnn"
    assert [set(np.load(run / f"folds/0/0{fold}/rows.npy").tolist()) for fold in range(3)] == [{1, 2, 3}] * 3
    header, rows = read_csv(run / "history.csv")
    epochs = []
    for fold in range(3):
        losses = [float(row[header.index("monitor_loss")]) for row in rows if row[1] == str(fold)]
        epochs.append(1 + int(np.argmin(losses)))
        assert len(losses) == min(12, epochs[-1] + 2)
    assert json.loads(answer.out)["epochs"] == epochs
    assert len(read_csv(run / "model/history.csv")[1]) == sorted(epochs)[1]


def test_the_official_split_gives_one_model_that_is_the_runs_own(fer, workspace):
    make_dataset(workspace, official=True, groups=False)
    body = json.loads(fer("train-resnet", *SMALL, "--json").out)
    assert (body["split"], body["rows"], body["protocol"]["scheme"]) == ("validation", 24, "official")
    run = workspace / "runs" / "cnn"
    assert (run / "model/weights.safetensors").read_bytes() == (run / "folds/0/00/weights.safetensors").read_bytes()
    assert not (workspace / "ledger.jsonl").exists()


def test_the_test_split_is_scored_only_with_a_line_in_the_ledger(fer, workspace):
    make_dataset(workspace, official=True, groups=False, held_out="test")
    answer = fer("train-resnet", *SMALL, "--json")
    assert answer.code == 0, answer.err
    body = json.loads(answer.out)
    assert body["split"] == "test"
    entries = [json.loads(line) for line in (workspace / "ledger.jsonl").read_text().splitlines()]
    assert [(entry["run"], entry["rows"]) for entry in entries] == [("cnn", 24)]


@pytest.mark.parametrize("choice", [(), ("--schedule", "plateau", "--keep", "best", "--patience", "2")])
def test_changed_held_out_rows_leave_everything_that_was_fitted_as_it_was(fer, workspace, choice):
    make_dataset(workspace, official=True, groups=False)
    fer("train-resnet", *SMALL, *choice, "--name", "clean")

    def spoil(images):
        images[48:] = 255 - images[48:] // 3

    make_dataset(workspace, official=True, groups=False, pixels=spoil)
    answer = fer("train-resnet", *SMALL, *choice, "--name", "spoiled")
    assert answer.code == 0, answer.err
    clean, spoiled = (result_files(workspace / "runs" / name) for name in ("clean", "spoiled"))
    fold = "folds/0/00/"
    for name in ("weights.safetensors", "model.json", "rows.npy"):
        assert clean[fold + name] == spoiled[fold + name]
    assert clean["predictions.csv"] != spoiled["predictions.csv"]


LONGER = ("train-resnet", *SMALL, "--epochs", "6", "--k", "2")
# Saves after every step, and waits for its end where the test wants to meet it.
PROGRAM = """
import sys, time
from fercli.resnet.training import Training
from fercli.workflow import net_training
net_training.SAVE_SECONDS = net_training.SAVING_SHARE = 0.0
step = Training._step
def slow(self, *arguments):
    if self.task.path == (0, 1) and self.progress.epoch == 2 and self.progress.step == 1:
        time.sleep(600)
    return step(self, *arguments)
Training._step = slow
from fercli.cli.app import run
sys.exit(run(sys.argv[1:]))
"""


def assert_same_results(workspace, one, other):
    results = [result_files(workspace / "runs" / name) for name in (one, other)]
    assert results[0].keys() == results[1].keys()
    metrics = [json.loads(files.pop("metrics.json")) for files in results]
    assert [name for name, content in results[0].items() if content != results[1][name]] == []
    assert {**metrics[0], "name": ""} == {**metrics[1], "name": ""}


def test_a_killed_run_ends_with_the_bytes_of_an_uninterrupted_one(fer, workspace):
    make_dataset(workspace)
    assert fer(*LONGER, "--name", "whole").code == 0
    partial = workspace / "runs" / ".broken.partial"
    checkpoint = partial / ".scratch/folds/0/01/checkpoint.safetensors"
    command = [sys.executable, "-c", PROGRAM, *LONGER, "--name", "broken", "-w", str(workspace)]
    with (workspace / "talk").open("wb") as talk:
        process = subprocess.Popen(command, stdout=talk, stderr=talk)
    try:
        end = time.monotonic() + 90
        while not (checkpoint.exists() and saved_place(checkpoint) == (2, 1)):
            assert process.poll() is None, (workspace / "talk").read_text()
            assert time.monotonic() < end
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    finally:
        process.kill()
        process.wait()
    assert not (workspace / "runs" / "broken").exists()
    assert (partial / ".scratch/folds/0/00/done.json").exists()
    answer = fer(*LONGER, "--name", "broken", "--json")
    assert json.loads(answer.out)["status"] == "resumed", answer.err
    assert_same_results(workspace, "whole", "broken")


def saved_place(checkpoint: Path) -> tuple[int, int]:
    with safe_open(checkpoint, framework="np") as file:
        state = json.loads(file.metadata()["state"])
    return state["epoch"], state["step"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_within_a_step_leaves_after_saving_it(fer, workspace, monkeypatch, number, code):
    make_dataset(workspace)
    assert fer(*LONGER, "--name", "whole").code == 0
    step, count = Training._step, itertools.count(1)

    def signalled(self, *arguments):
        if next(count) % 11 == 0:
            os.kill(os.getpid(), number)
        return step(self, *arguments)

    monkeypatch.setattr(Training, "_step", signalled)
    codes = [fer(*LONGER, "--name", "broken").code]
    checkpoint = workspace / "runs" / ".broken.partial" / ".scratch/folds/0/00/checkpoint.safetensors"
    epoch, done = saved_place(checkpoint)
    assert epoch * steps_per_epoch(workspace) + done == 11
    while codes[-1] == code:
        codes.append(fer(*LONGER, "--name", "broken").code)
    assert codes[-1] == 0
    assert len(codes) > 3
    assert_same_results(workspace, "whole", "broken")


def steps_per_epoch(workspace: Path) -> int:
    roles = np.load(workspace / "runs/whole/folds/0/00/rows.npy")
    return len(step_slices(int((roles == 1).sum()), 16, 1))


@pytest.mark.parametrize(
    ("arguments", "code", "message", "remedy"),
    [
        (("--device", "cuda:7"), 5, "device cuda:7 is not available", "--device cpu"),
        (("--device", "gpu"), 2, "there is no device 'gpu'", "auto"),
        (("--variant", "vgg"), 2, "there is no variant 'vgg'", "xu-resnet"),
        (("--stem", "small"), 2, "--stem has no part to act on in cnn", "resnet18"),
        (("--se",), 2, "--se has no part to act on in cnn", "du-improved-resnet50"),
        (("--variant", "googlenet", "--width", "8"), 2, "--width has no part to act on in googlenet", "cnn"),
        (("--drop-path", "0.1"), 2, "--drop-path has no part to act on in cnn", "xu-resnet"),
        (("--lr", "0"), 2, "--lr: input should be greater than 0", "give --lr more than 0"),
        (("--monitor", "none", "--patience", "3"), 2, "choose an epoch", "--monitor inner"),
        (("--k", "1000"), 3, "1000", "--k"),
        (("--weights", "nowhere.pth"), 3, "there is no such file of weights", "imagenet"),
        (("--weights", "imagenet"), 2, "no ImageNet weights for cnn", "--weights none"),
        (("--dataset", "other"), 4, "there is no dataset called other", "faces"),
    ],
)
def test_refusals_say_what_and_what_to_do(fer, workspace, arguments, code, message, remedy):
    make_dataset(workspace)
    answer = fer("train-resnet", *SMALL, *arguments)
    assert answer.code == code, answer.err
    assert message in answer.err
    assert remedy in answer.err.split("next:")[1]
    assert answer.out == ""
    assert not (workspace / "runs").exists() or not list((workspace / "runs").iterdir())


def test_memory_that_ran_out_is_said_and_stored(fer, workspace, monkeypatch):
    make_dataset(workspace)
    forward = PlainCnn.forward

    def limited(self, pictures):
        if self.training and len(pictures) > 8:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, pictures)

    monkeypatch.setattr(PlainCnn, "forward", limited)
    answer = fer("train-resnet", *SMALL, "--k", "2", "--json")
    assert answer.code == 0, answer.err
    warning = json.loads(answer.out)["warnings"][0]
    assert "8 pictures at a time make the same steps (--batch-size 8 --accumulate 2)" in warning
    content = json.loads((workspace / "runs/cnn/artifact.json").read_text())["content"]
    assert content["micro_batches"] == {"folds/0/00": 8, "folds/0/01": 8, "model": 8}
    monkeypatch.undo()
    monkeypatch.setenv("FER_WORKSPACE", str(workspace))
    fer("train-resnet", *SMALL, "--batch-size", "8", "--accumulate", "2", "--k", "2", "--name", "small")
    weights = [(workspace / f"runs/{name}/model/weights.safetensors").read_bytes() for name in ("cnn", "small")]
    assert weights[0] == weights[1]


def test_event_files_hold_the_curves_of_the_history(fer, workspace, tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    make_dataset(workspace)
    answer = fer("train-resnet", *SMALL, "--k", "2", "--no-final-model", "--tensorboard", tmp_path / "curves")
    assert answer.code == 0, answer.err
    header, rows = read_csv(workspace / "runs/cnn/history.csv")
    events = accumulator.EventAccumulator(str(tmp_path / "curves/cnn/folds/0/01")).Reload()
    for tag, column in (("loss/train", "train_loss"), ("accuracy/held out", "test_accuracy")):
        stored = [float(row[header.index(column)]) for row in rows if row[1] == "1"]
        assert [event.value for event in events.Scalars(tag)] == pytest.approx(stored, rel=1e-6)
        assert [event.step for event in events.Scalars(tag)] == [1, 2, 3]


def test_event_files_without_the_package_are_an_error_before_any_work(fer, workspace, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    make_dataset(workspace)
    answer = fer("train-resnet", *SMALL, "--k", "2", "--tensorboard", "curves")
    assert answer.code == 5
    assert "fercli[tensorboard]" in answer.err
    assert not (workspace / "runs").exists()


def test_another_config_under_a_standing_name_lists_what_differs(fer, workspace):
    make_dataset(workspace)
    fer("train-resnet", *SMALL, "--k", "2", "--no-final-model")
    answer = fer("train-resnet", *SMALL, "--k", "2", "--no-final-model", "--lr", "0.5")
    assert answer.code == 2
    assert "lr: 0.002 -> 0.5" in answer.err
    assert not (workspace / "runs" / "cnn" / "model").exists()


def test_a_dry_run_estimates_and_writes_nothing(fer, workspace):
    make_dataset(workspace)
    body = json.loads(fer("train-resnet", *SMALL, "--k", "3", "--dry-run", "--json").out)
    assert body["would_make"] == "run/cnn"
    # Three epochs of the final model's 72 rows, and of three folds' 48.
    assert body["images"] == 3 * 72 + 3 * 3 * 48
    assert body["seconds"] > 0
    assert not (workspace / "runs").exists()


def test_list_variants_needs_no_workspace(fer):
    body = json.loads(fer("train-resnet", "--list-variants", "--size", "32x40", "--json").out)
    entries = {entry["name"]: entry for entry in body["variants"]}
    assert entries["du-improved-resnet50"]["options"] == ["drop_path", "dropout", "head_width", "se", "stem"]
    assert entries["xu-resnet"]["size"] == [32, 40]
    assert entries["resnet18"]["parameters"] == 11_173_831


def test_list_variants_counts_for_the_chosen_colour_and_classes(fer):
    command = ("train-resnet", "--list-variants", "--size", "224", "--color", "rgb", "--classes", "1000", "--json")
    entries = {entry["name"]: entry for entry in json.loads(fer(*command).out)["variants"]}
    # torchvision's published count.
    assert (entries["resnet18"]["parameters"], entries["resnet18"]["channels"]) == (11_689_512, 3)
    refused = fer("train-resnet", "--list-variants", "--color", "blue")
    assert (refused.code, "--color is gray or rgb, not 'blue'" in refused.err) == (2, True)


def test_show_layers_counts_what_the_run_counted_and_refuses_what_has_none(fer, workspace):
    make_dataset(workspace)
    fer("train-resnet", *SMALL, "--k", "2", "--no-final-model")
    body = json.loads(fer("show", "cnn", "--layers", "--json").out)
    content = json.loads((workspace / "runs/cnn/artifact.json").read_text())["content"]
    assert sum(layer["parameters"] for layer in body["layers"]) == content["parameters"]
    assert sum(layer["multiply_adds"] for layer in body["layers"]) == content["multiply_adds"]
    assert body["layers"][-1]["output"] == [3]
    assert "features.0" in fer("show", "run/cnn", "--layers").out
    refused = fer("show", "faces", "--layers")
    assert (refused.code, "dataset/faces holds no network of layers" in refused.err) == (2, True)


def test_weights_of_unknown_origin_start_a_run_that_says_so_and_other_contents_make_another_key(
    fer, workspace, tmp_path
):
    make_dataset(workspace)
    make_dataset(workspace, name="others", seed=1)
    assert fer("train-resnet", *SMALL, "--k", "2", "--dataset", "others", "--name", "first").code == 0
    weights = tmp_path / "w.safetensors"
    tensors = load_file(workspace / "runs/first/model/weights.safetensors")
    save_file({name: tensor + 0 for name, tensor in tensors.items()}, weights, {"made": "elsewhere"})
    line = (
        "train-resnet",
        *SMALL,
        "--k",
        "2",
        "--dataset",
        "faces",
        "--name",
        "second",
        "--weights",
        weights,
        "--json",
    )
    answer = fer(*line)
    assert answer.code == 0, answer.err
    manifest = json.loads((workspace / "runs/second/artifact.json").read_text())
    assert manifest["config"]["weights"] == "w.safetensors"
    assert manifest["parents"][-1]["name"] == "w.safetensors"
    (leak,) = json.loads(answer.out)["protocol"]["leaks"]
    assert leak.startswith("training starts from w.safetensors, and what that was fitted on is not known")
    assert f"leak: {leak}" in answer.err
    assert fer("verify", "second").code == 0
    save_file({name: tensor + 0.01 for name, tensor in tensors.items()}, weights)
    stale = fer(*line)
    assert json.loads(stale.out)["status"] == "done"
    assert "source/w.safetensors changed" in stale.err


@pytest.mark.parametrize("form", ["standing", "copied", "exported", "halved"])
def test_weights_that_were_fitted_on_held_out_rows_are_refused_in_every_form(fer, workspace, tmp_path, form):
    make_dataset(workspace)
    assert fer("train-resnet", *SMALL, "--k", "2", "--name", "first").code == 0
    weights = workspace / "runs/first/model/weights.safetensors"
    if form == "copied":
        weights = tmp_path / "w.safetensors"
        weights.write_bytes((workspace / "runs/first/model/weights.safetensors").read_bytes())
    elif form != "standing":
        weights = tmp_path / "w.safetensors"
        half = ["--half"] if form == "halved" else []
        assert fer("export", "run/first", "--format", "safetensors", "--out", weights, *half).code == 0
    answer = fer("train-resnet", *SMALL, "--k", "2", "--name", "second", "--weights", weights)
    assert answer.code == 3
    assert answer.err.splitlines()[-3:] == [
        "fer: error: the weights are of run/first, model, which was fitted on 36 of the 36 rows that fold 0 of repeat 0"
        " holds out here",
        f"  where: --weights {weights}",
        "  next: start from weights that were fitted on other rows, or learn fold by fold: --distil-from first",
    ]


def test_weights_of_other_rows_are_known_to_be_so_and_pass_on_what_they_do_not_know(fer, workspace, tmp_path):
    make_dataset(workspace)
    make_dataset(workspace, name="others", seed=1)
    small = ("train-resnet", *SMALL, "--k", "2", "--no-final-model", "--json")
    assert fer(*small, "--dataset", "others", "--name", "first").code == 0
    weights = workspace / "runs/first/folds/0/00/weights.safetensors"
    answer = fer(*small, "--dataset", "faces", "--name", "second", "--weights", weights)
    assert json.loads(answer.out)["protocol"]["leaks"] == []
    assert "the weights are of run/first, folds/0/00, which was fitted on no row that is held out here" in answer.err
    assert Store(workspace).open("run", "second").content["weights_of"] == "run/first"
    assert fer("verify", "second").code == 0
    # The fold's own held-out rows are the only ones of its data that it may be scored on.
    same = fer(*small, "--dataset", "others", "--name", "third", "--weights", weights)
    assert (same.code, "fold 1 of repeat 0" in same.err) == (3, True)
    # Of a run that began with a file nobody knows, nobody knows more.
    unknown = tmp_path / "u.safetensors"
    save_file(load_file(weights), unknown, {"made": "elsewhere"})
    assert fer(*small, "--dataset", "others", "--name", "fourth", "--weights", unknown).code == 0
    heir = workspace / "runs/fourth/folds/0/00/weights.safetensors"
    answer = fer(*small, "--dataset", "faces", "--name", "fifth", "--weights", heir)
    assert "what that was fitted on is not known" in json.loads(answer.out)["protocol"]["leaks"][0]
    # Nor of one that went on from the weights of a known run: `faces` is behind `second`, and `others` behind that.
    chained = workspace / "runs/second/folds/0/00/weights.safetensors"
    answer = fer(*small, "--dataset", "others", "--name", "sixth", "--weights", chained)
    assert "what that was fitted on is not known" in json.loads(answer.out)["protocol"]["leaks"][0]
    # Whoever learns from such a run says so, too, and so does who learns from that one.
    for name, teacher in (("seventh", "fourth"), ("eighth", "seventh")):
        answer = fer(*small, "--dataset", "others", "--name", name, "--distil-from", teacher)
        assert answer.code == 0, answer.err
        (leak,) = json.loads(answer.out)["protocol"]["leaks"]
        assert leak.startswith("training starts from u.safetensors, and what that was fitted on is not known")
        assert fer("verify", name).code == 0
