"""On the published SFEW sheet the skewness rule picks, in every fold, the column that the paper transforms."""

from pathlib import Path

import numpy as np
import pytest
from openpyxl import load_workbook

from fercli.config.preprocessing import PreprocessingConfig
from fercli.preprocessing.foldwise import fit_folds
from fercli.protocol.duplicates import numbered
from fercli.protocol.folds import contiguous, grouped, stratified
from fercli.records import Block


@pytest.mark.real_data
@pytest.mark.filterwarnings("ignore:Unknown extension is not supported")
def test_only_the_first_lpq_component_is_logged_in_every_fold(real_data: Path) -> None:
    book = load_workbook(real_data / "sfew-lpq-phog-pca.xlsx", read_only=True)
    lines = [row for row in book.worksheets[0].iter_rows(min_row=2, values_only=True) if "NaN" not in row]
    features = np.array([row[2:12] for row in lines], dtype=np.float64)
    assert features.shape == (674, 10)
    labels = numbered(np.array([str(row[1]) for row in lines]))
    films = numbered(np.array([str(row[0]).split("_")[0] for row in lines]))
    blocks = (Block("lpq", 0, 5), Block("phog", 5, 10))
    for k in (5, 20):
        made = np.concatenate(
            [
                stratified(labels, k=k, repeats=2, seed=0),
                grouped(films, k=k, repeats=2, seed=0),
                contiguous(674, k=k),
            ]
        )
        sets = [np.flatnonzero(folds != fold) for folds in made for fold in range(k)]
        for fitted in fit_folds(features, blocks, sets, PreprocessingConfig()):
            assert fitted.meta()["logged"] == ["lpq.0"]
