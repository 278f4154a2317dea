"""The descriptor benchmark: every row is there, nothing is timed that does not agree, pictures are seeded."""

import numpy as np
import pytest

from fercli.benchmarks import descriptors
from fercli.benchmarks.descriptors import benchmark, pictures, surroundings


@pytest.fixture
def few_pictures(monkeypatch):
    monkeypatch.setattr(descriptors, "_MEGAPIXELS", 0.02)


def test_one_row_for_each_implementation_and_size(few_pictures):
    rows = list(benchmark(sizes=((48, 48), (33, 40)), repeats=1, jobs=1))
    expected = [
        ("phog", "fercli"),
        ("phog", "transcription"),
        ("lpq", "fercli"),
        ("lpq", "transcription"),
        ("hog", "scikit-image"),
        ("phog+lpq", "fercli"),
    ]
    assert [(row.what, row.implementation) for row in rows] == 2 * expected
    assert {(row.height, row.width) for row in rows} == {(48, 48), (33, 40)}
    for row in rows:
        assert row.images_per_second == pytest.approx(1000 / row.milliseconds)
        assert (row.agreement is None) == (row.what == "hog")
        assert row.agreement is None or row.agreement <= 1e-12


def test_all_cores_come_last(few_pictures, monkeypatch):
    monkeypatch.setattr(descriptors, "CHUNK_IMAGES", 4)
    *_, last = benchmark(sizes=((24, 24),), repeats=1, jobs=2)
    assert (last.jobs, last.images) == (2, 32)


def test_what_does_not_agree_is_not_timed(few_pictures, monkeypatch):
    def wrong(images):
        return descriptors.lpq_batch(images) + 1e-9

    monkeypatch.setattr(descriptors, "PAIRS", (("lpq", wrong, descriptors.plain.lpq),))
    with pytest.raises(ArithmeticError, match="lpq at 48x48 differs by 1e-09"):
        next(benchmark(sizes=((48, 48),), repeats=1, jobs=1))


def test_pictures_are_a_function_of_the_seed():
    first = pictures(3, 20, 24, seed=5)
    assert first.dtype == np.uint8
    assert first.shape == (3, 20, 24)
    np.testing.assert_array_equal(first[:2], pictures(2, 20, 24, seed=5))
    assert not np.array_equal(first, pictures(3, 20, 24, seed=6))
    assert first.std() > 20


def test_surroundings_name_what_a_timing_depends_on():
    found = surroundings()
    assert found.cores >= 1
    assert set(found.versions) == {"numpy", "scipy", "scikit-image", "joblib"}
    assert found.versions["numpy"] == np.__version__
