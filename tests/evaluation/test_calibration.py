"""Reliability, calibration error and risk-coverage on cases that can be worked out by hand."""

import numpy as np
import pytest

from fercli.evaluation.calibration import expected_calibration_error, reliability, risk_coverage


def two_class(confidence: list[float], right: list[bool]) -> tuple[np.ndarray, np.ndarray]:
    """Rows that answer class 0 with a given confidence and are right or wrong."""
    first = np.array(confidence)
    return np.stack([first, 1 - first], axis=1), np.where(right, 0, 1)


def test_each_row_lies_in_the_bin_of_its_confidence_and_the_upper_edge_belongs_to_it():
    probabilities, truth = two_class([0.55, 0.6, 0.61, 1.0], [True, False, True, True])
    bins = reliability(probabilities, truth, bins=5)
    assert [entry.rows for entry in bins] == [0, 0, 2, 1, 1]
    assert bins[2].confidence == pytest.approx(0.575)
    assert bins[2].accuracy == pytest.approx(0.5)
    exact, edge_truth = two_class([0.75], [True])
    assert [entry.rows for entry in reliability(exact, edge_truth, bins=4)] == [0, 0, 1, 0]
    assert bins[0].confidence is None
    assert bins[0].accuracy is None


def test_calibration_error_by_hand():
    # 0.6..0.8: two rows, confidence 0.7, one right; 0.8..1: two rows, confidence 0.9, both right
    probabilities, truth = two_class([0.7, 0.7, 0.9, 0.9], [True, False, True, True])
    assert expected_calibration_error(probabilities, truth, bins=5) == pytest.approx(0.5 * 0.2 + 0.5 * 0.1)


def test_a_sure_and_right_forecaster_has_no_calibration_error_and_no_risk():
    probabilities, truth = two_class([1.0, 1.0], [True, True])
    assert expected_calibration_error(probabilities, truth) == 0.0
    curve = risk_coverage(probabilities, truth)
    assert curve is not None
    assert curve.area == 0.0


def test_risk_coverage_by_hand():
    probabilities, truth = two_class([0.9, 0.8, 0.7, 0.6], [True, True, False, True])
    curve = risk_coverage(probabilities, truth)
    assert curve is not None
    assert curve.coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert curve.risk.tolist() == pytest.approx([0, 0, 1 / 3, 1 / 4])
    assert curve.area == pytest.approx((1 / 3 + 1 / 4) / 4)


def test_rows_of_equal_confidence_are_answered_together_whatever_their_order():
    probabilities, truth = two_class([0.9, 0.9, 0.6], [True, False, True])
    forward = risk_coverage(probabilities, truth)
    backward = risk_coverage(probabilities[::-1], truth[::-1])
    assert forward is not None
    assert backward is not None
    assert forward.coverage.tolist() == pytest.approx([2 / 3, 1.0])
    assert forward.area == pytest.approx(2 / 3 * 0.5 + 1 / 3 * 1 / 3)
    assert forward.risk.tolist() == backward.risk.tolist() == pytest.approx([0.5, 1 / 3])


def test_no_rows_have_neither():
    empty = np.zeros((0, 3)), np.zeros(0, dtype=np.int64)
    assert expected_calibration_error(*empty) is None
    assert risk_coverage(*empty) is None
