"""`prune-bp --until-worse`: a size per fold, from that fold's training rows alone."""

import csv
import json

import numpy as np
import pytest

from fercli.artifacts.store import Store

OPTIONS = ("--until-worse", "--inner-k", 3, "--hidden", 8, "--epochs", 6, "--retrain-epochs", 2, "--lr", 0.05)
FOLDS, ROWS = 4, 96


def write_sheet(path, held_out=()):
    """Three classes in four columns, 24 persons; rows of `held_out` are changed beyond recognition."""
    drawn = np.random.default_rng(5)
    names = ("calm", "glad", "sore")
    lines = ["id,label,group,a.1,a.2,a.3,a.4"]
    for row in range(ROWS):
        label = row % 3
        values = drawn.standard_normal(4)
        values[label] += 1.5
        if row in held_out:
            values, label = values * 1000, (label + 1) % 3
        lines.append(",".join([f"row{row}", names[label], f"person{row % 24}", *(f"{value:.6f}" for value in values)]))
    path.write_text("\n".join(lines) + "\n")
    return path


def lines_of(path):
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.fixture
def pruned(tmp_path, fer):
    """Run on the sheet, with standing folds; gives back the run and the answer."""

    def run(name, held_out=(), *options):
        sheet = write_sheet(tmp_path / "sheet.csv", held_out)
        assert fer("import-features", sheet, "--force").code == 0
        if not (tmp_path / "ws" / "folds").exists():
            assert fer("make-folds", "--k", FOLDS, "--name", "standing").code == 0
        answer = fer("prune-bp", *OPTIONS, "--folds", "standing", "--name", name, "--json", *options)
        assert answer.code == 0, answer.err
        return Store(tmp_path / "ws").open("run", name), json.loads(answer.out)

    return run


def fitted(run, fold=0):
    """What was decided and fitted for one fold."""
    files = {name: run.file(name).read_bytes() for name in run.manifest.files if name.startswith(f"folds/0/{fold:02d}")}
    sizes = [line for line in lines_of(run.file("sizes.csv")) if line["fold"] == str(fold)]
    return {**files, "sizes.csv": sizes}


def test_every_fold_has_the_size_that_its_inner_folds_chose(pruned):
    run, answer = pruned("until")
    sizes = lines_of(run.file("sizes.csv"))
    assert [int(line["units"]) for line in sizes] == list(range(8, 0, -1)) * FOLDS
    receipts = lines_of(run.file("receipts.csv"))
    widths = []
    for fold in range(FOLDS):
        own = [line for line in sizes if line["fold"] == str(fold)]
        chosen = [int(line["units"]) for line in own if line["chosen"] == "1"]
        best = next(line for line in own if line["best"] == "1")
        assert len(chosen) == 1
        assert float(best["log_loss"]) == min(float(line["log_loss"]) for line in own)
        limit = float(best["log_loss"]) + float(best["standard_error"])
        assert chosen == [min(int(line["units"]) for line in own if float(line["log_loss"]) <= limit)]
        widths.append(8 - sum(line["fold"] == str(fold) for line in receipts))
        assert widths[-1] <= chosen[0]
    assert answer["hidden_after"] == {"mean": np.mean(widths), "min": min(widths), "max": max(widths)}
    assert answer["hidden_after"]["mean"] < 8
    assert answer["removed"]["least-missed"] == sum(line["criterion"] == "least-missed" for line in receipts) > 0
    assert run.has("model/model.json")


def test_nothing_decided_for_a_fold_depends_on_the_rows_that_it_holds_out(pruned):
    before, _ = pruned("before", (), "--no-final-model")
    held_out = np.flatnonzero(before.array("folds/0/00/rows.npy") == 3).tolist()
    after, _ = pruned("after", held_out, "--no-final-model")
    assert fitted(before) == fitted(after)
    # The rows did change, and other folds, which train on them, with them.
    assert fitted(before, 1) != fitted(after, 1)


def test_a_size_chosen_on_held_out_rows_is_caught(pruned, monkeypatch):
    """The planted fault: the rows that are scored also choose, as public code does it."""
    from dataclasses import replace

    from fercli.workflow import bp_sizes

    true_folds = bp_sizes.inner_folds
    monkeypatch.setattr(
        bp_sizes,
        "inner_folds",
        lambda outer, *rest, **options: tuple(
            replace(fold, test=outer.test) for fold in true_folds(outer, *rest, **options)
        ),
    )
    before, _ = pruned("before", (), "--no-final-model")
    held_out = np.flatnonzero(before.array("folds/0/00/rows.npy") == 3).tolist()
    after, _ = pruned("after", held_out, "--no-final-model")
    assert fitted(before)["sizes.csv"] != fitted(after)["sizes.csv"]


def test_groups_stay_whole_unless_the_folds_cut_them(pruned, fer, monkeypatch):
    from fercli.workflow import bp_sizes

    seen = []
    true_folds = bp_sizes.inner_folds
    monkeypatch.setattr(
        bp_sizes,
        "inner_folds",
        lambda outer, labels, groups, *rest, **options: (
            seen.append(len(np.unique(groups))) or true_folds(outer, labels, groups, *rest, **options)
        ),
    )
    pruned("whole", (), "--no-final-model")
    assert set(seen) == {24}
    seen.clear()
    answer = fer("prune-bp", *OPTIONS, "--scheme", "stratified", "--allow-group-leak", "--k", 4, "--no-final-model")
    assert answer.code == 0, answer.err
    assert set(seen) == {ROWS}


def test_a_choice_among_sizes_without_skill_is_warned_of(pruned):
    from fercli.bp.sizes import choose_size
    from fercli.workflow.bp_sizes import without_skill

    good, bad = (choose_size(np.array([[low, low + 0.1], [low, low + 0.2]])) for low in (1.0, 1.1))
    assert without_skill([good, good], 3) is None
    assert without_skill([good, bad, bad], 3) == (
        "--until-worse: in 2 of 3 folds no size has a lower inner log loss than equal probabilities for all classes "
        "(1.099); the sizes chosen there say nothing about what is needed"
    )
    _, answer = pruned("wild", range(0, ROWS, 2), "--no-final-model", "--lr", 5)
    assert any("no size has a lower inner log loss" in warning for warning in answer["warnings"])
