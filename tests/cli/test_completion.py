"""What the shell asks for when Tab is pressed."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("words", "place", "answer"),
    [
        ("fer tra", 1, {"train-bp", "train-resnet", "train-baseline"}),
        ("fer predict --mo", 2, {"--model"}),
        ("fer train-bp --hid", 2, {"--hidden"}),
    ],
)
def test_bash_completes_commands_and_options(tmp_path, words, place, answer):
    program = tmp_path / "fer"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m fercli "$@"\n')
    program.chmod(0o755)
    asked = {"_FER_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(place)}
    done = subprocess.run([program], env={**os.environ, **asked}, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == answer


def test_the_script_for_bash_can_be_looked_at_first(fer, monkeypatch):
    # Otherwise the shell is looked for among the parents of this process, which need not have one.
    monkeypatch.setattr("shellingham.detect_shell", lambda: ("bash", "/bin/bash"))
    answer = fer("--show-completion")
    assert answer.code == 0
    assert "complete -o default -F _fer_completion fer" in answer.out
