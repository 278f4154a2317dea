"""The boundary: exit codes, exact messages, JSON on failure, signals, closed pipes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fercli.cli import failures
from fercli.cli.places import Places
from fercli.errors import EnvironmentFailure, ExitCode, InputError, Interrupted, UsageError


def test_help_lists_the_groups_in_the_order_of_the_pipeline(fer):
    answer = fer("--help")
    assert answer.code == 0
    groups = ["Bring data in", "Prepare", "Train", "Judge", "Look around"]
    places = [answer.out.index(group) for group in groups]
    assert places == sorted(places)


def test_bare_fer_shows_its_help(fer):
    answer = fer()
    assert (answer.code, answer.err) == (0, "")
    assert "Usage: fer" in answer.out


def test_version(fer):
    from fercli import __version__

    assert fer("--version").out == f"fercli {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (
            ("statsu",),
            2,
            "fer: error: no such command 'statsu'. Did you mean 'status'?\n  next: see fer --help\n",
        ),
        (("status", "--jsn"), 2, "fer: error: no such option: --jsn"),
        (
            ("prune-bp", "--hidden"),
            2,
            "fer: error: option '--hidden' requires an argument\n  next: see fer prune-bp --help\n",
        ),
        (("status", "-w"), 2, "fer: error: option '-w' requires an argument\n  next: see fer status --help\n"),
        (("--nonsense",), 2, "fer: error: no such option: --nonsense\n  next: see fer --help\n"),
        (
            ("show", "nothing"),
            4,
            "fer: error: there is no artifact called nothing\n  where: {ws}\n  next: see fer status\n",
        ),
        (
            ("extract-features",),
            4,
            "fer: error: the workspace has no dataset yet\n  where: {ws}\n"
            "  next: make one with fer import-dataset SOURCE or fer synthesize\n",
        ),
        (
            ("import-dataset", "nowhere"),
            3,
            "fer: error: the source does not exist\n  where: nowhere\n  next: check the path\n",
        ),
        (
            ("make-folds", "--k", "1"),
            2,
            "fer: error: --k: input should be greater than or equal to 2\n  where: --k 1\n"
            "  next: give --k at least 2\n",
        ),
    ],
)
def test_exact_failures(fer, tmp_path, arguments, code, text):
    answer = fer(*arguments)
    assert answer.code == code
    assert answer.out == ""
    assert answer.err.startswith(text.format(ws=tmp_path / "ws"))
    assert "Traceback" not in answer.err


def test_json_is_one_object_also_on_failure(fer, tmp_path):
    answer = fer("show", "nothing", "--json")
    assert answer.code == 4
    assert json.loads(answer.out) == {
        "schema": 1,
        "command": "show",
        "status": "failed",
        "artifact": None,
        "warnings": [],
        "error": {
            "code": 4,
            "kind": "artifact",
            "message": "there is no artifact called nothing",
            "where": str(tmp_path / "ws"),
            "next": "see fer status",
        },
    }


def test_json_of_a_mistyped_option_is_an_object_too(fer):
    answer = fer("status", "--nonsense", "--json")
    body = json.loads(answer.out)
    assert (answer.code, body["error"]["code"], body["command"]) == (2, 2, "status")


def test_debug_adds_a_traceback(fer):
    assert "Traceback" in fer("show", "nothing", "--debug").err


def test_status_of_an_empty_workspace(fer):
    answer = fer("status", "--json")
    assert answer.code == 0
    assert json.loads(answer.out)["artifacts"] == []


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (OSError(28, "No space left on device"), 5, "no space left on the disk"),
        (OSError(30, "Read-only file system", "/ro"), 5, "not allowed"),
        (MemoryError(), 5, "not enough memory"),
        (ImportError("libGL.so.1: cannot open shared object file"), 5, "libgl1"),
        (FileNotFoundError(2, "No such file or directory", "x.csv"), 3, "No such file"),
        (ZeroDivisionError("division by zero"), 1, "fault of fercli"),
    ],
)
def test_every_exception_has_one_code(error, code, words):
    failure = failures.translate(error)
    assert int(failure.code) == code
    assert words in failures.as_text(failure)


PLACES = Places(Path("ws"), {"--out": Path("sub/x.csv"), "--annotate": Path("ws/drawn")})
WORKSPACE_ADVICE = "choose a --workspace that you may write to"


@pytest.mark.parametrize(
    ("path", "where", "next_step"),
    [
        ("sub/x.csv", "sub/x.csv", "choose another --out, one that you may write to"),
        ("sub/.x.csv.17521.partial", "sub/x.csv", "choose another --out, one that you may write to"),
        ("sub", "sub/x.csv", "choose another --out, one that you may write to"),
        ("ws/drawn/.a.png.new", "ws/drawn", "choose another --annotate, one that you may write to"),
        ("ws/runs/.one.partial", "ws/runs/.one.partial", WORKSPACE_ADVICE),
        ("ws", "ws", WORKSPACE_ADVICE),
        (".", ".", WORKSPACE_ADVICE),
        ("sub/y.csv", "sub/y.csv", "change its permissions, or name another"),
        (None, None, WORKSPACE_ADVICE),
    ],
)
def test_what_may_not_be_written_is_named_as_the_user_named_it(tmp_path, monkeypatch, path, where, next_step):
    monkeypatch.chdir(tmp_path)
    for spelled in (path, path and str(tmp_path / path)):
        failure = failures.translate(OSError(13, "Permission denied", spelled), places=PLACES)
        assert (int(failure.code), failure.what) == (5, "not allowed: Permission denied")
        assert failure.where in (where, spelled)
        assert failure.next_step == next_step
    assert failures.translate(OSError(13, "Permission denied", path), places=PLACES).where == where


@pytest.mark.parametrize(
    ("path", "next_step"),
    [
        ("sub/.x.csv.new", "free some space, or choose another --out"),
        ("ws/runs/.one.partial", "free some space, or choose another --workspace"),
        (None, "free some space, or choose another --workspace or --out or --annotate"),
    ],
)
def test_a_full_disk_names_the_options_that_choose_another(path, next_step):
    failure = failures.translate(OSError(28, "No space left on device", path), places=PLACES)
    assert (failure.what, failure.next_step) == ("no space left on the disk", next_step)


def test_an_output_in_a_folder_that_takes_no_files(fer, tmp_path, monkeypatch):
    from fercli.datasets.images import opencv

    (tmp_path / "rows.csv").write_text(
        "id,label,a.x,a.y\n" + "".join(f"s{i},{'ab'[i % 2]},{i},{-i}\n" for i in range(8))
    )
    (tmp_path / "locked").mkdir()
    opencv().imwrite(str(tmp_path / "a.png"), np.zeros((48, 48), np.uint8))
    assert fer("import-features", "rows.csv").code == 0
    opened = Path.open

    def refusing(self, mode="r", *rest, **options):
        if "w" in mode and self.resolve().is_relative_to(tmp_path / "locked"):
            raise PermissionError(13, "Permission denied", str(self))
        return opened(self, mode, *rest, **options)

    monkeypatch.setattr(Path, "open", refusing)
    whole = ("predict", "a.png", "--faces", "whole")
    for command, option, given in (
        (("export", "rows"), "--out", "locked/z.csv"),
        (whole, "--out", "locked/x.csv"),
        (whole, "--annotate", "locked/drawn"),
    ):
        answer = fer(*command, option, given)
        assert answer.code == 5, answer.err
        assert answer.err.splitlines()[-3:] == [
            "fer: error: not allowed: Permission denied",
            f"  where: {given}",
            f"  next: choose another {option}, one that you may write to",
        ]


def test_expected_failures_pass_unchanged():
    for kind in (UsageError, InputError, EnvironmentFailure):
        error = kind("what", where="where", next_step="next")
        assert failures.translate(error) is error
    assert failures.as_text(InputError("what", where="w", next_step="n")) == "fer: error: what\n  where: w\n  next: n"


def test_interruption_is_no_exception():
    assert not issubclass(Interrupted, Exception)
    assert Interrupted(ExitCode.SIGTERM).code == 143


def process(*arguments, **options):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-m", "fercli", *arguments], env=environment, **options)


def test_a_closed_pipe_is_141_and_silent(tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    child = process("--help", stdout=writing, stderr=subprocess.PIPE, cwd=tmp_path)
    os.close(writing)
    _, err = child.communicate(timeout=60)
    assert (child.returncode, err) == (141, b"")


def closing(descriptor, *arguments, cwd, **options):
    """The process that a shell starts with `descriptor>&-`."""
    return subprocess.run(
        ["sh", "-c", f'exec "$0" -m fercli "$@" {descriptor}>&-', sys.executable, *arguments],
        stderr=subprocess.PIPE,
        stdout=None if "1" in descriptor else subprocess.PIPE,
        timeout=60,
        cwd=cwd,
        check=False,
        **options,
    )


@pytest.mark.parametrize(
    "arguments", [("status",), ("doctor",), ("--help",), ("--version",), ("status", "--json"), ("show", "x", "--json")]
)
def test_a_closed_stdout_is_141_and_silent(tmp_path, arguments):
    done = closing("1", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_failure_is_said_where_stdout_is_closed(tmp_path):
    done = closing("1", "show", "x", cwd=tmp_path)
    assert done.returncode == 4
    assert done.stderr.decode().startswith("fer: error: there is no artifact called x\n")


def test_without_stderr_nothing_more_comes_on_stdout(tmp_path):
    done = closing("2", "show", "x", "--json", cwd=tmp_path)
    assert done.returncode == 4
    assert json.loads(done.stdout)["error"]["code"] == 4


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="system: there is no /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [("status",), ("status", "--json"), ("--version",), ("--help",)])
def test_a_full_stdout_is_one_message(tmp_path, arguments, unbuffered):
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "fercli", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment,
            timeout=60,
            cwd=tmp_path,
            check=False,
        )
    assert done.stderr.decode() == (
        "fer: error: stdout cannot be written: No space left on device\n"
        "  where: stdout\n"
        "  next: free some space there, or send stdout elsewhere\n"
    )
    assert done.returncode == 5


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="system: there is no /dev/full")
def test_a_failure_keeps_its_code_where_stdout_is_full(tmp_path):
    with open("/dev/full", "wb") as full:
        child = process("show", "x", "--json", stdout=full, stderr=subprocess.PIPE, cwd=tmp_path)
        _, err = child.communicate(timeout=60)
    assert child.returncode == 4
    assert err.decode().splitlines() == [
        "fer: error: there is no artifact called x",
        "  where: artifacts",
        "  next: see fer status",
    ]


@pytest.mark.parametrize(("number", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_signals_leave_with_their_code_and_nothing_half(tmp_path, number, code):
    import signal
    import time

    child = process(
        "synthesize", "--subjects", "2000", "--images", "70", "-w", str(tmp_path / "ws"), stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 60
    folder = tmp_path / "ws" / "datasets"
    while not list(folder.glob(".*.partial")) and time.monotonic() < deadline:
        time.sleep(0.05)
    child.send_signal(getattr(signal, number))
    _, err = child.communicate(timeout=60)
    assert child.returncode == code
    assert f"stopped by {number}" in err.decode()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(("number", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_json_of_a_stopped_command_is_one_object_too(fer, monkeypatch, number, code):
    def stopped(*arguments, **options):
        raise Interrupted(ExitCode[number])

    monkeypatch.setattr("fercli.steps.status.run", stopped)
    answer = fer("status", "--json")
    assert answer.code == code
    assert json.loads(answer.out) == {
        "schema": 1,
        "command": "status",
        "status": "failed",
        "artifact": None,
        "warnings": [],
        "error": {
            "code": code,
            "kind": "interrupted",
            "message": f"stopped by {number}",
            "where": None,
            "next": "what was saved stays, the same command goes on from there",
        },
    }
    assert fer("status").out == ""


def test_a_stopped_predict_does_not_promise_to_go_on(fer, monkeypatch):
    def stopped(*arguments, **options):
        raise Interrupted(ExitCode.SIGINT)

    monkeypatch.setattr("fercli.steps.predict.run", stopped)
    anew = "rows that were written stay, the same command begins anew"
    assert fer("predict", "a.png").err == f"fer: stopped by SIGINT; {anew}\n"
    assert json.loads(fer("predict", "a.png", "--json").out)["error"]["next"] == anew


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_a_signal_while_python_leaves_is_silent(tmp_path, number):
    import signal

    # An exit handler runs where joblib's workers are joined: after the command, before the process is gone.
    script = (
        "import atexit, os, signal, sys, time\n"
        f"atexit.register(lambda: (os.kill(os.getpid(), signal.{number}), time.sleep(5)))\n"
        "sys.argv = ['fer', '--version']\n"
        "from fercli.__main__ import main\n"
        "main()\n"
    )
    child = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60, cwd=tmp_path)
    assert child.stderr == b""
    assert child.returncode == -getattr(signal, number)
