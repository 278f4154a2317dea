"""Extraction: blocks known before work, the same bytes whatever the chunks, jobs or cluster, flat memory."""

import tracemalloc

import numpy as np
import pytest

from fercli.benchmarks.descriptors import pictures
from fercli.config.descriptors import PRESETS, DescriptorConfig
from fercli.descriptors import extraction
from fercli.descriptors.hog import hog_batch
from fercli.descriptors.lbp import lbp_batch
from fercli.descriptors.lpq import lpq_batch
from fercli.descriptors.phog import phog_batch
from fercli.errors import EnvironmentFailure, InputError, UsageError

ALL = DescriptorConfig(descriptors=("lpq", "hog", "phog", "lbp"), lpq_windows=(3, 7), lpq_grid=(2, 3))


@pytest.fixture
def stored(tmp_path):
    np.save(tmp_path / "images.npy", pictures(23, 24, 28))
    return np.load(tmp_path / "images.npy", mmap_mode="r")


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(extraction, "CHUNK_IMAGES", 5)


def test_columns_stand_in_the_named_blocks():
    images = pictures(3, 24, 28)
    features = extraction.extract(images, ALL)
    blocks = extraction.blocks(ALL, (24, 28))
    expected = {
        "lpq3": lpq_batch(images, window=3, grid=(2, 3)),
        "lpq7": lpq_batch(images, window=7, grid=(2, 3)),
        "hog": hog_batch(images),
        "phog": phog_batch(images),
        "lbp": lbp_batch(images),
    }
    assert [block.name for block in blocks] == list(expected)
    assert features.dtype == np.float32
    assert [block.start for block in blocks] == [0, *(block.stop for block in blocks[:-1])]
    for block in blocks:
        np.testing.assert_array_equal(features[:, block.start : block.stop], expected[block.name].astype(np.float32))


def test_one_window_is_plainly_named():
    assert [b.name for b in extraction.blocks(DescriptorConfig(), (48, 48))] == ["phog", "lpq"]


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_every_preset_extracts(preset):
    config = DescriptorConfig.preset(preset)
    images = pictures(2, 48, 48)
    assert extraction.extract(images, config).shape == (2, extraction.blocks(config, (48, 48))[-1].stop)


def test_options_reach_the_descriptors():
    images = pictures(2, 32, 32)
    base = extraction.extract(images, DescriptorConfig(descriptors=("phog", "lpq")))
    for values in (
        {"phog_angle": 180},
        {"phog_canny": "matlab-2010"},
        {"lpq_frequency": "gaussian"},
        {"lpq_decorrelate": False},
        {"lpq_windows": (9,)},
    ):
        changed = extraction.extract(images, DescriptorConfig(descriptors=("phog", "lpq"), **values))
        assert changed.shape == base.shape
        assert not np.array_equal(changed, base), values


def test_colour_pictures_are_described_in_gray():
    colour = np.repeat(pictures(2, 24, 24)[..., None], 3, axis=3)
    config = DescriptorConfig()
    np.testing.assert_array_equal(extraction.extract(colour, config), extraction.extract(colour[..., 0], config))
    assert extraction.blocks(config, (24, 24, 3)) == extraction.blocks(config, (24, 24))


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_same_bytes_whatever_the_chunks_and_jobs(stored, small_chunks, jobs):
    whole = extraction.extract(stored, ALL)
    parts = list(extraction.extract_chunks(stored, ALL, jobs=jobs))
    assert [part for part, _ in parts] == [slice(i, min(i + 5, 23)) for i in range(0, 23, 5)]
    assert np.concatenate([rows for _, rows in parts]).tobytes() == whole.tobytes()


def test_a_caller_may_go_on_where_it_was_killed(stored, small_chunks):
    rest = list(extraction.extract_chunks(stored, ALL, skip=3))
    assert [part.start for part, _ in rest] == [15, 20]
    assert rest[0][1].tobytes() == extraction.extract(stored[15:20], ALL).tobytes()


def test_a_caller_may_stop_early_in_silence(stored, small_chunks):
    parts = extraction.extract_chunks(stored, ALL, jobs=2)
    next(parts)
    parts.close()


def test_no_round_begins_before_the_last_one_was_taken(small_chunks, monkeypatch):
    class Watched(np.ndarray):
        taken = 0

        def __getitem__(self, item):
            Watched.taken += isinstance(item, slice)
            return np.asarray(super().__getitem__(item))

    monkeypatch.setattr(extraction, "ROUND_BYTES", 1)
    images = np.tile(pictures(1, 24, 28), (200, 1, 1)).view(Watched)
    whole = extraction.extract(np.asarray(images[:1]), ALL)
    Watched.taken = 0
    for index, (_, rows) in enumerate(extraction.extract_chunks(images, ALL, jobs=2)):
        assert Watched.taken <= 4 * (index // 4 + 1)
        assert (rows == whole).all()
    assert index == 39


def test_a_dask_cluster_gives_the_same_bytes(stored, small_chunks):
    from distributed import LocalCluster

    whole = extraction.extract(stored, ALL)
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as cluster:
        parts = list(
            extraction.extract_chunks(stored, ALL, jobs=2, backend="dask", scheduler=cluster.scheduler_address)
        )
    assert np.concatenate([rows for _, rows in parts]).tobytes() == whole.tobytes()


def test_no_cluster_is_the_machines_fault(stored):
    with pytest.raises(EnvironmentFailure, match="no Dask cluster to work on") as error:
        next(extraction.extract_chunks(stored, ALL, backend="dask"))
    assert "scheduler" in error.value.next_step


def test_what_does_not_fit_is_refused_before_any_work(stored):
    with pytest.raises(InputError, match="5 PHOG levels do not fit 24x28"):
        extraction.blocks(DescriptorConfig(phog_levels=5), (24, 28))
    with pytest.raises(InputError, match="smaller than an LPQ window of 25"):
        next(extraction.extract_chunks(stored, DescriptorConfig(lpq_windows=(3, 25)), jobs=2))


def test_chunks_cover_every_picture_once_and_shrink_with_the_size():
    for count, shape in ((0, (48, 48)), (1, (48, 48)), (5000, (48, 48)), (7, (2000, 3000))):
        slices = extraction.chunks(count, shape)
        assert [i for part in slices for i in range(count)[part]] == list(range(count))
        assert all(part.stop - part.start <= 256 for part in slices)
    assert extraction.chunks(3, (2000, 3000)) == (slice(0, 1), slice(1, 2), slice(2, 3))


def test_memory_does_not_grow_with_the_number_of_pictures(tmp_path, monkeypatch):
    monkeypatch.setattr(extraction, "CHUNK_IMAGES", 32)
    image = pictures(32, 32, 32)
    peaks = []
    for times in (2, 8):
        np.save(tmp_path / "images.npy", np.tile(image, (times, 1, 1)))
        images = np.load(tmp_path / "images.npy", mmap_mode="r")
        tracemalloc.start()
        for _ in extraction.extract_chunks(images, DescriptorConfig()):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]


def test_an_unknown_descriptor_is_refused_with_the_list():
    with pytest.raises(UsageError, match="there is no descriptor 'sift'") as refused:
        extraction.blocks(DescriptorConfig(descriptors=("phog", "sift")), (48, 48))
    assert refused.value.next_step == "take some of phog, lpq, hog, lbp"
