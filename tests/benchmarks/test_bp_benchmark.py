from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from fercli.benchmarks import bp, bp_reference
from fercli.bp.chunk import Rule


def test_timings_come_after_agreement_with_both_references():
    found = list(bp.benchmark(networks=2, hidden=(8,), batches=(64,), epochs=1, repeats=1))
    assert [timing.implementation for timing in found] == ["ours", "pytorch", "scikit-learn"]
    assert found[0].agreement is None
    assert found[0].speedup == 1
    for timing in found[1:]:
        assert 0 < timing.agreement < 1e-4
        assert timing.speedup == pytest.approx(timing.seconds / found[0].seconds)


def test_our_products_have_one_thread_as_in_the_commands_and_the_others_all(monkeypatch):
    found = {"ours": set(), "theirs": set()}

    def noted(name, way):
        def run(*given):
            if given[3] == 7:  # timed, not checked
                found[name] |= {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}
            return way(*given)

        return run

    monkeypatch.setattr(bp, "_ours", noted("ours", bp._ours))
    monkeypatch.setattr(bp, "_torch", noted("theirs", bp._torch))
    list(bp.benchmark(networks=2, hidden=(8,), batches=(64,), threads=(2,), epochs=7, repeats=1))
    assert found == {"ours": {1}, "theirs": {2}}


def test_a_different_result_is_not_timed(monkeypatch):
    honest = bp_reference.torch_loop

    def other(stack, rows, rule, epochs):
        return honest(stack, rows, replace(rule, rate=0.02), epochs)

    monkeypatch.setattr(bp_reference, "torch_loop", other)
    with pytest.raises(ArithmeticError, match="our outputs and those of the PyTorch loop differ by"):
        next(bp.benchmark(networks=1, hidden=(4,), batches=(64,), epochs=1, repeats=1))


def test_orders_are_those_of_training():
    rows = bp.fold_rows(1)[0]
    rule = Rule("bce", "adam", 0.01, 0.9, 0.0, 32, 3)
    first, second = bp_reference.orders(rows, rule, 2)
    assert sorted(first.tolist()) == list(range(bp.ROWS))
    assert not np.array_equal(first, second)
