"""Paired tests against SciPy, worked examples, and their false alarms by simulation."""

import numpy as np
import pytest
from scipy.stats import binomtest, ttest_1samp

from fercli.evaluation.significance import (
    corrected_resampled_t,
    group_bootstrap_difference,
    holm,
    mcnemar_exact,
)
from fercli.seeds import generator


def test_mcnemar_equals_the_binomial_test_of_scipy():
    first = np.array([True] * 12 + [False] * 4 + [True] * 30)
    second = np.array([False] * 12 + [True] * 4 + [True] * 30)
    answer = mcnemar_exact(first, second)
    assert (answer.only_first, answer.only_second) == (12, 4)
    assert answer.p == pytest.approx(binomtest(12, 16).pvalue)


def test_mcnemar_of_equal_models_is_one():
    right = np.array([True, False])
    assert mcnemar_exact(right, right).p == 1.0
    assert mcnemar_exact(np.array([True, False]), np.array([False, True])).p == 1.0


def test_corrected_t_without_correction_is_the_t_test_of_scipy_and_with_it_is_smaller():
    differences = np.array([0.02, 0.03, -0.01, 0.05, 0.01])
    plain = ttest_1samp(differences, 0.0)
    uncorrected = corrected_resampled_t(differences, train_rows=1.0, test_rows=0.0)
    assert uncorrected is not None
    assert uncorrected.t == pytest.approx(plain.statistic)
    assert uncorrected.p == pytest.approx(plain.pvalue)
    corrected = corrected_resampled_t(differences, train_rows=80, test_rows=20)
    assert corrected is not None
    # by hand: 1/5 becomes 1/5 + 1/4
    assert corrected.t == pytest.approx(plain.statistic * np.sqrt(0.2 / 0.45))
    assert corrected.p > uncorrected.p


def test_corrected_t_of_differences_without_spread():
    assert corrected_resampled_t(np.zeros(3), 2, 1).p == 1.0
    assert corrected_resampled_t(np.full(3, 0.25), 2, 1).p == 0.0
    assert corrected_resampled_t(np.array([0.1]), 2, 1) is None


def test_group_bootstrap_sees_a_clear_difference_and_its_sign():
    random = generator(0, "difference")
    differences = random.normal(0.3, 1.0, 400)
    answer = group_bootstrap_difference(differences, np.arange(400) // 4, seed=0)
    assert answer is not None
    assert answer.difference == pytest.approx(differences.mean())
    assert 0 < answer.interval.lower < answer.difference < answer.interval.upper
    assert answer.p < 0.01
    mirrored = group_bootstrap_difference(-differences, np.arange(400) // 4, seed=0)
    assert mirrored is not None
    assert mirrored.p == answer.p
    assert group_bootstrap_difference(differences, np.zeros(400, dtype=int), seed=0) is None


def test_false_alarms_of_the_group_bootstrap_on_equal_models_are_about_five_in_a_hundred():
    alarms = 0
    for trial in range(300):
        random = generator(trial, "alarm")
        shared = np.repeat(random.normal(size=60), 5)  # rows of a group lean the same way
        differences = shared + random.normal(size=300)
        answer = group_bootstrap_difference(differences, np.arange(300) // 5, seed=trial, draws=300)
        assert answer is not None
        alarms += answer.p <= 0.05
    assert 0.02 <= alarms / 300 <= 0.09


def test_holm_on_a_worked_example():
    # four hypotheses: 0.01 x 4, 0.02 x 3, 0.03 x 2, 0.04 x 1, never below an earlier one
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []
