import csv
import json

import numpy as np
import pytest

from fercli.artifacts.store import Store
from fercli.artifacts.tables import read_predictions
from fercli.config.bp import PruneBPConfig, TrainBPConfig
from fercli.config.preprocessing import PreprocessingConfig
from fercli.config.protocol import ProtocolConfig
from fercli.errors import ArtifactError, UsageError
from fercli.steps import prune_bp, train_bp
from fercli.workflow.bp_models import read_bp_model
from fercli.workflow.request import Request

FOLDS = 4
QUICK = {"hidden": 12, "epochs": 4, "lr": 0.05, "protocol": ProtocolConfig(k=FOLDS)}
PRUNING = {**QUICK, "correlated": 0.6, "retrain_epochs": 2}


def write_sheet(path, *, rows=80, split=False, seed=0, groups=True):
    """Three classes in five named columns, the first one skewed."""
    drawn = np.random.default_rng(seed)
    names = ("calm", "glad", "sore")
    lines = ["id,label" + (",split" if split else "") + (",group" if groups else "") + ",a.1,a.2,a.3,b.1,b.2"]
    for row in range(rows):
        label = int(drawn.integers(0, 3))
        values = drawn.standard_normal(5)
        values[label] += 2
        values[0] = np.exp(values[0])
        cells = [f"row{row}", names[label]]
        cells += [["train", "validation"][row % 4 == 0]] if split else []
        cells += [f"person{row % 20}"] if groups else []
        lines.append(",".join([*cells, *(f"{value:.6f}" for value in values)]))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def store(tmp_path, fer):
    sheet = write_sheet(tmp_path / "sheet.csv")
    assert fer("import-features", sheet).code == 0
    return Store(tmp_path / "ws")


def lines_of(path):
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle))


def test_train_bp_writes_a_whole_run(store, notify):
    outcome = train_bp.run(TrainBPConfig(**QUICK), Request(), store, notify)
    assert (outcome.status, outcome.artifact) == ("done", "run/train-bp")
    run = store.open("run", "train-bp")
    metrics = run.json("metrics.json")
    assert metrics["kind"] == "bp"
    assert metrics["rows"] == 80
    assert len(metrics["folds"]) == FOLDS
    assert metrics["accuracy"] > 0.5
    assert metrics["test"]["loss"]["name"] == "ce"
    assert metrics["protocol"]["scheme"] == "stratified-grouped"
    predictions = read_predictions(run.file("predictions.csv"))
    np.testing.assert_allclose(predictions.probabilities.sum(axis=1), 1)
    assert sorted(predictions.ids.tolist()) == sorted(f"row{row}" for row in range(80))
    history = lines_of(run.file("history.csv"))
    assert len(history) == FOLDS * QUICK["epochs"]
    assert {line["phase"] for line in history} == {"train"}
    assert set(outcome.payload) >= {"run", "rows", "left_out", "folds", "seconds", "accuracy", "confusion"}
    assert json.dumps(outcome.payload, allow_nan=False)


def test_stored_fold_models_give_the_stored_predictions(store, notify):
    prune_bp.run(PruneBPConfig(**PRUNING), Request(), store, notify)
    run, data = store.open("run", "prune-bp"), store.open("features", "sheet")
    predictions = read_predictions(run.file("predictions.csv"))
    features, samples = data.array("features.npy"), data.samples()
    places = {name: row for row, name in enumerate(samples.ids.tolist())}
    for fold in range(FOLDS):
        own = predictions.folds == fold
        rows = [places[name] for name in predictions.ids[own].tolist()]
        model = read_bp_model(run, f"folds/0/{fold:02d}")
        assert model.classes == samples.classes
        np.testing.assert_allclose(model.probabilities(features[rows]), predictions.probabilities[own], atol=1e-6)
    final = read_bp_model(run)
    assert (final.probabilities(features).argmax(axis=1) == samples.targets).mean() > 0.6


def test_prune_bp_tells_units_receipt_and_control(store, notify):
    outcome = prune_bp.run(PruneBPConfig(**PRUNING), Request(), store, notify)
    run = store.open("run", "prune-bp")
    metrics = run.json("metrics.json")
    assert metrics["kind"] == "pruned-bp"
    assert metrics["hidden_before"] == 12
    receipts = lines_of(run.file("receipts.csv"))
    assert sum(metrics["removed"].values()) == len(receipts) > 0
    for fold in range(FOLDS):
        model = read_bp_model(run, f"folds/0/{fold:02d}")
        gone = [int(line["unit"]) for line in receipts if line["fold"] == str(fold)]
        assert sorted([*gone, *model.units.tolist()]) == list(range(12))
        assert model.network.w1.shape[2] == 12 - len(gone)
    widths = [12 - sum(line["fold"] == str(fold) for line in receipts) for fold in range(FOLDS)]
    assert metrics["hidden_after"] == {"mean": np.mean(widths), "min": min(widths), "max": max(widths)}
    assert metrics["before"]["rows"] == metrics["control"]["rows"] == 80
    retrained = [line for line in lines_of(run.file("history.csv")) if line["phase"] == "retrain"]
    assert {int(line["units"]) for line in retrained} <= set(range(1, 12))
    assert outcome.tables[-1].rows[1][1] == metrics["hidden_after"]["mean"]


def test_pruning_a_train_bp_run_is_pruning_from_scratch(store, notify):
    train_bp.run(TrainBPConfig(**QUICK), Request(), store, notify)
    options = {key: PRUNING[key] for key in ("correlated", "retrain_epochs")}
    prune_bp.run(PruneBPConfig(**options), Request(name="from", inputs={"run": "train-bp"}), store, notify)
    prune_bp.run(PruneBPConfig(**PRUNING), Request(name="scratch"), store, notify)
    runs = [store.open("run", name) for name in ("from", "scratch")]
    for name in ("predictions.csv", "predictions-before.csv", "predictions-control.csv", "receipts.csv"):
        assert runs[0].file(name).read_bytes() == runs[1].file(name).read_bytes()
    for folder in ("folds/0/02", "model"):
        file = f"{folder}/weights.safetensors"
        assert runs[0].file(file).read_bytes() == runs[1].file(file).read_bytes()
    assert [parent.kind for parent in runs[0].manifest.parents] == ["features", "folds", "run"]


def test_from_needs_a_train_bp_run_on_unchanged_features(store, notify, tmp_path, fer):
    prune_bp.run(PruneBPConfig(**PRUNING), Request(), store, notify)
    with pytest.raises(UsageError, match="run/prune-bp is a run of prune-bp, not of train-bp"):
        prune_bp.run(PruneBPConfig(), Request(name="x", inputs={"run": "prune-bp"}), store, notify)
    train_bp.run(TrainBPConfig(**QUICK), Request(), store, notify)
    write_sheet(tmp_path / "sheet.csv", seed=1)
    assert fer("import-features", tmp_path / "sheet.csv").code == 0
    with pytest.raises(ArtifactError, match="features/sheet changed since run/train-bp was trained on it"):
        prune_bp.run(PruneBPConfig(), Request(name="x", inputs={"run": "train-bp"}), store, notify)


def test_same_options_are_up_to_date_and_threads_do_not_change_a_byte(store, notify):
    first = prune_bp.run(PruneBPConfig(**PRUNING), Request(), store, notify)
    again = prune_bp.run(PruneBPConfig(**PRUNING), Request(threads=2), store, notify)
    assert (again.status, again.payload["accuracy"]) == ("up-to-date", first.payload["accuracy"])
    fingerprint = store.open("run", "prune-bp").manifest.fingerprint
    prune_bp.run(PruneBPConfig(**PRUNING), Request(threads=2, name="two"), store, notify)
    one, two = (store.open("run", name) for name in ("prune-bp", "two"))
    changed = [name for name in one.manifest.files if name not in ("timing.csv", "metrics.json")]
    assert fingerprint == one.manifest.fingerprint
    assert [one.manifest.files[name] for name in changed] == [two.manifest.files[name] for name in changed]
    with pytest.raises(UsageError, match=r"run/prune-bp stands with another configuration: hidden: 12 -> 6"):
        prune_bp.run(PruneBPConfig(**{**PRUNING, "hidden": 6}), Request(), store, notify)


def test_official_split_trains_once_and_that_is_the_model(tmp_path, fer, notify):
    assert fer("import-features", write_sheet(tmp_path / "split.csv", split=True)).code == 0
    store = Store(tmp_path / "ws")
    config = PruneBPConfig(**{**PRUNING, "protocol": ProtocolConfig()})
    prune_bp.run(config, Request(), store, notify)
    run = store.open("run", "prune-bp")
    assert run.json("metrics.json")["split"] == "validation"
    assert run.json("metrics.json")["rows"] == 20
    weights = [run.file(f"{folder}/weights.safetensors").read_bytes() for folder in ("model", "folds/0/00")]
    assert weights[0] == weights[1]


def test_pca_default_comes_from_the_features_unless_it_is_given(store, notify):
    config = TrainBPConfig(**{**QUICK, "preprocessing": PreprocessingConfig(pca=1)})
    train_bp.run(config, Request(name="default"), store, notify)
    train_bp.run(config, Request(name="given"), store, notify, default_pca=False)
    assert store.open("run", "default").config["preprocessing"]["pca"] is None
    model = read_bp_model(store.open("run", "given"))
    assert model.network.inputs == 2
    assert model.fitted.names == ("a.pc1", "b.pc1")


@pytest.mark.parametrize("command", ["train-bp", "prune-bp"])
def test_folds_may_keep_unequally_many_components(tmp_path, fer, command):
    assert fer("synthesize", "--subjects", 8, "--images", 7, "--size", 24, "--name", "faces").code == 0
    assert fer("extract-features", "--descriptors", "phog", "--jobs", 1).code == 0
    assert fer(command, "--k", 4, "--pca", 0.8, "--epochs", 3, "--threads", 1, "--name", "run").code == 0
    run = Store(tmp_path / "ws").open("run", "run")
    inputs = [read_bp_model(run, f"folds/0/{fold:02}").network.inputs for fold in range(4)]
    assert len(set(inputs)) > 1
    assert fer("verify", "run/run", "--folds-sampled", "all", "--retrain").code == 0


def test_no_final_model_and_early_stopping(store, notify):
    protocol = ProtocolConfig(k=FOLDS, final_model=False)
    train_bp.run(TrainBPConfig(**{**QUICK, "protocol": protocol}), Request(name="none"), store, notify)
    assert not store.open("run", "none").has("model/model.json")
    config = TrainBPConfig(**{**QUICK, "epochs": 30, "lr": 0.3, "patience": 2})
    train_bp.run(config, Request(name="early"), store, notify)
    run = store.open("run", "early")
    epochs = run.json("metrics.json")["epochs"]
    assert min(epochs) < 30
    history = lines_of(run.file("history.csv"))
    assert all(line["monitor_loss"] for line in history)
    # The model on all rows is trained for the median of the folds' epochs, without stopping.
    median = max(1, round(float(np.median(epochs))))
    plain = TrainBPConfig(**{**QUICK, "epochs": median, "lr": 0.3})
    train_bp.run(plain, Request(name="plain"), store, notify)
    weights = [store.open("run", name).file("model/weights.safetensors") for name in ("early", "plain")]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_a_damaged_network_is_named(store, notify):
    train_bp.run(TrainBPConfig(**QUICK), Request(), store, notify)
    run = store.open("run", "train-bp")
    path = run.file("model/weights.safetensors")
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(ArtifactError, match=r"run/train-bp is damaged: model/weights\.safetensors was changed"):
        read_bp_model(run)


def test_dry_run_writes_nothing(store, notify):
    outcome = prune_bp.run(PruneBPConfig(**PRUNING), Request(dry_run=True), store, notify)
    payload = dict(outcome.payload)
    seconds, round_seconds = payload.pop("seconds"), payload.pop("round_seconds")
    assert payload == {"would_make": "run/prune-bp", "networks": FOLDS, "epochs": 4}
    assert 0 < seconds < 60
    assert round_seconds == pytest.approx(seconds)  # twice the networks for half the epochs
    assert "s for every round of pruning" in outcome.lines[0]
    assert store.names("run") == store.names("folds") == []


def test_command_line_answers_with_one_json_object(store, fer):
    answer = fer("prune-bp", "--k", FOLDS, "--hidden", 8, "--epochs", 2, "--retrain-epochs", 1, "--absorb", "--json")
    assert answer.code == 0
    body = json.loads(answer.out)
    assert (body["command"], body["status"], body["artifact"]) == ("prune-bp", "done", "run/prune-bp")
    assert body["hidden_before"] == 8
    assert set(body["removed"]) == {"dead", "saturated", "correlated"}
    assert store.open("run", "prune-bp").config["absorb"] is True


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--hidden", 0), 2, "--hidden: input should be greater than or equal to 1"),
        (("--k", 1), 2, "--k: input should be greater than or equal to 2"),
        (("--k", 1000), 3, "the largest legal k is 20"),
        (("--from", "nothing"), 4, "there is no run called nothing"),
        (("--from", "x", "--hidden", 3, "--k", 5), 2, "--hidden, --k cannot be given beside it"),
        (("--pca", "many"), 2, "--pca: 'many' is neither a number of components"),
        (("--log", "nope"), 3, "there is no column nope to take the logarithm of"),
    ],
)
def test_wrong_options_have_their_exit_code_and_message(store, fer, arguments, code, message):
    answer = fer("prune-bp", *arguments)
    assert answer.code == code
    assert message in answer.err


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("options", "lowest", "highest"),
    [
        ((), 0.155, 0.22),
        (("--scheme", "stratified", "--allow-group-leak"), 0.23, 0.30),
        (("--scheme", "contiguous"), 0.06, 0.11),
    ],
)
def test_sfew_sheet_under_the_three_protocols(real_data, fer, options, lowest, highest):
    assert fer("import-features", real_data / "sfew-lpq-phog-pca.xlsx").code == 0
    answer = fer("prune-bp", "--k", 20, "--json", "--no-final-model", *options)
    body = json.loads(answer.out)
    assert body["rows"] == 674
    assert lowest < body["accuracy"] < highest
    assert 0.35 < body["train"]["accuracy"]["mean"] < 0.6
    assert 58 < body["hidden_after"]["mean"] < 64
    assert body["removed"]["dead"] == body["removed"]["saturated"] == 0
