"""Kills, full and failing disks, workspaces that cannot be written: the short form of the crash matrix."""

import errno
import json
import shutil
import signal
import subprocess
import time
import zipfile
from pathlib import Path

import pytest
from crash_matrix import Row, kill_once, results, run_inside, undisturbed
from disk_matrix import Tally, fail, meet_read_only
from fault_commands import BASE, CASES, ENVIRONMENT, FAST, fer, sources
from fault_disk import OPERATIONS, FailingDisk, nobody, protect, unprotect, used

from fercli.artifacts.disk import Disk
from fercli.artifacts.store import Store

QUICK = [case for case in CASES if case.quick]


@pytest.fixture(scope="module")
def src(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = sources(tmp_path_factory.mktemp("src"))
    with zipfile.ZipFile(folder / "few.zip", "w") as archive:
        for place in sorted((folder / "pictures").rglob("*.png"))[:6]:
            archive.write(place, f"happy/{place.name}")
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    ws = tmp_path_factory.mktemp("base") / "ws"
    for line in (BASE[0], BASE[2], BASE[3]):
        code, _, err = run_inside([*line, "-w", str(ws)])
        assert code == 0, err
    return ws


@pytest.mark.parametrize("case", QUICK, ids=lambda case: case.name)
def test_a_killed_command_leaves_nothing_broken_and_ends_the_same_when_run_again(case, src, base):
    ended, reference = undisturbed(case, base, src, fresh=True)
    assert ended.code == 0, ended.err
    row = Row(case.name, seconds=ended.seconds)
    for number in (2, 3):  # SIGKILL, SIGTERM
        kill_once(case, row, base, src, reference, 0, number, forks=False)
    assert row.broken == []
    assert row.same == 2


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_at_work_has_its_exit_code_and_one_line(sent, code, base, tmp_path):
    shutil.copytree(base, tmp_path / "ws")
    line = (
        "train-bp",
        "--features",
        "faces",
        "--epochs",
        "9000",
        "--hidden",
        "256",
        *FAST,
        "--name",
        "k",
        "-w",
        str(tmp_path / "ws"),
    )
    child = subprocess.Popen(fer(*line, "--quiet"), env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while not (tmp_path / "ws/runs/.k.partial").exists() and child.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    child.send_signal(sent)
    _, err = child.communicate(timeout=60)
    assert child.returncode == code
    assert err == f"fer: stopped by {sent.name}; what was saved stays, the same command goes on from there\n"


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_falls_into_a_destructor_still_ends_the_command(sent, tmp_path):
    program = (
        "import os, sys, time\nimport fercli.steps.status as step\nfrom fercli.cli.app import run\n"
        f"class Late:\n    def __del__(self):\n        os.kill(os.getpid(), {int(sent)})\n        sum(range(1000))\n"
        "def work(store, notify):\n    Late()\n    time.sleep(20)\n"
        "step.run = work\nsys.exit(run(sys.argv[1:]))\n"
    )
    ended = subprocess.run(
        [fer()[0], "-c", program, "status", "-w", str(tmp_path)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=15,
    )
    assert ended.returncode == 128 + sent
    assert "Exception ignored" not in ended.stderr


def test_the_failing_disk_fails_every_operation_that_the_store_has():
    own = {name for name in vars(Disk) if not name.startswith("_")} - {"open", "write_file", "replace_file"}
    assert own == set(OPERATIONS) == {name for name in vars(FailingDisk) if not name.startswith("_")}


FAILING = {
    "import-features": ("import-features", "{src}/sheet.csv", "--name", "k"),
    "import-dataset": ("import-dataset", "{src}/few.zip", "--name", "k"),
    "make-folds": ("make-folds", "--dataset", "faces", "--k", "2", "--name", "k"),
    "train-bp": ("train-bp", "--features", "faces", "--epochs", "1", "--k", "2", "--threads", "1", "--name", "k"),
    "evaluate": ("evaluate", "bp", "--draws", "100", "--name", "k"),
}


@pytest.mark.parametrize(("number", "stays"), [(errno.ENOSPC, True), (errno.EIO, False)], ids=["ENOSPC", "EIO"])
@pytest.mark.parametrize("name", FAILING)
def test_a_disk_that_fails_at_the_nth_operation_for_every_n(name, number, stays, src, base, tmp_path):
    """Exit 5 and one message; every artifact whole or absent; the same command ends the same once the disk is sound."""
    line = [part.format(src=src) for part in FAILING[name]]
    shutil.copytree(base, tmp_path / "reference")
    assert run_inside([*line, "-w", str(tmp_path / "reference")])[0] == 0
    reference = results(tmp_path / "reference", tmp_path / "none")
    failed = 0
    ws = tmp_path / "ws"
    shutil.copytree(base, ws)
    before = results(ws, tmp_path / "none")
    for n in range(1, 1000):
        with used(FailingDisk(n, number, stays=stays)):
            code, _, err = run_inside([*line, "-w", str(ws), "--quiet"])
        if code == 0:
            break
        failed += 1
        assert code == 5, err
        assert err.startswith("fer: error: ")
        assert 2 <= len(err.splitlines()) <= 3
        assert err.splitlines()[-1].startswith("  next: ")
        standing = results(ws, tmp_path / "none")
        assert before.items() <= standing.items()
        if standing == reference:
            # The failure came after the artifact was in its place: begin again with none.
            shutil.rmtree(ws)
            shutil.copytree(base, ws)
    assert failed >= 5
    assert results(ws, tmp_path / "none") == reference


@pytest.mark.parametrize("name", ["make-folds", "remove"])
def test_the_table_of_failing_disks_has_no_finding(name, src, base):
    case = next(case for case in CASES if case.name == name)
    tally = Tally(name)
    fail(case, tally, base, src, most=3, seed=0)
    protect(src)
    meet_read_only(case, tally, base, src)
    unprotect(src)
    assert tally.wrong == []
    assert (tally.faults, tally.refused, tally.same, tally.read_only) == (6, 6, 6, 5)


def test_a_workspace_that_cannot_be_written_is_refused_once_and_can_be_read(base, src, tmp_path):
    ws = tmp_path / "ws"
    shutil.copytree(base, ws)
    protect(src)
    protect(ws)
    with nobody():
        for name in FAILING:
            code, _, err = run_inside([*(part.format(src=src) for part in FAILING[name]), "-w", str(ws), "--quiet"])
            assert code == 5, (name, err)
            assert err.startswith("fer: error: not allowed: ")
            assert len(err.splitlines()) == 3
        for line in (("status", "--json"), ("show", "run/bp", "--json")):
            code, out, err = run_inside([*line, "-w", str(ws)])
            assert code == 0, err
            assert json.loads(out)["status"] == "done"
    unprotect(ws)
    unprotect(src)
    assert results(ws, tmp_path / "none") == results(base, tmp_path / "none")


def test_a_manifest_of_the_last_attempt_does_not_vouch_for_the_next(tmp_path):
    """Killed between manifest and swap, resumed, failed: what stands half written must not be put in its place."""
    store = Store(tmp_path)

    def begin():
        facts = {"parents": [], "seed": 0, "command": ["fer"], "execution": {}}
        return store.begin("dataset", "k", algorithm=1, config={}, **facts)

    with begin() as draft:
        draft.keep_partial()
        draft.write_bytes("numbers.csv", b"1\n")
        path = draft.commit({})
    partial = path.with_name(".k.partial")
    path.rename(partial)
    (partial / ".draft.json").write_text(json.dumps({"key": store_key(partial)}))
    with pytest.raises(RuntimeError, match="cut"), begin() as draft:
        assert draft.resumed
        (draft.folder / "numbers.csv").write_bytes(b"")
        raise RuntimeError("cut")
    assert Store(tmp_path).names("dataset") == []


def store_key(folder: Path) -> str:
    return str(json.loads((folder / "artifact.json").read_text())["key"])
