"""Drawn faces are neither trivial nor hopeless, for every kind of model, over three seeds fixed in advance."""

import json

import pytest

MODELS = [
    ("train-bp", "--k", "5", "--no-final-model"),
    ("prune-bp", "--k", "20", "--no-final-model"),
    ("train-baseline", "--model", "lda", "--k", "5", "--no-final-model"),
    ("train-baseline", "--model", "rbf-svm", "--k", "5", "--no-final-model"),
    ("train-baseline", "--model", "forest", "--k", "5", "--no-final-model"),
    ("train-resnet", "--variant", "cnn", "--width", "16", "--epochs", "10", "--k", "5", "--no-final-model"),
]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_model_lies_between_majority_plus_20_points_and_95_percent(fer, seed):
    assert fer("synthesize", "--seed", seed).code == 0
    assert fer("extract-features").code == 0
    for model in MODELS:
        answer = fer(*model, "--json")
        assert answer.code == 0, answer.err
        body = json.loads(answer.out)
        assert 0.2 + body["majority"]["accuracy"]["pooled"] <= body["accuracy"] <= 0.95, (model, body["accuracy"])
        print(seed, " ".join(model), f"{body['accuracy']:.3f}")
