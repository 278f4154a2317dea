"""An option that would do nothing is refused, not passed over."""

import pytest


@pytest.fixture
def workspace(fer):
    assert fer("synthesize", "--subjects", 6, "--images", 7, "--size", 24).code == 0
    assert fer("extract-features", "--descriptors", "lbp", "--jobs", 1).code == 0
    run = ("--k", 2, "--no-final-model", "--threads", 1)
    assert fer("train-baseline", "--model", "majority", *run, "--name", "plain").code == 0
    assert fer("train-resnet", "--variant", "cnn", "--width", 2, "--epochs", 1, "--device", "cpu", *run).code == 0


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (("train-resnet", "--size", "24"), "--size has nothing to act on without --list-variants"),
        (("show", "run/plain", "--limit", "3"), "--limit has nothing to act on without --errors"),
        (
            ("compare", "plain", "cnn", "--baseline", "plain", "--tolerance", "0.1"),
            "--tolerance has nothing to act on without --fail-if-worse",
        ),
        (
            ("predict", "a.png", "--faces", "whole", "--min-face", "9"),
            "--min-face has nothing to act on without --faces",
        ),
        (("explain", "cnn", "--dataset", "synthetic"), "--dataset has nothing to act on without --sample"),
        (("explain", "cnn", "--permutations", "3"), "--permutations has nothing to act on: run/cnn is a net"),
        (("explain", "plain", "--target", "happy"), "--target has nothing to act on: run/plain is a model on columns"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_an_option_that_would_do_nothing_is_refused(fer, workspace, line, what):
    answer = fer(*line)
    assert answer.code == 2
    assert f"fer: error: {what}" in answer.err
    assert "  next: leave --" in answer.err
