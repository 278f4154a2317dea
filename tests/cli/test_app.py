"""The boundary: exit codes, exact messages, JSON on failure, signals, closed pipes."""

import json
import os
import subprocess
import sys

import pytest

from fercli.cli import failures
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
