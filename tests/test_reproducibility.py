"""Same seed, same `--threads`, CPU: same bytes, whatever the jobs, the cluster and the state of global generators.

Two worlds run the same commands, each in a process of its own, and differ in all that must not count: the seed of
Python's `hash`, where the global generators of Python, NumPy and torch stand, the number of jobs, loky or a Dask
cluster. What killed commands come back to is tested beside each of them, and of all of them in `faults`.
"""

import json
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest

from fercli.artifacts.store import Store
from fercli.preprocessing.pca import fit_projections

NET = ("--variant", "cnn", "--width", "4", "--device", "cpu", "--batch-size", "8", "--epochs", "2", "--threads", "1")
DRAWS = ("--dropout", "0.3", "--erase", "0.5", "--mixup", "0.4", "--cutmix", "1", "--rotate", "9", "--scale", "0.1")
DESCRIPTORS = ("--dataset", "faces", "--descriptors", "phog,lpq,hog,lbp", "--pca", "5")
YARDSTICK = ("train-baseline", "--folds", "two", "--threads", "1", "--model")
BP = ("--folds", "two", "--epochs", "5", "--hidden", "9", "--threads", "1", "--patience", "2", "--batch-size", "16")
# Artifact -> the command that makes it. JOBS stands for the world's number of jobs, EXTRACTION for how it extracts.
COMMANDS = {
    "dataset/faces": ("synthesize", "--subjects", "9", "--images", "7", "--size", "32"),
    "dataset/read": ("import-dataset", "PICTURES"),
    "folds/two": ("make-folds", "--dataset", "faces", "--k", "3", "--repeats", "2"),
    "features/faces": ("extract-features", *DESCRIPTORS, "EXTRACTION"),
    "run/bp": ("train-bp", *BP),
    "run/pruned": ("prune-bp", *BP, "--correlated", "0.5", "--retrain-epochs", "2"),
    "run/forest": (*YARDSTICK, "forest", "--trees", "9", "--jobs", "JOBS"),
    "run/mlp": (*YARDSTICK, "mlp", "--epochs", "4", "--jobs", "JOBS"),
    "run/svm": (*YARDSTICK, "linear-svm", "--jobs", "JOBS"),
    "run/net": ("train-resnet", *NET, *DRAWS, "--dataset", "faces", "--k", "2", "--no-final-model"),
    "evaluation/all": ("evaluate", "bp", "pruned", "forest", "--draws", "100", "--jobs", "JOBS"),
    "report/hard": ("robustness", "net", "--limit", "14", "--levels", "2", "--draws", "100", "--threads", "1"),
}
# Seconds are where no hash looks at them.
TIMED = "timing.csv"
PROGRAM = """
import json, random, sys
import numpy as np, torch
import rich.style  # draws an id when it is imported, no result
from fercli.cli.app import run
number, commands = int(sys.argv[1]), json.loads(sys.argv[2])
random.seed(number), np.random.seed(number), torch.manual_seed(number)
def states():
    drawn = np.random.get_state()
    return repr((random.getstate(), drawn[1].tobytes(), drawn[2:], torch.get_rng_state().numpy().tobytes()))
moved = []
for label, line in commands.items():
    before = states()
    if run(line):
        sys.exit(f"{label} failed")
    if states() != before:
        moved.append(label)
    random.random(), np.random.rand(number), torch.rand(number)
print("MOVED", json.dumps(moved))
"""


def commands_of(jobs, extraction, pictures):
    places = {"JOBS": [str(jobs)], "EXTRACTION": extraction, "PICTURES": [str(pictures)]}
    return {
        label: [word for part in line for word in places.get(part, [part])] + ["--name", label.split("/")[1], "--quiet"]
        for label, line in COMMANDS.items()
    }


def world(number, commands, workspace):
    environment = {**os.environ, "PYTHONHASHSEED": str(number), "FER_WORKSPACE": str(workspace)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(number), json.dumps(commands)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.rsplit("MOVED", 1)[1])


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    """The two workspaces, and for each the commands that moved a global generator."""
    from distributed import LocalCluster

    folder = tmp_path_factory.mktemp("worlds")
    for label in ("happy", "sad"):
        (folder / "pictures" / label).mkdir(parents=True)
        for number in range(4):
            cv2.imwrite(str(folder / "pictures" / label / f"{number}.png"), np.full((20, 20), 40 * number, np.uint8))
    first = world(1, commands_of(1, ["--jobs", "1"], folder / "pictures"), folder / "first")
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster:
        dask = ["--backend", "dask", "--scheduler", cluster.scheduler_address, "--jobs", "2"]
        second = world(2, commands_of(2, dask, folder / "pictures"), folder / "second")
    return {"first": Store(folder / "first"), "second": Store(folder / "second")}, first + second


@pytest.mark.parametrize("label", COMMANDS)
def test_two_worlds_make_the_same_bytes(worlds, label):
    kind, name = label.split("/")
    first, second = (store.open(kind, name) for store in worlds[0].values())
    hashes = [
        {name: entry.sha256 for name, entry in artifact.manifest.files.items() if name != TIMED}
        for artifact in (first, second)
    ]
    assert hashes[0].keys() == hashes[1].keys()
    assert [name for name, digest in hashes[0].items() if hashes[1][name] != digest] == []
    assert first.manifest.fingerprint == second.manifest.fingerprint


def test_no_command_draws_from_a_global_generator(worlds):
    assert worlds[1] == []


def test_the_worlds_differ_in_what_must_not_count(worlds):
    execution = [store.open("features", "faces").manifest.execution for store in worlds[0].values()]
    assert [(facts["backend"], facts["jobs"]) for facts in execution] == [("loky", 1), ("dask", 2)]


def test_a_lanczos_space_that_closes_is_opened_from_a_seed():
    """Three components and more asked for: ARPACK starts anew within, which SciPy draws from the system's entropy."""
    drawn = np.random.default_rng(0).integers(0, 4, (1500, 1))
    features = (drawn == np.arange(1200) % 4).astype(np.float32)
    fitted = [fit_projections(features, [np.arange(len(features))], 5)[0] for _ in range(4)]
    assert len(fitted[0].components) == 3
    assert len({projection.components.tobytes() for projection in fitted}) == 1
