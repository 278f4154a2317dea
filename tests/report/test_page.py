"""The page: self-contained, escaped, the same each time, the verdict first."""

import re
from collections import Counter
from html.parser import HTMLParser

import pytest

from fercli.report.page import build


class Outline(HTMLParser):
    """Tags that were opened and not closed, ids, and what would be fetched."""

    VOID = frozenset({"meta", "br", "wbr", "img", "path", "use", "rect", "line", "circle", "polyline"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.fetched: list[str] = []
        self.anchors: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)
        self._note(tag, dict(attrs))

    def handle_startendtag(self, tag, attrs):
        self._note(tag, dict(attrs))

    def _note(self, tag, values):
        if "id" in values:
            self.ids.append(values["id"])
        reference = values.get("src") or values.get("href") or values.get("xlink:href")
        if reference and reference.startswith("#"):
            self.anchors.append(reference[1:])
        elif reference:
            self.fetched.append(reference)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


def outline(html: str) -> Outline:
    parser = Outline()
    parser.feed(html)
    parser.close()
    return parser


def test_the_page_is_whole_and_fetches_nothing(made_run):
    page = build([made_run("net"), made_run("yardstick", 0.2, pruned=False)], title="two runs").html
    seen = outline(page)
    assert seen.open == []
    assert seen.fetched == []
    assert not re.search(r"@import|url\((?!#)", page)
    assert set(seen.anchors) <= set(seen.ids)
    assert [name for name, count in Counter(seen.ids).items() if count > 1] == []


def test_the_verdict_comes_before_every_table(made_run):
    page = build([made_run("weak", 0.2, pruned=False), made_run("strong", 0.6, pruned=False)], title="two runs").html
    assert page.index("Of 2 models, strong is right") < page.index("<table")


def test_what_comes_from_data_is_escaped(made_run):
    nasty = '<script>alert("x")</script>'
    run = made_run(pruned=False)
    run.metrics["protocol"]["leaks"].append(nasty)
    run.metrics["classes"][0] = nasty
    run.metrics["per_class"][nasty] = run.metrics["per_class"].pop("angry")
    run.provenance["Command"] = nasty
    page = build([run], title=nasty).html
    assert nasty not in page
    assert page.count("<script>") == 1  # our own, which sorts tables
    assert "&lt;script&gt;" in page


def test_the_same_runs_give_the_same_page_and_files(made_run):
    first, second = (build([made_run("net", folds=2)], title="one run", version="1.0") for _ in range(2))
    assert first == second


def test_every_figure_and_table_is_also_a_file_of_its_own(made_run):
    report = build([made_run("net"), made_run("yardstick", pruned=False)], title="two runs")
    stems = [entry.stem for entry in report.drawings]
    ours = ("confusion", "curves", "units", "removals", "reliability")
    assert {"models", *(f"net-{name}" for name in ours), "yardstick-confusion"} <= set(stems)
    assert "yardstick-units" not in stems
    assert len(set(stems)) == len(stems)
    names = [sheet.name for sheet in report.sheets]
    assert len(set(names)) == len(names)
    assert {"models", "net-classes", "net-folds", "net-confusion"} <= set(names)


def test_leaks_stand_above_the_runs_and_pruning_and_the_ledger_are_told(made_run):
    run = made_run()
    run.metrics["protocol"]["leaks"].append("films on both sides")
    page = build([run], title="one run", test_scorings=2).html
    assert "It has known leaks:" in page
    assert page.index("films on both sides") < page.index("<table")
    assert "Pruned from 64 hidden units to 60.4 on average (56 to 64)" in page
    assert "Test splits were scored 2 times" in page
    clean = build([made_run(pruned=False)], title="one run").html
    assert "No leak is known." in clean
    assert "known leaks:" not in clean
    assert "Pruned from" not in clean


def test_runs_of_different_schemes_are_not_ranked_together(made_run):
    other = made_run("other", pruned=False)
    other.metrics["protocol"]["scheme"] = "contiguous"
    page = build([made_run("net", pruned=False), other], title="two protocols").html
    assert "Of 2 models" not in page
    assert "net is right" in page
    assert "other is right" in page


def test_another_number_of_folds_stands_in_the_same_table_and_is_said(made_run):
    page = build([made_run("net", pruned=False), made_run("other", folds=10, pruned=False)], title="two").html
    assert "Of 2 models" in page
    assert "net: 5 grouped folds;" in page
    assert "other: 10 grouped folds;" in page


HOSTILE = """$\\x$<b onclick='x'>"a" & b) #1</b>"""  # the dollars first: figures shorten long names


def test_names_of_runs_and_classes_cannot_break_the_page_nor_a_figure(made_run):
    runs = [made_run(HOSTILE, folds=2), made_run("plain", pruned=False)]
    for run in runs:
        run.metrics["classes"][0] = HOSTILE
        run.metrics["per_class"][HOSTILE] = run.metrics["per_class"].pop("angry")
    report = build(runs, title="hostile")
    seen = outline(report.html)
    assert seen.open == []
    assert "<b onclick" not in report.html
    assert report.html.count("<script>") == 1
    assert set(seen.anchors) <= set(seen.ids)
    assert not [name for name in seen.ids if not re.fullmatch(r"[\w.-]+", name)]
    assert len(report.drawings) > 5


def test_many_runs_fold_away_but_for_the_best(made_run):
    runs = [made_run(f"run-{place}", 0.2 + place / 100, pruned=False, reliability=[]) for place in range(24)]
    report = build(runs, title="many")
    seen = outline(report.html)
    assert seen.open == []
    assert "Of 24 models, run-23 is right" in report.html
    assert report.html.count('class="run folding"') == 24
    assert report.html.count('class="run folding"><details open>') == 1
    assert {f"run-{place}" for place in range(1, 25)} <= set(seen.anchors) <= set(seen.ids)
    assert 'class="run folding"' not in build(runs[:3], title="few").html


def test_runs_with_other_classes_stand_in_other_sets(made_run):
    other = made_run("other", pruned=False)
    other.metrics["classes"][0] = "calm"
    other.metrics["per_class"]["calm"] = other.metrics["per_class"].pop("angry")
    page = build([made_run("net", pruned=False), other], title="two").html
    assert "The runs fall into 2 sets" in page
    assert "Of 2 models" not in page


def test_runs_on_features_of_one_data_set_are_ranked_with_those_on_its_pictures(made_run):
    net, yardstick = made_run("net", pruned=False, on="faces"), made_run("lda", pruned=False, on="phog")
    apart = build([net, yardstick], title="two").html
    assert "The runs fall into 2 sets" in apart
    for run in (net, yardstick):
        run.metrics["rows_of"] = "faces"
    assert "Of 2 models" in build([net, yardstick], title="two").html


def test_copies_are_told_once_with_every_score_without_them(made_run):
    runs = [made_run(name, pruned=False, copies_in_training=280) for name in ("net", "lda")]
    for run in runs:
        run.metrics["without_copies"] = {"accuracy": 0.25, "macro_f1": 0.2, "rows": 300}
    page = build(runs, title="copies").html
    told = "280 held-out rows have equal copies among the training rows; accuracy and macro-F1 without them: "
    verdict = page[: page.index("<table")]
    assert verdict.count("280 held-out rows") == 1
    assert told in verdict
    assert "net 25.0 and 20.0" in verdict


def test_a_report_without_runs_is_refused():
    with pytest.raises(ValueError, match="at least one run"):
        build([], title="nothing")
