"""The verdict in words: is the next run worse for sure, how flattered is the best, which leaks are known."""

import pytest

from fercli.report.material import AgainstBest
from fercli.report.verdict import judged_verdict, leak_words


def against(
    other, verdict="not distinguishable", difference=0.004, p=0.61, pairs=1, interval=(-0.012, 0.02), partly=False
):
    return AgainstBest("best", other, 674, difference, *interval, 0.95, p, pairs, "permutation", verdict, partly=partly)


@pytest.fixture
def runs(made_run):
    return [made_run(name, pruned=False).metrics for name in ("best", "next", "third")]


def test_a_significant_difference_is_called_so_with_its_size(runs):
    lines = judged_verdict(runs[:2], {"next": against("next", "better", 0.06, 0.0002)})
    assert lines[-1] == (
        "It is significantly better than the next, next, on 674 rows "
        "(+6.0 points, 95 % interval −1.2 to +2.0, p < 0.001)."
    )


def test_a_difference_by_chance_is_called_so_and_others_as_near_are_named(runs):
    tests = {name: against(name, pairs=2) for name in ("next", "third")}
    following, others, flattered = judged_verdict(runs, tests)[-3:]
    assert following == (
        "The difference to the next, next, is not significant on 674 rows "
        "(+0.4 points, 95 % interval −1.2 to +2.0, p 0.610 after correction for 2 pairs)."
    )
    assert others == "Nor can it be told from third."
    assert flattered == "Its figure is flattered: it is the best of 3 on the rows that score it."


def test_a_later_rival_may_be_as_good_though_the_next_is_not(runs):
    lines = judged_verdict(runs, {"next": against("next", "better", 0.05, 0.01, 2), "third": against("third", pairs=2)})
    assert "It cannot be told from third." in lines


def test_where_one_run_has_more_repeats_only_the_shared_ones_speak(runs):
    lines = judged_verdict(runs[:2], {"next": against("next", "worse", -0.02, 0.03, partly=True)})
    assert lines[-1].startswith(
        "The next, next, is significantly better than it on 674 rows in the repeats that both have (−2.0 points"
    )


def test_a_single_group_cannot_be_judged(runs):
    lines = judged_verdict(runs[:2], {"next": against("next", "undecided", p=None)})
    assert lines[-1] == "The next, next, cannot be judged against it on 674 rows: they are a single group."


def test_runs_that_answer_alike_are_no_matter_of_significance(runs):
    lines = judged_verdict(runs[:2], {"next": against("next", difference=0.0, p=1.0, interval=(0.0, 0.0))})
    assert lines[-1] == "The next, next, is right on the very same rows."


def test_without_tests_overlapping_intervals_take_their_place(runs):
    assert "a paired test (fer compare) can tell more" in judged_verdict(runs, {})[-1]
    assert judged_verdict(runs[:1], {}) == judged_verdict(runs[:1], {"next": against("next")})


def test_how_many_runs_leak(runs):
    assert leak_words(runs) == "No leak is known."
    runs[1]["protocol"]["leaks"].append("films on both sides")
    assert leak_words(runs) == "next has known leaks:"
    assert leak_words(runs[1:2]) == "It has known leaks:"
    for run in (runs[0], runs[2]):
        run["protocol"]["leaks"].append("films on both sides")
    assert leak_words(runs) == "All have known leaks:"
