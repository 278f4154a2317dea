"""Feature tables: equal rows, values that are no number, rows that make a component."""

import numpy as np
import pytest

from fercli.config.audit import AuditConfig
from fercli.datasets.audit_features import audit_features
from fercli.records import Block, Samples
from fercli.seeds import generator


def rows(count):
    names = np.array([f"r{row}" for row in range(count)])
    nothing = np.zeros(count, dtype=np.int64)
    labels = np.array(["a", "b"])[np.arange(count) % 2]
    empty = np.full(count, "")
    return Samples(names, labels, empty, empty, names, nothing, nothing, ("a", "b"), {"content": empty})


def test_planted_faults_and_nothing_else():
    features = generator(0, "features").normal(size=(60, 4)).astype(np.float32)
    features[:, 3] = 0.1
    features[7] = features[4]
    features[9, 1] = np.nan
    features[10, 0] = np.inf
    features[20, 2] = 80
    told = []
    audit = audit_features(features, rows(60), [Block("lpq", 0, 4)], AuditConfig.of(), told.append)
    assert [part.tolist() for part in audit.exact.members] == [[4, 7]]
    assert audit.exact.conflicting.tolist() == [True]
    assert audit.not_finite.tolist() == [9, 10]
    (only,) = audit.dominating
    assert (only.row, only.component) == (20, "lpq.3")
    finite = np.delete(features[:, 2].astype(float), [9, 10])
    assert only.share == pytest.approx((80 - finite.mean()) ** 2 / ((finite - finite.mean()) ** 2).sum())
    assert sum(told) == 60


def test_the_share_decides_at_its_bound():
    features = np.array([[3.0], [-1.0], [-1.0], [-1.0]], dtype=np.float32)  # 9 of 12
    block = [Block("b", 0, 1, ("b.first",))]
    found = audit_features(features, rows(4), block, AuditConfig.of(dominant_share=0.75)).dominating
    assert [(entry.row, entry.component, entry.share) for entry in found] == [(0, "b.first", 0.75)]
    assert audit_features(features, rows(4), block, AuditConfig.of(dominant_share=0.76)).dominating == ()


def test_of_a_wide_block_the_principal_components_are_looked_at():
    features = generator(1, "wide").normal(size=(80, 40)).astype(np.float32)
    features[33] += 50 * np.sign(generator(2, "wide").normal(size=40)).astype(np.float32)
    (only,) = audit_features(features, rows(80), [Block("phog", 0, 40)], AuditConfig.of()).dominating
    assert (only.row, only.component) == (33, "phog.pc1")
    assert only.share > 0.9


def test_two_rows_dominate_nothing():
    features = np.array([[1.0], [5.0]], dtype=np.float32)
    assert audit_features(features, rows(2), [Block("b", 0, 1)], AuditConfig.of()).dominating == ()
