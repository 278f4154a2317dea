"""Runs that are trained as one stack: what they share, how they fail and how they go on."""

import json
from contextlib import contextmanager

import numpy as np
import pytest

from fercli.artifacts.store import Store
from fercli.bp.chunk import Rows, Rule
from fercli.bp.network import NetworkKey, initial_stack
from fercli.bp.training import Training
from fercli.config.bp import PruneBPConfig, TrainBPConfig
from fercli.config.protocol import ProtocolConfig
from fercli.errors import EnvironmentFailure, ExitCode, InputError, Interrupted, UsageError
from fercli.steps import prune_bp, train_bp
from fercli.workflow import bp_log, bp_together
from fercli.workflow.bp_devices import BPDevice, bp_device
from fercli.workflow.bp_together import Asked, Together, run_together
from fercli.workflow.request import Request

QUICK = {"hidden": 8, "epochs": 4, "lr": 0.05, "protocol": ProtocolConfig(k=3)}
PRUNING = {**QUICK, "correlated": 0.4, "retrain_epochs": 2}


@pytest.fixture
def store(tmp_path, fer):
    drawn = np.random.default_rng(1)
    lines = ["id,label,a.1,a.2,a.3"]
    for row in range(60):
        values = drawn.standard_normal(3)
        values[row % 3] += 2
        lines.append(f"row{row},{'xyz'[row % 3]}," + ",".join(f"{value:.6f}" for value in values))
    (tmp_path / "sheet.csv").write_text("\n".join(lines) + "\n")
    assert fer("import-features", tmp_path / "sheet.csv").code == 0
    return Store(tmp_path / "ws")


@pytest.fixture
def trainings(monkeypatch):
    """How many networks each joint training had."""
    seen = []
    plain = bp_together.train_together

    def counted(asked, **options):
        seen.append([len(training.rows) for training in asked])
        return plain(asked, **options)

    monkeypatch.setattr(bp_together, "train_together", counted)
    return seen


def works(store, together, step, config, changes):
    return {name: step.work(config(**values), Request(name=name), store, together) for name, values in changes.items()}


def test_fresh_networks_of_all_runs_are_one_stack_and_equal_ones_are_trained_once(store, notify, trainings):
    together = Together(1, notify)
    changes = {f"c{value}": {**PRUNING, "correlated": value} for value in (0.4, 0.9)}
    changes["wide"] = {**PRUNING, "hidden": 16}
    run_together(works(store, together, prune_bp, PruneBPConfig, changes), together)
    # Two thresholds share one training; the wider networks stand beside it, and rounds of pruning beside each other.
    assert trainings[0] == [3, 3]
    assert any(len(counts) > 1 for counts in trainings[1:])
    assert sorted(store.names("run")) == sorted(changes)


def test_standing_runs_of_a_sweep_are_not_trained_again(store, fer, trainings):
    arguments = ("train-bp", "--k", 3, "--epochs", 2, "--hidden")
    assert fer(*arguments, "4,6").code == 0
    assert trainings == [[3, 3], [1, 1]]
    answer = fer(*arguments, "4,6,9", "--json")
    assert answer.code == 0
    assert trainings[2:] == [[3], [1]]
    assert json.loads(answer.out)["status"] == "done"
    assert [run["hidden"] for run in json.loads(answer.out)["runs"]] == [4, 6, 9]


def test_a_dry_run_of_a_sweep_names_all_and_trains_none(store, fer, trainings):
    answer = fer("prune-bp", "--k", 3, "--epochs", 2, "--lr", "0.01,0.1", "--dry-run", "--json")
    body = json.loads(answer.out)
    assert body["would_make"] == ["run/prune-bp.lr-0.01", "run/prune-bp.lr-0.1"]
    assert 0 < body["seconds"] < 60
    assert trainings == store.names("run") == []


def test_what_fails_before_training_refuses_the_whole_sweep(store, fer, trainings):
    arguments = ("train-bp", "--k", 3, "--epochs", 2)
    assert fer(*arguments, "--lr", 0.1, "--hidden", 5, "--name", "train-bp.lr-0.1").code == 0
    trainings.clear()
    answer = fer(*arguments, "--lr", "0.01,0.1,0.2")
    assert answer.code == 2
    assert "run/train-bp.lr-0.1 stands with another configuration: hidden: 5 -> 64" in answer.err
    assert "where: run train-bp.lr-0.1, " in answer.err
    assert trainings == store.interrupted("run") == []
    assert store.names("run") == ["train-bp.lr-0.1"]


@pytest.mark.filterwarnings("ignore:overflow encountered", "ignore:invalid value encountered")
def test_a_combination_that_diverges_is_named_and_the_others_are_made(store, fer, monkeypatch):
    plain = bp_together.train_together

    def spoiled(asked, **options):
        result = yield from plain(asked, **options)
        for training, trained in zip(asked, result, strict=True):
            if training.rule.rate == 50:
                trained.stack.w1[1, 0, 0] = np.inf
        return result

    monkeypatch.setattr(bp_together, "train_together", spoiled)
    answer = fer("train-bp", "--k", 3, "--epochs", 2, "--lr", "0.01,50,0.1")
    assert answer.code == 2
    assert "training diverged: 1 of 3 networks have weights that are no finite numbers" in answer.err
    assert "where: run train-bp.lr-50, repeat 0, fold 1, --lr 50" in answer.err
    assert store.names("run") == ["train-bp.lr-0.01", "train-bp.lr-0.1"]


class Cut:
    """A `Notify` whose bar is interrupted at the n-th epoch that it is shown."""

    def __init__(self, epochs):
        self.left = epochs
        self.said = []

    def say(self, text):
        self.said.append(text)

    warn = say

    @contextmanager
    def progress(self, what, total, unit):
        yield self

    def advance(self, count=1, note=""):
        self.left -= count
        if self.left == 0:
            raise Interrupted(ExitCode.SIGINT)


CHANGES = {"a": {"hidden": 8}, "b": {"hidden": 12}}


@pytest.mark.parametrize("epochs", [2, 5, 9, 13])
def test_interrupted_runs_go_on_to_the_same_bytes(store, notify, tmp_path, epochs):
    changes = {name: {**PRUNING, "until_worse": name == "b", "inner_k": 2, **own} for name, own in CHANGES.items()}
    cut = Together(1, Cut(epochs))
    with pytest.raises(Interrupted):
        run_together(works(store, cut, prune_bp, PruneBPConfig, changes), cut)
    assert store.names("run") == []
    kept = [name for name, _ in store.interrupted("run")]
    assert kept == ([] if epochs == 2 else ["a", "b"])  # in the first training nothing is finished yet
    counting = Cut(10**6)
    again = Together(1, counting)
    outcomes = run_together(works(store, again, prune_bp, PruneBPConfig, changes), again)
    assert {outcome.status for outcome in outcomes.values()} == {"done" if epochs == 2 else "resumed"}
    resumed = {name: store.open("run", name) for name in changes}
    assert not (store.folder("run") / "a" / ".scratch").exists()
    whole_count = Cut(10**6)
    whole = Together(1, whole_count)
    for name in changes:
        (store.folder("run") / name).rename(tmp_path / name)
    run_together(works(store, whole, prune_bp, PruneBPConfig, changes), whole)
    for name, run in resumed.items():
        assert store.open("run", name).manifest.fingerprint == run.manifest.fingerprint
    trained_before = {2: 0, 5: 4, 9: 8, 13: 12}[epochs]
    assert whole_count.left + trained_before <= counting.left


def test_a_killed_process_leaves_what_it_saved_last(store, notify, monkeypatch):
    monkeypatch.setattr(bp_log, "SAVE_SECONDS", -1.0)
    config = PruneBPConfig(**PRUNING)

    def killed(self, kind, error, trace):  # nothing is saved on the way out
        return None

    monkeypatch.setattr("fercli.workflow.bp_runs.BPRun.__exit__", killed)
    with pytest.raises(Interrupted):
        prune_bp.run(config, Request(), store, Cut(9))
    monkeypatch.undo()
    assert [name for name, _ in store.interrupted("run")] == ["prune-bp"]
    assert prune_bp.run(config, Request(), store, notify).status == "resumed"


def test_a_saved_training_from_another_start_is_not_taken(store, notify, monkeypatch):
    config = TrainBPConfig(**QUICK)
    with pytest.raises(Interrupted):
        train_bp.run(config, Request(), store, Cut(6))
    monkeypatch.setattr(bp_log, "_start", lambda training: b"another")
    counting = Cut(10**6)
    train_bp.run(config, Request(), store, counting)
    assert 10**6 - counting.left == 2 * QUICK["epochs"]


def test_devices_and_what_enters_the_config(store, notify, monkeypatch):
    import torch

    assert bp_device("cpu") == BPDevice("cpu", "")
    assert BPDevice().stored == {}
    assert BPDevice("cuda:1", "x").stored == {"device": "cuda"}
    with pytest.raises(UsageError, match="BP networks are not trained on 'mps'"):
        bp_device("mps")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert bp_device("auto") == BPDevice()
    with pytest.raises(EnvironmentFailure, match="device cuda is not available"):
        train_bp.run(TrainBPConfig(**QUICK), Request(), store, notify, device="cuda")
    assert store.names("run") == []


def test_cuda_that_is_not_there_is_exit_5(store, fer, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    answer = fer("prune-bp", "--k", 3, "--device", "cuda")
    assert answer.code == 5
    assert "--device cuda" in answer.err


def test_a_run_on_a_device_says_so_and_can_be_pruned(store, notify, monkeypatch):
    """The whole run with the engine of torch, on torch's CPU under the name of a device."""
    from fercli.bp import torch_chunk

    plain = torch_chunk.TorchChunk
    monkeypatch.setattr(torch_chunk, "TorchChunk", lambda members, device: plain(members, "cpu"))
    config = TrainBPConfig(**QUICK)
    together = Together(1, notify, BPDevice("cuda:0", "a GPU"))
    run_together({"x": train_bp.work(config, Request(name="x"), store, together)}, together)
    run = store.open("run", "x")
    assert run.config["device"] == "cuda"
    assert run.manifest.execution["device_name"] == "a GPU"
    train_bp.run(config, Request(name="y"), store, notify)
    assert "device" not in store.open("run", "y").config
    ours, theirs = (store.open("run", name).json("metrics.json") for name in "yx")
    assert theirs["log_loss"] == pytest.approx(ours["log_loss"], abs=1e-4)
    outcome = prune_bp.run(PruneBPConfig(correlated=0.4), Request(inputs={"run": "x"}), store, notify)
    assert outcome.payload["before"]["log_loss"] == theirs["log_loss"]


def test_products_have_one_thread_while_networks_are_trained_and_pruned(store, notify, monkeypatch):
    """Threads within a small product wait for each other; on a busy machine that costs a factor of thirty."""
    from threadpoolctl import threadpool_info, threadpool_limits

    from fercli.bp import pruning
    from fercli.workflow.bp_inputs import BPInputs

    def threads():
        return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}

    seen = {"preparing": [], "pruning": []}
    for owner, name, what in ((BPInputs, "prepared", "preparing"), (pruning, "next_unit", "pruning")):
        plain = getattr(owner, name)
        monkeypatch.setattr(
            owner, name, lambda *given, plain=plain, what=what: seen[what].append(threads()) or plain(*given)
        )
    with threadpool_limits(2, user_api="blas"):
        prune_bp.run(PruneBPConfig(**PRUNING), Request(threads=2), store, notify)
        assert threads() == {2}
    assert seen["preparing"] == [{2}, {2}]  # of the folds, and of all rows for the final model
    assert set(map(frozenset, seen["pruning"])) == {frozenset({1})}


def test_rows_that_cannot_be_learned_from_stop_a_run_before_training(store, notify, trainings):
    with pytest.raises(InputError, match="no column nope"):
        values = {**QUICK, "preprocessing": {"log": ("nope",)}}
        train_bp.run(TrainBPConfig(**values), Request(), store, notify)
    assert trainings == []


def test_seconds_of_a_joint_training_are_shared_out_by_its_work(notify, monkeypatch):
    drawn = np.random.default_rng(0)
    rows = [Rows.of(NetworkKey(0, 0), drawn.standard_normal((30, 2)), drawn.integers(0, 2, 30))]
    rule = Rule("ce", "adam", 0.01, 0.9, 0.0, 8, 0)

    def asked(hidden, key=None):
        stack = initial_stack([rows[0].key], seed=0, inputs=2, hidden=hidden, classes=2, dtype=np.float64)
        return Asked(Training(stack, rows, rule, 2), bp_together.TRAINING, lambda record: None, key)

    clock = iter((100.0, 112.0))
    monkeypatch.setattr(bp_together.time, "perf_counter", lambda: next(clock))
    together = Together(1, notify)
    # Three trainings of 4, 4 and 8 units; the last serves two runs.
    waiting = {"a": asked(4), "b": asked(4), "c": asked(8, "same"), "d": asked(8, "same")}
    found = {name: answer.seconds for name, answer in together.answers(waiting).items()}
    together.close()
    assert found == {name: pytest.approx(3.0) for name in "abcd"}
