"""Forgeries of a single detail that one check alone sees, and checks that are said not to be made."""

import json
import shutil

import numpy as np
import pytest
from forging import Forger
from safetensors.numpy import load_file, save_file

PRUNED, FOLD = "run/pruned", "folds/0/00"


def verified(fer, *artifacts):
    """The whole answer to `fer verify --folds-sampled all --json`, whose exit code fits it."""
    answer = fer("verify", *artifacts, "--folds-sampled", "all", "--json")
    body = json.loads(answer.out)
    assert answer.code == (4 if body["findings"] else 0)
    return body


def lines_of(fer, *artifacts):
    return [finding["line"] for finding in verified(fer, *artifacts)["findings"]]


def assert_named(lines, words):
    assert any(words in line for line in lines), (words, lines)


def lose_a_row_that_nobody_counts(forger):
    forger.manifest("features/made", lambda manifest: manifest["content"].pop("rows"))
    path = forger.path("features/made", "features.npy")
    np.save(path, np.load(path)[:-1])


def data_that_left_a_row_out(forger):
    gone = {"source": "row_99", "reason": "no label"}
    forger.manifest("features/made", lambda manifest: manifest["content"].update(left_out=[gone]))


def data_with_a_leak(forger):
    told = "the columns were chosen on all rows"
    forger.manifest("features/made", lambda manifest: manifest["content"].update(leaks=[told]))


def call_it_a_test_split(forger):
    forger.rows("run/lda", "predictions.csv", lambda lines: lines[0].update(split="test"))


def go_below_zero(forger):
    def change(lines):
        least, most = sorted(
            (f"p_{name}" for name in ("calm", "glad", "sore")), key=lambda name: float(lines[0][name])
        )[::2]
        lines[0][most] = repr(float(lines[0][most]) + float(lines[0][least]) + 0.25)
        lines[0][least] = "-0.25"

    forger.rows("run/knn", "predictions.csv", change)


def swap_the_classes_of_the_control(forger):
    path = forger.path(PRUNED, "predictions-control.csv")
    path.write_text(path.read_text().replace("p_calm,p_glad", "p_glad,p_calm"))


def flatter_the_unpruned(forger):
    forger.json(PRUNED, "metrics.json", lambda metrics: metrics["before"].update(accuracy=0.1))


def drop_a_row_of_the_unpruned(forger):
    forger.rows(PRUNED, "predictions-before.csv", lambda lines: lines.pop())


def predict_what_nobody_knows(forger):
    forger.rows("run/knn", "predictions.csv", lambda lines: lines[0].update(p_calm="nan"))


def name_other_data(forger):
    forger.json("run/lda", "metrics.json", lambda metrics: metrics.update(on="better"))


def name_another_loss(forger):
    forger.json("run/bp", "metrics.json", lambda metrics: metrics["test"]["loss"].update(name="mse"))


def flatter_the_summary(forger):
    told = "baseline on made: accuracy 0.9900"
    forger.manifest("run/lda", lambda manifest: manifest["content"].update(summary=told))


def tell_of_other_folds(forger):
    forger.manifest("run/lda", lambda manifest: manifest["content"].update(protocol_line="logo, 24 folds"))


def swap_the_classes_of_the_metrics(forger):
    forger.json("run/lda", "metrics.json", lambda metrics: metrics.update(classes=["glad", "calm", "sore"]))


def swap_the_classes_of_the_manifest(forger):
    forger.manifest("run/lda", lambda manifest: manifest["content"].update(classes=["glad", "calm", "sore"]))


def state_another_width_in_the_metrics(forger):
    forger.json(PRUNED, "metrics.json", lambda metrics: metrics.update(hidden_before=80))


def lose_every_receipt_of_a_fold(forger):
    forger.rows(
        PRUNED, "receipts.csv", lambda lines: lines.__setitem__(slice(None), [x for x in lines if x["fold"] != "0"])
    )


def flatter_the_training_loss(forger):
    forger.json("run/lda", "metrics.json", lambda metrics: _lower(metrics, "train_loss", "train"))


def flatter_the_held_out_loss(forger):
    forger.json("run/bp", "metrics.json", lambda metrics: _lower(metrics, "test_loss", "test"))


def forget_a_training_accuracy(forger):
    def change(metrics):
        metrics["folds"][0]["train_accuracy"] = None
        others = [entry["train_accuracy"] for entry in metrics["folds"][1:]]
        metrics["train"]["accuracy"] = {"mean": float(np.mean(others)), "sd": float(np.std(others, ddof=1))}

    forger.json("run/lda", "metrics.json", change)


def _lower(metrics, key, part):
    """All folds alike, so that mean and deviation still follow from them."""
    for entry in metrics["folds"]:
        entry[key] -= 0.01
    metrics[part]["loss"]["mean"] -= 0.01


def balance_the_folds(forger):
    forger.manifest("folds/standing", lambda manifest: manifest["content"]["balance"][0].update(rows_max=99))


def count_more_groups(forger):
    forger.manifest("features/made", lambda manifest: manifest["content"].update(groups=72))


def pass_every_gate(forger):
    told = "2 runs; 9 of 9 gates passed"
    forger.manifest("evaluation/bp_lda", lambda manifest: manifest["content"].update(summary=told))


def removed_as(criterion, value):
    def change(forger):
        forger.rows(PRUNED, "receipts.csv", lambda lines: lines[0].update(criterion=criterion, value=str(value)))

    return change


NOT_GIVEN = "a score is not what the predictions give:"
OTHERWISE = "the manifest says otherwise than the run's files:"
CROSSED = "that did not cross the threshold (receipts.csv, row 2: fold 0/0"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lose_a_row_that_nobody_counts, "the array has another number of rows (samples.csv): stored 72, recomputed 71"),
        (data_that_left_a_row_out, "run/lda: the rows left out are not those that data and protocol leave out"),
        (data_with_a_leak, f"run/lda: {NOT_GIVEN} protocol.leaks (metrics.json, protocol.leaks): stored []"),
        (call_it_a_test_split, "split is not that of the data's row (predictions.csv, row_00, column split)"),
        (go_below_zero, "run/knn: probabilities do not sum to 1, or are below 0 (predictions.csv, row_00)"),
        (predict_what_nobody_knows, "run/knn: probabilities do not sum to 1, or are below 0 (predictions.csv, row_00)"),
        (swap_the_classes_of_the_control, "in their order (predictions-control.csv, header): stored ['glad', 'calm',"),
        (flatter_the_unpruned, "a score of before is not what its predictions give: accuracy (metrics.json, accuracy)"),
        (drop_a_row_of_the_unpruned, "a row that the fold holds out is not predicted (predictions-before.csv"),
        (name_other_data, f"run/lda: {NOT_GIVEN} on (metrics.json, on): stored better, recomputed made"),
        (
            name_another_loss,
            f"run/bp: {NOT_GIVEN} test.loss.name (metrics.json, test.loss.name): stored mse, recomputed ce",
        ),
        (flatter_the_summary, f"run/lda: {OTHERWISE} summary (artifact.json, summary): stored baseline on made:"),
        (tell_of_other_folds, f"run/lda: {OTHERWISE} protocol_line (artifact.json, protocol_line): stored logo, 24"),
        (swap_the_classes_of_the_metrics, "the classes are not those of features/made in their order (metrics.json"),
        (swap_the_classes_of_the_manifest, "the classes are not those of features/made in their order (artifact.json"),
        (state_another_width_in_the_metrics, "a count of units is not that of receipts and weights: hidden_before"),
        (
            lose_every_receipt_of_a_fold,
            "the last receipt leaves another width than was saved (receipts.csv, fold 0/00)",
        ),
        (flatter_the_training_loss, "run/lda: train_loss is not what the fold's stored model gives"),
        (flatter_the_held_out_loss, "run/bp: test_loss is not what the fold's stored model gives"),
        (forget_a_training_accuracy, "run/lda: train_accuracy is not what the fold's stored model gives"),
        (
            balance_the_folds,
            "folds/standing: the manifest says otherwise than the table: balance[0/0].rows_max (artifact",
        ),
        (count_more_groups, "rows have another number of groups (artifact.json, groups): stored 72, recomputed 24"),
        (
            pass_every_gate,
            "the manifest says otherwise than the scores: summary (artifact.json, summary): stored 2 runs",
        ),
        (removed_as("dead", 0.9), f"a unit was removed as dead {CROSSED}"),
        (removed_as("saturated", 0.2), f"a unit was removed as saturated {CROSSED}"),
        (removed_as("angle", 91), f"a unit was removed as angle {CROSSED}"),
        (removed_as("boring", 0.99), f"a unit was removed as boring {CROSSED}"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_detail_that_is_not_true_is_named(change, words, workspace, fer):
    with Forger(workspace("columns")) as forger:
        change(forger)
    body = verified(fer)
    hashes = ("files", "key and fingerprint", "parents")
    assert {entry["result"] for entry in body["checked"] if entry["check"] in hashes} == {"fine"}
    assert_named([finding["line"] for finding in body["findings"]], words)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda forger: forger.rows("run/lda", "predictions.csv", lambda rows: rows[0].update(predicted="none")),
            "run/lda: predicted is not the most probable class (predictions.csv, row_00",
        ),
        (
            lambda forger: forger.json("run/lda", "metrics.json", lambda it: it["folds"][1].update(accuracy=0.99)),
            "run/lda: a score is not what the predictions give: folds[0/1].accuracy",
        ),
    ],
    ids=["predicted", "fold"],
)
def test_what_a_run_says_of_itself_is_checked_without_its_data(change, words, workspace, fer):
    root = workspace("columns")
    with Forger(root) as forger:
        change(forger)
    shutil.rmtree(root / "features" / "made")
    assert_named(lines_of(fer, "run/lda"), words)


def test_scores_are_taken_again_even_where_the_predictions_are_not_of_the_folds(workspace, fer):
    with Forger(workspace("columns")) as forger:
        forger.rows("run/knn", "predictions.csv", lambda rows: rows.pop())
        forger.json("run/knn", "metrics.json", lambda metrics: metrics.update(accuracy=0.99))
    lines = lines_of(fer, "run/knn")
    assert_named(lines, "a row that the fold holds out is not predicted")
    assert_named(lines, f"run/knn: {NOT_GIVEN} accuracy (metrics.json, accuracy): stored 0.99")


def test_checks_that_need_a_parent_that_is_gone_are_said_not_to_be_made(workspace, fer):
    root = workspace("pictures")
    shutil.rmtree(root / "datasets" / "made")
    results = {(one["artifact"], one["check"]): one["result"] for one in verified(fer)["checked"]}
    assert results["features/made", "extraction"] == "not made: its data set changed since or is gone"
    assert results["folds/standing", "folds"] == "not made: its data changed since or are gone"


def test_folds_of_another_algorithm_version_are_not_drawn_again(workspace, fer):
    with Forger(workspace("columns")) as forger:
        forger.manifest("folds/standing", lambda manifest: manifest.update(algorithm=2))
    results = {one["check"]: one["result"] for one in verified(fer, "standing")["checked"]}
    assert results["drawn as its scheme says"] == "not made: it is of algorithm version 2, this release has 1"
    assert results["folds"] == "fine"


def test_a_run_that_drew_its_own_folds_is_held_to_these(workspace, fer):
    workspace("columns")
    own = ("--k", 4, "--scheme", "grouped", "--name", "own", "--threads", 1, "--jobs", 1, "--quiet")
    assert fer("train-baseline", "--model", "lda", *own).code == 0
    assert lines_of(fer, "own") == []


def test_predictions_of_folds_that_are_not_drawn_are_scored_as_well(workspace, fer):
    """Only fits are made again of drawn folds alone; a change in one row is found whatever the seed."""

    def turn(lines):
        lines[0].update(p_calm=lines[0]["p_glad"], p_glad=lines[0]["p_calm"])

    with Forger(workspace("columns")) as forger:
        forger.rows("run/bp", "predictions.csv", turn)
    for seed in range(4):
        answer = fer("verify", "bp", "--seed", seed, "--folds-sampled", 1, "--quiet")
        assert "a prediction is not what the fold's stored model gives (predictions.csv, fold 0/" in answer.out


def nudged(lines):
    """A thousandth of probability, as another type of device may give it."""
    first, second = sorted(("p_calm", "p_glad", "p_sore"), key=lambda name: -float(lines[0][name]))[:2]
    lines[0][first] = repr(float(lines[0][first]) + 0.001)
    lines[0][second] = repr(float(lines[0][second]) - 0.001)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_net_of_another_type_of_device_may_differ_by_its_rounding(device, workspace, fer):
    with Forger(workspace("pictures")) as forger:
        forger.manifest("run/net", lambda manifest: manifest["config"].update(device=device))
        forger.rows("run/net", "predictions.csv", nudged)
    off = [line for line in lines_of(fer, "net") if "a prediction is not what the fold's stored model gives" in line]
    assert len(off) == (1 if device == "cpu" else 0)


def test_a_net_whose_start_nobody_knows_must_say_so(workspace, fer, tmp_path):
    root = workspace("pictures")
    tensors = load_file(root / "runs" / "net" / "model" / "weights.safetensors")
    save_file({name: np.asarray(tensor * 2) for name, tensor in tensors.items()}, tmp_path / "w.safetensors")
    net = ("--variant", "cnn", "--width", 4, "--epochs", 1, "--device", "cpu", "--name", "begun", "--no-final-model")
    assert fer("train-resnet", *net, "--weights", "w.safetensors", "--threads", 1, "--quiet").code == 0
    assert lines_of(fer, "begun") == []
    with Forger(root) as forger:
        forger.json("run/begun", "metrics.json", lambda metrics: metrics["protocol"].update(leaks=[]))
    (line,) = lines_of(fer, "begun")
    assert line.startswith(
        f"run/begun: {NOT_GIVEN} protocol.leaks (metrics.json, protocol.leaks): stored [], recomputed"
    )
    assert "training starts from w.safetensors" in line
