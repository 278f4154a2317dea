"""The scikit-learn faces: scikit-learn's own checks where they feed pictures, and ours where they do not."""

import copy

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.utils._set_output import ADAPTERS_MANAGER
from sklearn.utils.estimator_checks import check_estimator

from fercli.benchmarks.descriptors import pictures
from fercli.descriptors.estimators import EXPECTED_FAILED_CHECKS, HOG, LBP, LPQ, PHOG
from fercli.descriptors.hog import hog_batch
from fercli.descriptors.lbp import lbp_batch
from fercli.descriptors.lpq import lpq_batch
from fercli.descriptors.phog import phog_batch

FACES = [
    (PHOG, {"bins": 9, "angle": 180, "levels": 2, "canny": "opencv"}, phog_batch),
    (LPQ, {"window": 5, "frequency": "gaussian", "decorrelate": False, "grid": (2, 2)}, lpq_batch),
    (HOG, {"orientations": 6, "cell": 6, "block": 3}, hog_batch),
    (LBP, {"points": 4, "radius": 2.0, "grid": (2, 3)}, lbp_batch),
]
IMAGES = pictures(12, 24, 24)

faces = pytest.mark.parametrize(("face", "options", "batch"), FACES, ids=lambda x: getattr(x, "__name__", ""))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.EstimatorCheckFailedWarning")
@pytest.mark.parametrize("face", [PHOG, LPQ, HOG, LBP])
def test_scikit_learns_checks_fail_only_where_they_feed_no_pictures(face):
    results = check_estimator(face(), expected_failed_checks=EXPECTED_FAILED_CHECKS, on_skip=None)
    assert {result["status"] for result in results} <= {"passed", "xfail", "skipped"}
    failed = [result for result in results if result["status"] == "xfail"]
    assert {result["check_name"] for result in failed} == set(EXPECTED_FAILED_CHECKS)
    for result in failed:
        message = str(result["exception"])
        assert "columns are no square picture" in message or "n_features = 4)" in message, result["check_name"]


@faces
def test_transforms_as_the_batch_form(face, options, batch):
    estimator = face(**options)
    assert estimator.fit(IMAGES) is estimator
    np.testing.assert_array_equal(estimator.transform(IMAGES), batch(IMAGES, **options))
    assert estimator.image_shape_ == (24, 24)
    assert estimator.n_features_in_ == 576


@faces
def test_rows_stacks_and_types_mean_the_same(face, options, batch):
    expected = face(**options).fit_transform(IMAGES)
    rows = IMAGES.reshape(12, -1)
    for X in (rows, rows.astype(np.float64), rows.astype(np.float32), rows.tolist(), np.asfortranarray(rows)):
        np.testing.assert_array_equal(face(**options).fit_transform(X), expected)


@faces
def test_rows_of_oblong_and_of_colour_pictures(face, options, batch):
    images = pictures(5, 24, 36)
    colour = np.random.default_rng(2).integers(0, 256, (5, 24, 36, 3), dtype=np.uint8)
    np.testing.assert_array_equal(
        face((24, 36), **options).fit_transform(images.reshape(5, -1)), batch(images, **options)
    )
    np.testing.assert_array_equal(
        face([24, 36, 3], **options).fit_transform(colour.reshape(5, -1)), batch(colour, **options)
    )
    np.testing.assert_array_equal(face(**options).fit_transform(colour), batch(colour, **options))


@faces
def test_clone_and_parameters(face, options, batch):
    estimator = face(image_shape=(24, 24), **options)
    twin = clone(estimator)
    assert twin.get_params() == {"image_shape": (24, 24), **options}
    assert not hasattr(clone(estimator.fit(IMAGES)), "image_shape_")
    default = face().set_params(**options)
    np.testing.assert_array_equal(default.fit_transform(IMAGES), estimator.transform(IMAGES))


@faces
def test_order_and_subsets_change_no_row(face, options, batch):
    estimator = face(**options).fit(IMAGES)
    whole = estimator.transform(IMAGES)
    order = np.random.default_rng(0).permutation(12)
    np.testing.assert_array_equal(estimator.transform(IMAGES[order]), whole[order])
    np.testing.assert_array_equal(np.vstack([estimator.transform(IMAGES[i : i + 1]) for i in range(12)]), whole)
    np.testing.assert_array_equal(face(**options).fit(IMAGES[:1]).transform(IMAGES), whole)


@faces
def test_read_only_memory_maps(face, options, batch, tmp_path):
    np.save(tmp_path / "images.npy", IMAGES)
    stored = np.load(tmp_path / "images.npy", mmap_mode="r")
    expected = face(**options).fit_transform(IMAGES)
    np.testing.assert_array_equal(face(**options).fit_transform(stored), expected)
    np.testing.assert_array_equal(face(**options).fit_transform(stored.reshape(12, -1)), expected)
    assert IMAGES.tobytes() == stored.tobytes()


@faces
def test_a_copy_as_parallel_searches_send_them_is_the_same(face, options, batch):
    estimator = face(**options).fit(IMAGES)
    np.testing.assert_array_equal(copy.deepcopy(estimator).transform(IMAGES), estimator.transform(IMAGES))


@faces
def test_feature_names_and_containers(face, options, batch):
    class Named:
        """Stands for pandas and polars, which need not be installed."""

        container_lib = "named"

        def create_container(self, X_output, X_original, columns, inplace=True):
            return {"values": X_output, "columns": list(columns())}

        def is_supported_container(self, X):
            return False

    estimator = face(**options).fit(IMAGES)
    names = estimator.get_feature_names_out()
    values = estimator.transform(IMAGES)
    assert names.tolist() == [f"{face.__name__.lower()}{i}" for i in range(values.shape[1])]
    ADAPTERS_MANAGER.register(Named())
    try:
        contained = estimator.set_output(transform="named").transform(IMAGES)
    finally:
        ADAPTERS_MANAGER.adapters.pop("named")
        ADAPTERS_MANAGER.supported_outputs.discard("named")
    assert contained["columns"] == names.tolist()
    np.testing.assert_array_equal(contained["values"], values)
    np.testing.assert_array_equal(estimator.set_output(transform="default").transform(IMAGES), values)


def test_a_grid_search_over_a_pipeline_of_both():
    images = np.concatenate([pictures(16, 24, 24), 255 - pictures(16, 24, 24, seed=1)[:, ::-1] // 2])
    labels = np.repeat([0, 1], 16)
    pipeline = Pipeline(
        [
            ("describe", FeatureUnion([("phog", PHOG()), ("lpq", LPQ())])),
            ("classify", LogisticRegression(max_iter=1000)),
        ]
    )
    search = GridSearchCV(
        pipeline, {"describe__phog__levels": [0, 2], "describe__lpq__window": [3, 7]}, cv=2, error_score="raise"
    )
    search.fit(images, labels)
    assert len(search.cv_results_["params"]) == 4
    assert search.best_estimator_[:1].transform(images).shape[0] == 32
    assert make_pipeline(HOG(), LogisticRegression(max_iter=1000)).fit(images, labels).score(images, labels) > 0.5


@pytest.mark.parametrize(
    ("work", "message"),
    [
        (lambda: PHOG().fit(np.zeros((3, 10))), r"10 columns are no square picture: give image_shape=\(H, W\)"),
        (lambda: PHOG((5, 3)).fit(np.zeros((3, 16))), r"16 columns are no picture of image_shape=\(5, 3\)"),
        (lambda: PHOG((5, 3)).fit(np.zeros((3, 16, 16))), r"pictures of \(16, 16\), image_shape says \(5, 3\)"),
        (lambda: PHOG().fit(np.zeros((3, 16, 16, 4))), r"pictures of \(16, 16, 4\); they must be"),
        (lambda: PHOG().fit(np.zeros((3, 4, 4))), "3 PHOG levels do not fit 4x4 pixels.*use at most 2 levels"),
        (lambda: LPQ(window=6).fit(IMAGES), "odd number of pixels from 3 on, not 6"),
        (lambda: LPQ().fit(-IMAGES.astype(float)), "Negative values in data passed to LPQ"),
        (lambda: HOG().fit(IMAGES * 2.0), "pixels must be finite numbers in 0..255"),
        (lambda: LBP().fit(np.full((2, 16, 16), np.nan)), "contains NaN"),
        (lambda: LPQ().fit(IMAGES).transform(pictures(2, 18, 32)), r"pictures of \(18, 32\), fit saw \(24, 24\)"),
        (lambda: LPQ().fit(IMAGES).transform(pictures(2, 20, 20)), "X has 400 features, but LPQ is expecting 576"),
    ],
)
def test_refusals_are_value_errors(work, message):
    with pytest.raises(ValueError, match=message):
        work()


@faces
def test_unfitted(face, options, batch):
    with pytest.raises(NotFittedError):
        face(**options).transform(IMAGES)


def test_column_transformers_follow_in_one_pipeline_from_one_place():
    from sklearn.pipeline import make_pipeline

    from fercli.descriptors.estimators import BlockPCA, SkewLog

    images = np.random.default_rng(0).integers(0, 256, (12, 24, 24), dtype=np.uint8)
    columns = make_pipeline(PHOG(levels=1), SkewLog(), BlockPCA(3)).fit_transform(images)
    assert columns.shape == (12, 3)
