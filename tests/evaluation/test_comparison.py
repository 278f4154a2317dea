"""Two runs on shared rows: worked examples, refusals, false alarms and coverage by simulation."""

import numpy as np
import pytest
from scipy.stats import binomtest, permutation_test, ttest_1samp

from fercli.errors import InputError, UsageError
from fercli.evaluation.comparison import compare
from fercli.evaluation.pairing import Judged, share
from fercli.evaluation.significance import group_bootstrap_difference, group_sign_flip
from fercli.records import Predictions
from fercli.seeds import generator


def judged(name, right, *, groups=None, ids=None, folds=None, repeats=1, train_rows=80.0, truth=None):
    """A run that answers `right` (rows,) or (repeats, rows) of two classes rightly."""
    right = np.atleast_2d(np.asarray(right, dtype=bool))
    repeats, rows = right.shape
    ids = np.array([f"r{row:04d}" for row in range(rows)]) if ids is None else np.asarray(ids)
    folds = np.arange(rows) % 5 if folds is None else np.asarray(folds)
    truth = np.arange(rows) % 2 if truth is None else truth
    predicted = np.where(right, truth, 1 - truth).reshape(-1)
    predictions = Predictions(
        ids=np.tile(ids, repeats),
        repeats=np.repeat(np.arange(repeats), rows),
        folds=np.tile(folds, repeats),
        splits=np.full(rows * repeats, ""),
        truth=np.tile(truth, repeats),
        probabilities=np.eye(2)[predicted],
        classes=("happy", "sad"),
    )
    own = None if groups is None else np.tile(np.asarray(groups, dtype=str), repeats)
    return Judged(name, predictions, own, train_rows)


def test_a_worked_example_without_groups():
    # of 100 rows: 12 only the first right, 4 only the second, 50 both
    first = np.array([True] * 12 + [False] * 4 + [True] * 50 + [False] * 34)
    second = np.array([False] * 12 + [True] * 4 + [True] * 50 + [False] * 34)
    shared, (pair,) = compare([judged("a", first), judged("b", second)])
    assert (shared.rows, shared.grouped, shared.same_folds) == (100, False, True)
    assert pair.accuracies == (pytest.approx(0.62), pytest.approx(0.54))
    assert pair.difference == pytest.approx(0.08)
    assert (pair.mcnemar.only_first, pair.mcnemar.only_second) == (12, 4)
    assert pair.p == pytest.approx(binomtest(12, 16).pvalue)
    assert (pair.decided_by, pair.permutation) == ("McNemar", None)
    assert pair.cohens_g == pytest.approx(0.25)
    assert pair.verdict == "not distinguishable"
    # by hand: five folds of 20 rows, 80 trained on, so 1/5 becomes 1/5 + 20/80
    per_fold = np.array([np.mean(first[at::5] * 1.0 - second[at::5]) for at in range(5)])
    plain = ttest_1samp(per_fold, 0.0).statistic
    assert pair.folds.t == pytest.approx(plain * np.sqrt(0.2 / 0.45))
    assert pair.bootstrap.interval.method == "bootstrap over 100 rows"
    assert pair.bootstrap.interval.lower < 0.08 < pair.bootstrap.interval.upper


def test_with_groups_the_groups_decide_and_not_the_rows():
    # one film of 40 rows where the first is right alone: overwhelming over rows, nothing over films
    first = np.array([True] * 40 + [True, False] * 30)
    second = np.array([False] * 40 + [True, False] * 30)
    films = ["one"] * 40 + [f"film {row // 6}" for row in range(60)]
    _, (pair,) = compare([judged("a", first, groups=films), judged("b", second, groups=films)])
    assert pair.mcnemar.p < 1e-9
    assert pair.decided_by == "permutation over 11 groups"
    assert pair.p == 1.0
    assert pair.verdict == "not distinguishable"


def test_a_clear_difference_is_better_one_way_and_worse_the_other():
    first = np.arange(400) % 4 > 0
    second = np.arange(400) % 2 > 0
    films = [f"film {row // 10}" for row in range(400)]
    runs = [judged("a", first, groups=films), judged("b", second, groups=films)]
    _, (pair,) = compare(runs)
    assert (pair.first, pair.second, pair.verdict) == ("a", "b", "better")
    _, (turned,) = compare(runs, baseline="a")
    assert (turned.first, turned.second, turned.verdict) == ("b", "a", "worse")
    assert turned.difference == -pair.difference
    assert turned.p == pair.p


def test_holm_over_all_pairs_and_over_those_with_a_baseline():
    random = generator(0, "holm.pairs")
    runs = [judged(name, random.random(200) < share) for name, share in (("a", 0.7), ("b", 0.5), ("c", 0.6))]
    _, pairs = compare(runs)
    assert [(pair.first, pair.second) for pair in pairs] == [("a", "b"), ("a", "c"), ("b", "c")]
    smallest = min(pairs, key=lambda pair: pair.p)
    assert smallest.p_holm == pytest.approx(min(1.0, 3 * smallest.p))
    assert all(pair.pairs == 3 and pair.p_holm >= pair.p for pair in pairs)
    _, pairs = compare(runs, baseline="b")
    assert [(pair.first, pair.second) for pair in pairs] == [("a", "b"), ("c", "b")]


def test_non_inferiority_needs_the_whole_interval_above_the_margin():
    random = generator(0, "margin")
    right = random.random(2000) < 0.6
    other = np.where(random.random(2000) < 0.02, ~right, right)
    runs = [judged("new", other), judged("old", right)]
    _, (pair,) = compare(runs, margin=0.02)
    assert pair.non_inferior is True
    _, (pair,) = compare(runs, margin=0.0001)
    assert pair.non_inferior is False
    _, (pair,) = compare(runs)
    assert pair.non_inferior is None


def test_repeats_of_a_row_are_one_unit():
    random = generator(0, "repeats")
    first, second = random.random((3, 120)) < 0.6, random.random((3, 120)) < 0.5
    shared, (pair,) = compare([judged("a", first), judged("b", second)])
    assert (shared.rows, pair.rows, pair.units) == (120, 120, 120)
    assert pair.decided_by == "permutation over 120 rows"
    assert pair.mcnemar.only_first == int(np.sum(first[0] & ~second[0]))
    assert pair.difference == pytest.approx(np.mean(first) - np.mean(second))
    assert pair.folds.degrees == 14


def test_one_group_is_undecided_and_a_run_equals_itself():
    right = np.arange(20) % 3 > 0
    films = ["one"] * 20
    _, (pair,) = compare([judged("a", right, groups=films), judged("b", ~right, groups=films)])
    assert (pair.verdict, pair.p, pair.p_holm, pair.bootstrap) == ("undecided", None, None, None)
    _, (pair,) = compare([judged("a", right), judged("b", right)])
    assert (pair.verdict, pair.p, pair.difference, pair.cohens_g) == ("not distinguishable", 1.0, 0.0, None)


def test_unequal_rows_are_refused_with_counts_and_examples_unless_allowed():
    right = np.ones(10, dtype=bool)
    a = judged("a", right, ids=[f"x{row}" for row in range(10)])
    b = judged("b", right, ids=[f"x{row}" for row in range(4, 14)], truth=np.arange(4, 14) % 2)
    message = r"^a and b did not score the same rows: 4 only in a \(x0, x1, x2, …\); 4 only in b \(x10, x11, x12, …\)$"
    with pytest.raises(InputError, match=message) as caught:
        share([a, b])
    assert caught.value.next_step == (
        "compare them on the 6 rows that they share with --common-rows, or train both with the same --folds"
    )
    shared = share([a, b], common_rows=True)
    assert (shared.rows, shared.left_out) == (6, (4, 4))
    with pytest.raises(InputError, match=r"^a and b did not score the same rows: repeats: 1 in a, 2 in b$"):
        share([a, judged("b", [right, right], ids=a.predictions.ids)])
    with pytest.raises(InputError, match=r"^the runs share no scored row$"):
        share([a, judged("b", right, ids=[f"y{row}" for row in range(10)])], common_rows=True)


def test_other_folds_are_refused_unless_allowed_and_renumbered_folds_are_the_same():
    right = np.ones(10, dtype=bool)
    a = judged("a", right, folds=np.arange(10) % 5)
    same = judged("b", right, folds=(np.arange(10) + 2) % 5)
    assert share([a, same]).same_folds
    other = judged("c", right, folds=[0, 1, 2, 3, 4, 0, 1, 2, 4, 3])
    with pytest.raises(InputError, match=r"^a and c divide the rows otherwise: ") as caught:
        share([a, other])
    assert "--common-rows compares them all the same" in caught.value.next_step
    shared = share([a, other], common_rows=True)
    assert (shared.rows, shared.same_folds) == (10, False)
    _, (pair,) = compare([a, other], common_rows=True)
    assert pair.folds is None
    merged = judged("d", right, folds=np.minimum(np.arange(10) % 5, 3))
    with pytest.raises(InputError, match="divide the rows otherwise"):
        share([a, merged])
    with pytest.raises(InputError, match="divide the rows otherwise"):
        share([merged, a])


def test_other_truths_are_always_refused():
    right = np.ones(6, dtype=bool)
    a, b = judged("a", right), judged("b", right, truth=np.array([0, 1, 0, 1, 1, 1]))
    with pytest.raises(InputError, match=r"^a and b disagree about the truth of 1 of 6 rows$") as caught:
        share([a, b], common_rows=True)
    assert caught.value.where == "r0004: happy in a, sad in b"


def test_a_single_run_is_no_comparison():
    with pytest.raises(UsageError, match="at least two runs"):
        compare([judged("a", [True, False])])


def test_the_order_of_the_rows_does_not_matter():
    random = generator(0, "order")
    first, second = random.random(50) < 0.6, random.random(50) < 0.6
    order = random.permutation(50)
    ids = np.array([f"r{row:04d}" for row in range(50)])
    turned = judged(
        "b", second[order], ids=ids[order], folds=(np.arange(50) % 5)[order], truth=(np.arange(50) % 2)[order]
    )
    assert compare([judged("a", first), judged("b", second)])[1] == compare([judged("a", first), turned])[1]


def test_sign_flips_equal_the_paired_permutation_test_of_scipy():
    random = generator(0, "flip")
    sums = random.normal(0.4, 1.0, 9)
    answer = permutation_test(
        (sums, np.zeros(9)), lambda x, y, axis: np.sum(x - y, axis=axis), permutation_type="samples", n_resamples=np.inf
    )
    assert group_sign_flip(sums, np.arange(9), seed=0) == pytest.approx(answer.pvalue)
    drawn = group_sign_flip(np.tile(sums, 2), np.arange(18), seed=0)
    exact = permutation_test(
        (np.tile(sums, 2), np.zeros(18)),
        lambda x, y, axis: np.sum(x - y, axis=axis),
        permutation_type="samples",
        n_resamples=np.inf,
        vectorized=True,
        batch=20_000,
    )
    assert drawn == pytest.approx(exact.pvalue, abs=0.005)
    assert group_sign_flip(sums, np.zeros(9, dtype=int), seed=0) is None


def test_without_groups_sign_flips_are_mcnemars_test():
    differences = np.array([1.0] * 9 + [-1.0] * 3 + [0.0] * 20)
    p = group_sign_flip(differences, np.arange(32), seed=0, draws=99_999)
    assert p == pytest.approx(binomtest(9, 12).pvalue, abs=0.005)


FILMS = np.repeat(np.arange(57), np.maximum(1, (54 * 0.93 ** np.arange(57)).astype(int)))  # sizes as SFEW's films


def equal_pair(trial, groups):
    """Two models of equal accuracy of which each suits some films better."""
    random = generator(trial, "equal.pair")
    lean = 0.15 * random.standard_normal(57)[FILMS]
    rows = len(FILMS)
    own = None if groups is None else FILMS.astype(str)
    first = random.random(rows) < np.clip(0.3 + (lean if groups else 0), 0.02, 0.98)
    second = random.random(rows) < np.clip(0.3 - (lean if groups else 0), 0.02, 0.98)
    truth = random.integers(0, 2, rows)
    return [judged("a", first, groups=own, truth=truth), judged("b", second, groups=own, truth=truth)]


def false_alarms(trials, groups):
    found = [compare(equal_pair(trial, groups), seed=trial, draws=100)[1][0] for trial in trials]
    return float(np.mean([pair.verdict != "not distinguishable" for pair in found]))


@pytest.mark.parametrize("groups", [None, True])
def test_false_alarms_stay_near_five_in_a_hundred(groups):
    assert false_alarms(range(150), groups) <= 0.1


@pytest.mark.slow
@pytest.mark.parametrize("groups", [None, True])
def test_false_alarms_of_a_thousand_equal_pairs_are_3_to_7_percent(groups):
    assert 0.03 <= false_alarms(range(1000), groups) <= 0.07


def test_the_interval_of_the_difference_covers_the_truth():
    inside = 0
    for trial in range(300):
        random = generator(trial, "coverage")
        lean = 0.3 * random.standard_normal(57)[FILMS]
        differences = 0.1 + lean + random.standard_normal(len(FILMS))
        answer = group_bootstrap_difference(differences, FILMS, seed=trial, draws=300)
        inside += answer.interval.lower <= 0.1 <= answer.interval.upper
    assert 0.9 <= inside / 300 <= 0.98
