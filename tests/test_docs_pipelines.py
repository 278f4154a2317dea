"""`docs/pipelines.md` word for word: its scripts and its CI job run in an empty folder."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from fercli.errors import ExitCode

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "pipelines.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture
def bash(tmp_path):
    """Run a script with `fer` and `python` of this environment on its path, in an empty folder."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, call in (("fer", f'"{sys.executable}" -m fercli'), ("python", f'"{sys.executable}"')):
        (programs / name).write_text(f'#!/bin/sh\nexec {call} "$@"\n')
        (programs / name).chmod(0o755)
    place = tmp_path / "place"
    place.mkdir()
    inherited = {key: value for key, value in os.environ.items() if key != "FER_WORKSPACE"}
    path = os.pathsep.join([str(programs), os.environ["PATH"]])
    environment = {**inherited, "PATH": path, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}

    def run(script: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=place,
            env={**environment, **more},
            capture_output=True,
            text=True,
            check=False,
        )

    run.place = place
    return run


def test_the_scripts_run_as_they_stand_here(bash):
    script, cases, numbers, others = blocks("bash")
    done = bash(script)
    assert done.returncode == 0, done.stderr
    assert "candidate" in done.stdout
    assert (bash.place / "artifacts/reports/all/index.html").is_file()
    again = bash("fer prune-bp --epochs 10 --name candidate", FER_WORKSPACE="artifacts")
    assert (again.returncode, "run/candidate is up to date" in again.stderr) == (0, True)
    told = bash(cases)
    assert (told.returncode, told.stdout) == (0, "keep the old model: a gate failed\n")
    assert "accuracy>=0.99" in (bash.place / "scores.txt").read_text()
    read = bash(numbers)
    assert read.returncode == 0, read.stderr
    assert re.fullmatch(
        r"candidate: 0\.\d{3} \(0\.\d{3} to 0\.\d{3}, bootstrap over 20 groups\)", read.stdout.splitlines()[0]
    )
    assert len(read.stdout.splitlines()) == 8
    elsewhere = bash(others)
    assert elsewhere.returncode == 0, elsewhere.stderr
    assert "Scores of model/ on others (all rows)" in elsewhere.stdout


def test_the_ci_job_runs_as_it_stands_here(bash):
    (text,) = blocks("yaml")
    job = yaml.safe_load(text)
    steps = [step for step in job["jobs"]["model"]["steps"] if "run" in step]
    assert [step["name"] for step in steps] == ["Install", "Data", "Train", "Gates", "Report"]
    for step in steps[1:]:  # this environment is installed already
        done = bash(step["run"], **job["env"])
        assert done.returncode == 0, f"{step['name']}: {done.stderr}"
    assert (bash.place / "artifacts/reports").is_dir()
    for name, command in (("audit", "audit"), ("scores", "evaluate"), ("comparison", "compare")):
        answer = json.loads((bash.place / f"{name}.json").read_text())
        assert (answer["schema"], answer["command"], answer["status"]) == (1, command, "done")
    assert all(gate["passed"] for gate in json.loads((bash.place / "scores.json").read_text())["gates"])


def codes_told() -> dict[int, str]:
    """{code: example} of the table of exit codes."""
    rows = re.findall(r"^\| (\d+) \| .*? \| (.*?) \|$", PAGE, flags=re.MULTILINE)
    return {int(code): example for code, example in rows}


def test_every_exit_code_is_told():
    assert set(codes_told()) == {int(code) for code in ExitCode}


def test_the_examples_of_exit_codes_are_true(fer):
    assert fer("synthesize", "--subjects", 4, "--images", 7, "--size", 24).code == 0
    assert fer("extract-features", "--descriptors", "lbp", "--jobs", 1).code == 0
    assert fer("train-baseline", "--model", "majority", "--k", 2, "--jobs", 1, "--threads", 1).code == 0
    examples = {code: re.match(r"`fer ([^`]*)`", told) for code, told in codes_told().items()}
    tried = []
    for code in (2, 3, 4, 6):
        arguments = [word.strip('"') for word in examples[code].group(1).split()]
        assert fer(*arguments).code == code, arguments
        tried.append(code)
    assert tried == [2, 3, 4, 6]
    import torch

    if not torch.cuda.is_available():
        assert fer(*examples[5].group(1).split()).code == 5
