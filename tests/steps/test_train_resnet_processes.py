"""train-resnet under torchrun: two processes against one, what they say, and what happens when they are stopped."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from safetensors.numpy import load_file
from test_train_resnet import make_dataset, saved_place

from fercli.artifacts.tables import read_predictions

TWO = (sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2")
# Momentum: Adam divides by the gradient's size and would blow rounding up.
NET = ("--variant", "cnn", "--width", "4", "--batch-size", "8", "--optimizer", "momentum", "--lr", "0.02")
RUN = ("--epochs", "3", "--k", "2", "--device", "cpu", "--threads", "1", "--dropout", "0.2")
TRAIN = ("train-resnet", *NET, *RUN)


@pytest.fixture
def workspace(tmp_path):
    make_dataset(tmp_path / "ws")
    return tmp_path / "ws"


def two_processes(workspace, *arguments):
    command = [*TWO, "-m", "fercli", *arguments, "-w", str(workspace)]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


# Parts of the strong recipe, and a teacher.
MORE = ("--ema", "0.5", "--mixup", "0.2", "--cutmix", "1", "--class-weights", "balanced", "--distil-from", "teacher")


@pytest.mark.parametrize("more", [(), pytest.param(MORE, marks=pytest.mark.slow)], ids=["plain", "with everything"])
def test_two_processes_equal_one_that_accumulates_twice(fer, workspace, more):
    if more:
        assert fer(*TRAIN, "--name", "teacher").code == 0
    done = two_processes(workspace, *TRAIN, *more, "--name", "two", "--json")
    assert done.returncode == 0, done.stderr
    # One object on stdout, and every line of talk once: rank 0 alone speaks.
    assert json.loads(done.stdout)["status"] == "done"
    assert done.stderr.count("protocol: ") == done.stderr.count("the final model: ") == 1
    assert fer(*TRAIN, *more, "--name", "one", "--accumulate", "2").code == 0
    one, two = workspace / "runs/one", workspace / "runs/two"
    for path in (*one.glob("folds/*/*/weights.safetensors"), one / "model/weights.safetensors"):
        ours, theirs = load_file(path), load_file(two / path.relative_to(one))
        for name, tensor in ours.items():
            # The last step of an epoch has an odd number of micro-batches: one process has more of them.
            np.testing.assert_allclose(theirs[name], tensor, rtol=1e-4, atol=1e-5, err_msg=name)
    scored = [read_predictions(run / "predictions.csv") for run in (one, two)]
    np.testing.assert_allclose(scored[0].probabilities, scored[1].probabilities, atol=1e-4)
    facts = [json.loads((run / "artifact.json").read_text()) for run in (one, two)]
    assert facts[0]["key"] == facts[1]["key"]
    assert facts[1]["config"]["accumulate"] == 2
    assert [entry["execution"]["processes"] for entry in facts] == [1, 2]


def test_what_rank_0_refuses_is_said_once_and_torchrun_exits_1(workspace):
    done = two_processes(workspace, *TRAIN, "--k", "1000")
    assert done.returncode == 1
    assert done.stderr.count("fer: error: ") == 1
    # The class of the failure is in torchrun's report.
    assert "exitcode  : 3" in done.stderr
    assert not (workspace / "runs").exists()


# Saves after every step, and slows down so that the test meets it.
PROGRAM = """
import os, sys, time
from pathlib import Path
from fercli.resnet.training import Training
from fercli.workflow import net_training
net_training.SAVE_SECONDS = net_training.SAVING_SHARE = 0.0
Path(__file__).with_suffix("." + os.environ["RANK"]).write_text(str(os.getpid()))
step = Training._step
def slow(self, *arguments):
    time.sleep(0.2)
    return step(self, *arguments)
Training._step = slow
from fercli.cli.app import run
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.slow
def test_killed_processes_resume_to_the_end_of_uninterrupted_ones(fer, workspace, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    arguments = [*TRAIN, "--k", "2", "--no-final-model", "--name", "two", "-w", str(workspace)]
    checkpoint = workspace / "runs/.two.partial/.scratch/folds/0/00/checkpoint.safetensors"
    with (tmp_path / "talk").open("wb") as talk:
        process = subprocess.Popen([*TWO, str(program), *arguments], stdout=talk, stderr=talk)
    try:
        end = time.monotonic() + 120
        while not (checkpoint.exists() and saved_place(checkpoint) >= (1, 1)):
            assert process.poll() is None, (tmp_path / "talk").read_text()
            assert time.monotonic() < end
            time.sleep(0.05)
    finally:
        # torchrun gives each process a session of its own; when they die, it ends by itself.
        for rank in "01":
            os.kill(int(program.with_suffix(f".{rank}").read_text()), signal.SIGKILL)
        assert process.wait(timeout=60) == 1
    resumed = two_processes(workspace, *arguments[:-2], "--json")
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads(resumed.stdout)["status"] == "resumed"
    assert fer(*TRAIN, "--k", "2", "--no-final-model", "--name", "one", "--accumulate", "2").code == 0
    ours, theirs = (load_file(workspace / f"runs/{name}/folds/0/00/weights.safetensors") for name in ("one", "two"))
    for name, tensor in ours.items():
        np.testing.assert_allclose(theirs[name], tensor, rtol=1e-4, atol=1e-5, err_msg=name)


def test_batch_norm_is_synchronised_on_gpus_only(fer, workspace):
    answer = fer(*TRAIN, "--sync-batch-norm")
    assert answer.code == 2
    assert "synchronised between processes on GPUs only" in answer.err
    assert "torchrun" in answer.err.split("next:")[1]
