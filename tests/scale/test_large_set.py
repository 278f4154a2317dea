"""The script that measures scale, on a set small enough for the tests: what it plants is what an audit finds."""

import json
from dataclasses import asdict

import large_set
import measure
import pytest


@pytest.mark.parametrize("form", large_set.FORMS)
def test_the_audit_finds_what_was_planted(fer, tmp_path, form):
    planted = large_set.write(tmp_path / "set.tar", 3000, 24, seed=0, form=form)
    assert (planted.images, planted.groups, planted.exact, planted.near) == (3000, 300, 2, 2)
    for step, line in measure.steps(tmp_path / "set.tar", jobs=1, scheduler=None).items():
        answer = fer(*line)
        assert answer.code == 0, answer.err
        if step == "audit":
            found = json.loads(answer.out)
    assert measure.found_what_was_planted(found, asdict(planted)) == []
    assert measure.found_what_was_planted(found, {**asdict(planted), "near": 3}) == ["near sets: 2 found, 3 planted"]


def test_a_set_is_a_function_of_its_seed(tmp_path):
    for name, seed in (("one", 0), ("same", 0), ("other", 1)):
        large_set.write(tmp_path / name, 1000, 8, seed=seed)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "same").read_bytes() != (tmp_path / "other").read_bytes()


def test_sizes_are_whole_blocks(tmp_path):
    with pytest.raises(SystemExit, match="multiple of 1,000"):
        large_set.write(tmp_path / "set.tar", 1500, 8, seed=0)


def test_reckoning_goes_on_along_the_line_through_the_two_largest_sets():
    costs = [
        measure.Cost("audit", images, 48, 0.0, 1 + images / 1e4, 50 + images / 2**20, 9.0, 0)
        for images in (1000, 20_000, 100_000)
    ]
    line = measure.reckoned(costs, 10_000_000).splitlines()[-1]
    assert line == "| audit | 48 | 100.0 | 1 | 0 | 0.28 | 0.1 | 0.0 |"
    assert measure.table(costs).splitlines()[-1].endswith("| 0.81 | 0.00 |")
