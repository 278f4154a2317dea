"""Made predictions for the tests of the scores."""

from collections.abc import Callable

import numpy as np
import pytest

from fercli.records import Predictions
from fercli.seeds import generator

MakePredictions = Callable[..., Predictions]


@pytest.fixture
def made_predictions() -> MakePredictions:
    """Predictions of `rows` rows and `classes` classes that are right more often than not."""

    def make(rows: int = 120, classes: int = 4, repeats: int = 1, folds: int = 3, seed: int = 0) -> Predictions:
        truth = generator(seed, "made.truth").integers(0, classes, rows)
        parts = []
        for repeat in range(repeats):
            draw = generator(seed, "made.scores", repeat)
            scores = draw.normal(size=(rows, classes)) + 1.2 * np.eye(classes)[truth]
            parts.append(np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True))
        return Predictions(
            ids=np.tile(np.array([f"row_{index}" for index in range(rows)]), repeats),
            repeats=np.repeat(np.arange(repeats), rows),
            folds=np.tile(np.arange(rows) % folds, repeats),
            splits=np.full(rows * repeats, ""),
            truth=np.tile(truth, repeats),
            probabilities=np.concatenate(parts),
            classes=tuple(f"class_{index}" for index in range(classes)),
        )

    return make
