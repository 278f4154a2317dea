"""Xu's tables beside ours: the papers' own figures, labels one class off, the page."""

import pytest

from fercli.report.published import DHALL, XU_BP
from fercli.report.reproduced_xu import (
    SMOKE,
    ProtocolRuns,
    accuracy_sheet,
    class_sheet,
    label_offset,
    lead,
    offset_sheet,
    readings_sheet,
)
from fercli.report.reproduction import Part, Reproduction, reproduction_page


@pytest.fixture
def protocols(made_run):
    part = {"train": {"accuracy": {"mean": 0.4}}, "accuracy": 0.2, "macro_f1": 0.19, "log_loss": 2.0}
    pruned = made_run(hidden_before=64, hidden_after={"mean": 61.5}, before=part, control={**part, "accuracy": 0.21})
    return [ProtocolRuns("films", "whole films", pruned.metrics, [made_run("xu-films.model-lda").metrics])]


def test_labels_one_class_off_are_counted_cyclically():
    confusion = [[5, 2, 1], [0, 5, 3], [4, 0, 5]]
    assert label_offset(confusion, 0) == 15 / 25
    assert label_offset(confusion, 1) == (2 + 3 + 4) / 25
    assert label_offset(confusion, -1) == (1 + 0 + 0) / 25


def test_the_papers_stand_beside_ours_as_they_printed(protocols):
    rows = {(row[0], row[1]): row for row in accuracy_sheet(protocols).rows}
    assert rows["Xu", "20 folds, not said which"][3:5] == (0.4136, 0.1162)
    assert rows["Dhall 2011", "SPI, 2 sets of persons"][4] == 0.19
    assert rows["BP before pruning", "whole films"][2:5] == (64.0, 0.4, 0.2)
    assert rows["BP pruned", "whole films"][2] == 61.5
    assert rows["BP not pruned, same epochs", "whole films"][4] == 0.21
    assert ("lda", "whole films") in rows
    run = protocols[0].pruned
    table = {row[:2]: row[2:] for row in class_sheet(protocols, run["classes"]).rows}
    assert table["recall", "happy"] == (0.29, 0.29, run["per_class"]["happy"]["recall"])
    assert table["specificity", "angry"] == (0.84, 0.48, 0.9)
    assert len(table) == 21
    assert "cannot follow from the recalls" in " ".join(class_sheet(protocols, run["classes"]).notes)
    foreign = {**run, "per_class": {"calm": {"precision": 0.5, "recall": 0.5, "specificity": 0.5}}}
    other = [ProtocolRuns("films", "whole films", foreign)]
    assert class_sheet(other, ["calm"]).rows[0] == ("precision", "calm", None, None, 0.5)


def test_leaks_and_copies_stand_under_every_table_by_protocol(protocols, made_run):
    """What all protocols share is said once, what one has names it, and copies come with the score without them."""
    components, cut = (
        "the components were fitted on all rows",
        "groups with rows both in training and held out: 46 of 57",
    )
    films = protocols[0]
    random = made_run(**{key: films.pruned[key] for key in ("hidden_before", "hidden_after", "before", "control")})
    random.metrics["protocol"]["leaks"] += [cut, components]
    random.metrics.update(copies_in_training=2, without_copies={"accuracy": 0.25, "macro_f1": 0.2})
    films.pruned["protocol"]["leaks"].append(components)
    films.baselines[0]["protocol"]["leaks"].append(components)
    both = [films, ProtocolRuns("random", "random folds", random.metrics)]
    for sheet in (accuracy_sheet(both), class_sheet(both, random.metrics["classes"]), offset_sheet(both)):
        assert sheet.notes[-3:] == (
            f"leak: {components}",
            f"leak in random folds: {cut}",
            "BP pruned, random folds: 2 held-out rows have equal copies among the training rows; without them accuracy "
            "is 25.0 % and macro-F1 20.0 %",
        )
        page = reproduction_page(Reproduction("xu", "Xu", ("lead",), (Part("one", (sheet,)),)), runs=["a"], version="9")
        assert f"leak in random folds: {cut}" in page
    films.baselines[0]["protocol"]["leaks"].append("of a yardstick alone")
    assert both[0].leaks == (components, "of a yardstick alone")


def test_dhalls_specificities_do_not_follow_from_recalls_and_precisions():
    """What the note claims: with 100 rows a class, false positives follow from recall and precision."""
    for name, recall in DHALL.recall.items():
        false_positives = 100 * recall / DHALL.precision[name] - 100 * recall
        assert 0.82 < 1 - false_positives / 600 < 0.90
        assert DHALL.specificity[name] < 0.67
    assert sum(XU_BP.recall.values()) / 7 == pytest.approx(0.11, abs=0.001)


def test_the_page_shows_the_warning_first_and_needs_no_network(protocols):
    parts = (Part("Accuracy", (accuracy_sheet(protocols), offset_sheet(protocols))), Part("Open", (readings_sheet(),)))
    made = Reproduction("xu", "Xu <again>", tuple(lead(protocols)), parts, SMOKE)
    page = reproduction_page(made, runs=["a", "b"], version="9")
    warning = page.index("NOT THE PAPER&#x27;S PROTOCOL")
    assert warning < page.index("Xu prints 11.62")
    assert "Xu &lt;again&gt;" in page
    assert "http" not in page.replace("http://www.w3.org", "")
    assert "NOT THE PAPER" not in reproduction_page(Reproduction("xu", "Xu", made.lead, parts), runs=["a"], version="9")
    assert [sheet.name for sheet in made.sheets] == ["accuracies", "label_offset", "readings"]
