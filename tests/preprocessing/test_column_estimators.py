"""The scikit-learn faces of the column transformers: its own battery, and equality with the foldwise core."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from fercli.config.preprocessing import PreprocessingConfig
from fercli.preprocessing.estimators import BlockPCA, SkewLog
from fercli.preprocessing.foldwise import apply, fit
from fercli.records import Block


@pytest.mark.parametrize(
    "estimator", [SkewLog(), SkewLog(scaling="minmax"), BlockPCA(), BlockPCA(n_components=0.9)], ids=str
)
def test_scikit_learns_own_checks(estimator: SkewLog | BlockPCA) -> None:
    """None may fail; the only ones scikit-learn itself leaves out are those of its array API switch."""
    results = check_estimator(estimator, on_skip=None, on_fail="raise")
    assert len(results) > 40
    left_out = [str(result["exception"]) for result in results if result["status"] != "passed"]
    assert all("SCIPY_ARRAY_API is not set" in reason for reason in left_out)


def test_a_pipeline_equals_the_foldwise_core() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(80, 12)) ** 3
    blocks = (Block("a", 0, 5), Block("b", 5, 12))
    core = fit(features, blocks, np.arange(60), PreprocessingConfig(pca=5))
    pipeline = make_pipeline(BlockPCA(5, widths=[5, 7]), SkewLog()).fit(features[:60])
    np.testing.assert_array_equal(pipeline.transform(features), apply(core, features))
    assert pipeline[0].get_feature_names_out().tolist() == [
        *(f"block0.{column}" for column in range(5)),
        *(f"block1.pc{number}" for number in range(1, 6)),
    ]


def test_a_grid_search_runs_over_the_parameters() -> None:
    rng = np.random.default_rng(0)
    features, labels = rng.normal(size=(60, 8)), np.arange(60) % 2
    features[labels == 1, 0] += 3
    search = GridSearchCV(
        make_pipeline(BlockPCA(), SkewLog(), LogisticRegression()), {"blockpca__n_components": [1, 2, 0.9]}, cv=3
    )
    assert search.fit(features, labels).best_score_ > 0.7
    assert clone(BlockPCA(3, widths=[2, 6])).widths == [2, 6]


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (SkewLog(scaling="robust"), "scaling is 'robust'; it must be zscore, minmax or none"),
        (SkewLog(columns=[3]), r"columns is \[3\]; X has columns 0 to 2"),
        (SkewLog(columns="skewed"), "columns is 'skewed'; it must be 'auto' or a list of column numbers"),
        (BlockPCA(0), "n_components is 0; it must be an integer from 1 or a fraction below 1"),
        (BlockPCA(1.5), "n_components is 1.5; it must be"),
        (BlockPCA(widths=[1, 1]), r"widths is \[1, 1\], which does not divide the 3 columns of X"),
    ],
)
def test_illegal_parameters_are_named(estimator: SkewLog | BlockPCA, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        estimator.fit(np.random.default_rng(0).normal(size=(9, 3)))


def test_named_columns_are_logged_whatever_their_skewness() -> None:
    features = np.random.default_rng(0).normal(size=(30, 3))
    assert SkewLog(columns=[1]).fit(features).log_.direction.tolist() in ([0, 1, 0], [0, -1, 0])
