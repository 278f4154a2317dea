"""An audit of pictures with planted faults, and of pictures without."""

from dataclasses import replace

import numpy as np
import pytest

from fercli.config.audit import IMAGE_GATES, AuditConfig, check_gates
from fercli.datasets.audit import audit_images
from fercli.datasets.content import pixel_content
from fercli.errors import UsageError
from fercli.records import Samples
from fercli.seeds import generator

COUNT = 120


def pictures():
    """Smooth random pictures, each with contents of its own."""
    noise = generator(7, "audit").normal(size=(COUNT, 6, 6)).repeat(5, 1).repeat(5, 2)
    return np.clip(128 + 40 * noise, 0, 255).astype(np.uint8)


def samples_of(images, *, content=True):
    names = np.array([f"p{row:03d}" for row in range(len(images))])
    side = np.full(len(images), 30)
    return Samples(
        ids=names,
        labels=np.array(["happy", "sad"])[np.arange(len(images)) % 2],
        splits=np.where(np.arange(len(images)) < 60, "train", "validation"),
        groups=np.full(len(images), ""),
        sources=names,
        widths=side,
        heights=side,
        classes=("happy", "sad"),
        extra={"content": np.array([pixel_content(image) for image in images])} if content else {},
    )


def planted():
    images = pictures()
    rng = generator(8, "planted")
    images[10] = images[2]  # within train, one label
    images[71] = images[3]  # across, one label
    images[80] = images[5]  # across, two labels
    images[90] = np.clip(images[2] + rng.integers(-4, 5, (30, 30)), 0, 255)  # near rows 2 and 10
    images[14] = images[15] // 2 + 40  # row 15 in other light
    images[20:24] = np.array([0, 0, 77, 255])[:, None, None]  # blank, two of them equal
    images[30] = 100 + (np.arange(30) % 7)[None]  # nearly constant
    return images


@pytest.mark.parametrize("content", [True, False])
def test_every_planted_fault_is_found_and_nothing_else(content):
    images = planted()
    told = []
    audit = audit_images(images, samples_of(images, content=content), AuditConfig.of(), told.append)
    assert [rows.tolist() for rows in audit.exact.members] == [[2, 10], [3, 71], [5, 80], [20, 21]]
    assert audit.exact.cross_split.tolist() == [False, True, True, False]
    assert audit.exact.conflicting.tolist() == [False, False, True, True]
    assert [rows.tolist() for rows in audit.near.members] == [[2, 10, 90], [14, 15]]
    assert audit.near.counts() == {"groups": 2, "images": 5, "cross_split": 1, "conflicting": 1}
    assert audit.blank.tolist() == [20, 21, 22, 23]
    assert audit.faint.tolist() == [30]
    np.testing.assert_allclose(audit.spread, images.std(axis=(1, 2)), rtol=1e-5, atol=1e-4)
    assert (audit.crowded, sum(told)) == (0, COUNT)


def test_clean_pictures_have_no_findings():
    audit = audit_images(pictures(), samples_of(pictures()), AuditConfig.of())
    assert audit.exact.groups == audit.near.groups == len(audit.blank) == len(audit.faint) == 0


def test_blank_pictures_of_many_values_are_no_near_copies():
    images = np.concatenate([pictures(), np.arange(250, dtype=np.uint8)[:, None, None].repeat(30, 1).repeat(30, 2)])
    audit = audit_images(images, samples_of(images), AuditConfig.of())
    assert (len(audit.blank), audit.near.groups) == (250, 0)


def test_a_lying_digest_is_not_believed():
    images = planted()
    samples = samples_of(images)
    samples = replace(samples, extra={"content": np.full(COUNT, "0123456789abcdef")})
    assert audit_images(images, samples, AuditConfig.of()).exact.groups == 4


def test_a_memory_map_in_small_chunks_and_colour_give_the_same(tmp_path, monkeypatch):
    images = planted()
    samples = samples_of(images)
    whole = audit_images(images, samples, AuditConfig.of())
    np.save(tmp_path / "images.npy", images[..., None].repeat(3, axis=3))
    monkeypatch.setattr("fercli.datasets.audit._CHUNK_BYTES", 50_000)
    monkeypatch.setattr("fercli.datasets.mapped_rows._SCATTERED", 3)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    parts = audit_images(mapped, samples, AuditConfig.of())
    for name in ("exact", "near"):
        left, right = (getattr(audit, name).members for audit in (whole, parts))
        assert [rows.tolist() for rows in left] == [rows.tolist() for rows in right]
    np.testing.assert_allclose(whole.spread, parts.spread, atol=1e-3)


def test_the_threshold_decides():
    images = planted()
    config = AuditConfig.of(near_threshold=0.02)
    assert [rows.tolist() for rows in audit_images(images, samples_of(images), config).near.members] == [[14, 15]]


def test_gates_are_checked_by_name():
    check_gates(("blank", "unreadable"), IMAGE_GATES, of="pictures")
    with pytest.raises(UsageError, match="nothing to fail on is called 'blnak'") as failure:
        check_gates(("blank", "blnak"), IMAGE_GATES, of="pictures")
    assert failure.value.next_step == (
        "choose from cross-split-duplicates, conflicting-labels, near-duplicates, unreadable, blank"
    )
