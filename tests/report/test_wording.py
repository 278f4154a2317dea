"""Plain words: what a verdict may and may not say."""

from fercli.report.tables import models_sheet
from fercli.report.wording import caveats, division_words, leak_lines, protocol_words, ranked, verdict


def with_interval(run, lower, upper):
    interval = {"lower": lower, "upper": upper, "level": 0.95, "method": "wilson"}
    return {**run.metrics, "accuracy": (lower + upper) / 2, "intervals": {"accuracy": interval}}


def test_a_model_above_majority_and_chance_is_said_to_be(made_run):
    first, second = verdict([with_interval(made_run("net"), 0.28, 0.36)])
    assert first == "net is right on 32.0 % of 672 held-out rows (95 % interval 28.0–36.0)."
    assert second.endswith("gives 15.0 %, chance 14.3 %: the whole interval lies above both.")


def test_a_model_that_cannot_be_told_from_the_majority_is_not_praised(made_run):
    _, second = verdict([with_interval(made_run("net"), 0.12, 0.2)])
    assert "cannot be told from the majority class" in second


def test_a_model_below_chance_is_suspected(made_run):
    _, second = verdict([with_interval(made_run("net"), 0.05, 0.1)])
    assert "below chance" in second


def test_where_the_majority_lies_below_chance_the_bar_is_chance(made_run):
    run = made_run("net", majority={"accuracy": {"mean": 0.04, "sd": 0.0, "pooled": 0.04}})
    _, second = verdict([with_interval(run, 0.12, 0.2)])
    assert second.endswith("gives 4.0 %, chance 14.3 %: with these rows it cannot be told from chance.")


def test_overlapping_rivals_are_named_and_separate_ones_are_not(made_run):
    runs = [
        with_interval(made_run("net"), 0.3, 0.4),
        with_interval(made_run("close"), 0.25, 0.35),
        with_interval(made_run("far"), 0.1, 0.2),
    ]
    lines = verdict(runs)
    assert lines[0].startswith("Of 3 models, net is right")
    assert "The interval of close overlaps with it" in lines[2]
    assert "far" not in " ".join(lines)


def test_only_runs_of_one_protocol_stand_side_by_side_and_the_best_is_first(made_run):
    weak, strong = made_run("weak", 0.2).metrics, made_run("strong", 0.6).metrics
    other = made_run("other", 0.9).metrics
    other["protocol"]["scheme"] = "contiguous"
    elsewhere = {**made_run("elsewhere", 0.9).metrics, "on": "fer2013"}
    sets = [[run["name"] for run in members] for members in ranked([weak, other, strong, elsewhere])]
    assert sets[0] == ["strong", "weak"]
    assert sorted(map(tuple, sets[1:])) == [("elsewhere",), ("other",)]


def test_protocols_in_one_line(made_run):
    metrics = made_run().metrics
    assert protocol_words(metrics) == "5 grouped folds; 37 groups; copies share a fold; seed 0"
    official = {**metrics, "split": "validation", "protocol": {**metrics["protocol"], "scheme": "official"}}
    assert protocol_words(official) == "official split: fitted on train, scored on validation; 37 groups; seed 0"


def test_pooled_splits_are_said_and_stand_apart(made_run):
    """The same folds of the training rows and of all rows are two protocols, with another heading each."""
    apart, pooled = made_run("kf").metrics, made_run("kp").metrics
    pooled["protocol"]["pooled"] = True
    assert protocol_words(pooled) == (
        "5 grouped folds; validation and test rows pooled with the training rows; 37 groups; copies share a fold; "
        "seed 0"
    )
    assert len(ranked([apart, pooled])) == 2
    assert division_words([apart]) == "5 grouped folds"
    assert division_words([pooled]) == "5 grouped folds of all splits pooled"
    assert models_sheet([pooled]).title == "Held-out scores on sfew-sheet (folds, all splits pooled)"
    apart["protocol"]["pooled"] = False
    older = made_run("older").metrics
    assert len(ranked([apart, older])) == 1, "runs of before the key have pooled nothing"


def test_a_leak_is_said_once_and_names_who_has_it_unless_all_do():
    holders = {"a": ["films cut", "sheet", "sheet"], "b": ["sheet", "films cut"], "c": ["sheet", "in file order"]}
    assert leak_lines(holders) == ["leak: sheet", "leak in a and b: films cut", "leak in c: in file order"]
    assert leak_lines({"a": [], "b": []}) == []


def test_leaks_and_copies_are_caveats(made_run):
    metrics = made_run(copies_in_training=1, without_copies={"accuracy": 0.3, "macro_f1": None}).metrics
    leaky = {**metrics, "protocol": {**metrics["protocol"], "leaks": ["films on both sides"]}}
    assert caveats(leaky) == [
        "films on both sides",
        "1 held-out row has an equal copy among the training rows; without them accuracy is 30.0 % and macro-F1 – %",
    ]
