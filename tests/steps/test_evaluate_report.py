"""`fer evaluate` and `fer report` on made runs, from the command line to the files."""

import csv
import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fercli.artifacts.store import Store
from fercli.artifacts.tables import predictions_bytes, samples_bytes
from fercli.evaluation.metrics import score
from fercli.evaluation.summary import run_metrics
from fercli.records import EXPRESSIONS, Fold, FoldPlan, FoldProtocol, Predictions, Samples
from fercli.seeds import generator

ROWS, FOLDS, FILMS = 210, 3, 21
LOSSES = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")


def made_samples() -> Samples:
    labels = np.array(EXPRESSIONS)[np.arange(ROWS) % 7]
    ids = np.array([f"row_{index:03}" for index in range(ROWS)])
    return Samples(
        ids=ids,
        labels=labels,
        splits=np.full(ROWS, ""),
        groups=np.array([f"film_{index // (ROWS // FILMS)}" for index in range(ROWS)]),
        sources=ids,
        widths=np.zeros(ROWS, dtype=np.int64),
        heights=np.zeros(ROWS, dtype=np.int64),
        classes=EXPRESSIONS,
    )


def made_plan() -> FoldPlan:
    rows = np.arange(ROWS)
    held_out = rows // (ROWS // FILMS) % FOLDS
    none = np.zeros(0, dtype=np.int64)
    return FoldPlan(
        protocol=FoldProtocol("grouped", FOLDS, 1, FILMS, 0, "group"),
        folds=tuple(Fold(0, fold, rows[held_out != fold], rows[held_out == fold], none) for fold in range(FOLDS)),
        rows=rows,
        copies=rows,
    )


def made_predictions(samples: Samples, plan: FoldPlan, strength: float) -> Predictions:
    rows = np.concatenate([fold.test for fold in plan.folds])
    truth = samples.targets[rows]
    scores = np.exp(generator(0, "scores").normal(size=(ROWS, 7)) + strength * np.eye(7)[truth])
    return Predictions(
        ids=samples.ids[rows],
        repeats=np.zeros(ROWS, dtype=np.int64),
        folds=np.repeat([fold.fold for fold in plan.folds], [len(fold.test) for fold in plan.folds]),
        splits=np.full(ROWS, ""),
        truth=truth,
        probabilities=scores / scores.sum(axis=1, keepdims=True),
        classes=EXPRESSIONS,
    )


def write_features(store: Store, *, seed: int = 0, name: str = "sheet", prefix: str = ""):
    """Features that only hold rows: nothing here reads their columns."""
    begun = store.begin(
        "features",
        name,
        algorithm=1,
        config={"seed": seed},
        parents=[],
        seed=0,
        command=[],
        execution={},
        force=True,
    )
    with begun as draft:
        samples = made_samples()
        draft.write_bytes("samples.csv", samples_bytes(replace(samples, ids=np.char.add(prefix, samples.ids))))
        return store.read(draft.commit({"classes": list(EXPRESSIONS), "made": seed}), "features")


def write_run(
    store: Store,
    name: str,
    *,
    strength: float = 1.0,
    pruned: bool = False,
    accuracy: float | None = None,
    prefix: str = "",
):
    """A run as trainers write it. accuracy: a number to lie about in metrics.json. prefix: of ids of other data."""
    data = store.open("features", "sheet")
    samples, plan = made_samples(), made_plan()
    predictions = made_predictions(samples, plan, strength)
    if prefix:
        data = write_features(store, name="other", prefix=prefix)
        samples = replace(samples, ids=np.char.add(prefix, samples.ids))
        predictions = replace(predictions, ids=samples.ids[np.concatenate([fold.test for fold in plan.folds])])
    metrics = run_metrics(
        name=name,
        kind="pruned-bp" if pruned else "bp",
        on="sheet",
        samples=samples,
        plan=plan,
        predictions=predictions,
        train_accuracy=[0.5, 0.6, 0.7],
        train_loss=[0.1, 0.1, 0.1],
        test_loss=[0.2, 0.2, 0.2],
        loss_name="mse",
    )
    if accuracy is not None:
        metrics["accuracy"] = accuracy
    begun = store.begin(
        "run",
        name,
        algorithm=1,
        config={"strength": strength, "lie": accuracy},
        parents=[data.parent()],
        seed=0,
        command=["fer", "train-bp"],
        execution={},
        force=True,
    )
    with begun as draft:
        draft.write_json("metrics.json", metrics)
        draft.write_bytes("predictions.csv", predictions_bytes(predictions))
        history = [
            (0, fold, "train", epoch, 64, 0.01, 1 / epoch, 0.5, 1.5 / epoch, 0.4, None, None)
            for fold in range(FOLDS)
            for epoch in (1, 2, 3)
        ]
        columns = ("repeat", "fold", "phase", "epoch", "units", "learning_rate", *LOSSES, "monitor_loss")
        draft.write_csv("history.csv", (*columns, "monitor_accuracy"), history)
        if pruned:
            header = ("repeat", "fold", "round", "unit", "units_left", "criterion", "value", "partner")
            steps = [f"{key}_{when}" for when in ("before", "removed", "retrained") for key in LOSSES]
            receipts = [(0, 1, 0, 7, 63, "dead", 0.001, None, *([0.1] * 12))]
            draft.write_csv("receipts.csv", (*header, *steps), receipts)
        more = {"hidden_before": 64, "hidden_after": {"mean": 63.7, "min": 63, "max": 64}, "removed": {"dead": 1}}
        path = draft.commit({"classes": list(EXPRESSIONS), "left_out": [], **(more if pruned else {})})
    return store.read(path, "run")


@pytest.fixture
def workspace(tmp_path: Path) -> Store:
    """Two runs of one protocol."""
    store = Store(tmp_path / "ws")
    write_features(store)
    write_run(store, "net", strength=1.5, pruned=True)
    write_run(store, "weak", strength=0.5)
    return store


def test_evaluate_scores_all_runs_with_intervals_over_films(workspace: Store, fer: Callable):
    answer = fer("evaluate", "--json", "--draws", 200)
    assert answer.code == 0
    body = json.loads(answer.out)
    assert (body["status"], body["artifact"]) == ("done", "evaluation/all")
    net, weak = body["runs"]
    assert (net["name"], weak["name"]) == ("net", "weak")
    expected = score(made_predictions(made_samples(), made_plan(), 1.5))
    assert net["accuracy"] == expected.accuracy
    assert net["confusion"] == expected.confusion.tolist()
    assert net["intervals"]["accuracy"]["method"] == f"bootstrap over {FILMS} groups"
    assert net["test"]["accuracy"]["pooled"] == net["accuracy"]
    stored = json.loads((workspace.root / "evaluations/all/evaluation.json").read_text())
    assert stored["runs"] == body["runs"]


def test_evaluate_for_people_shows_table_protocol_and_verdict(workspace: Store, fer: Callable):
    answer = fer("evaluate", "--draws", 200)
    assert answer.code == 0
    for words in ("Held-out scores on sheet (folds)", "3 grouped folds; 21 groups", "Of 2 models, net is right on"):
        assert words in answer.out


def test_a_single_run_is_shown_class_by_class_and_fold_by_fold(workspace: Store, fer: Callable):
    answer = fer("evaluate", "net", "--draws", 200)
    assert "Per class" in answer.out
    assert "Fold by fold" in answer.out
    assert "Fold by fold" not in fer("evaluate", "--draws", 200).out
    worst = json.loads(fer("evaluate", "net", "--json", "--draws", 200).out)["runs"][0]["worst_group"]
    assert worst["rows"] == ROWS // FILMS


def test_evaluations_are_up_to_date_until_a_run_changes(workspace: Store, fer: Callable):
    first = fer("evaluate", "--json", "--draws", 200)
    again = fer("evaluate", "--json", "--draws", 200)
    assert json.loads(again.out)["status"] == "up-to-date"
    assert json.loads(again.out)["runs"] == json.loads(first.out)["runs"]
    write_run(workspace, "weak", strength=0.1)
    rebuilt = fer("evaluate", "--json", "--draws", 200)
    assert json.loads(rebuilt.out)["status"] == "done"
    assert "run/weak" in rebuilt.err  # says which parent changed
    named = json.loads(fer("evaluate", "weak", "--json", "--draws", 200).out)
    assert named["artifact"] == "evaluation/weak"
    assert [entry["name"] for entry in named["runs"]] == ["weak"]


def test_a_failed_gate_is_exit_six_after_everything_was_shown_and_saved(workspace: Store, fer: Callable):
    text = fer("evaluate", "--draws", 200, "--require", "accuracy>=0.5,macro_f1>=0.01")
    assert text.code == 6
    assert "Held-out scores" in text.out
    assert "fer: error: 1 of 4 gates failed: weak: accuracy>=0.5" in text.err
    assert (workspace.root / "evaluations/all/evaluation.json").is_file()
    answer = fer("evaluate", "--draws", 200, "--require", "accuracy>=0.5,macro_f1>=0.01", "--json")
    body = json.loads(answer.out)  # one object
    assert (answer.code, body["status"], body["error"]["code"]) == (6, "failed", 6)
    assert [gate["passed"] for gate in body["gates"]] == [True, True, False, True]
    assert set(body["gates"][0]) == {"expression", "value", "passed", "run"}
    assert fer("evaluate", "net", "--draws", 200, "--require", "accuracy>=0.5").code == 0


def test_another_gate_is_the_only_reason_that_is_told(workspace: Store, fer: Callable):
    assert fer("evaluate", "net", "--draws", 200).code == 0
    again = fer("evaluate", "net", "--draws", 200, "--require", "accuracy>=0.1")
    (said,) = [line for line in again.err.splitlines() if "is stale" in line]
    assert said.startswith("evaluation/net is stale: require: ")
    assert said.endswith("; making it again")


def test_a_misspelt_gate_is_refused_before_any_work(workspace: Store, fer: Callable):
    answer = fer("evaluate", "--require", "acuracy>=0.5")
    assert answer.code == 2
    assert "no score is called 'acuracy'" in answer.err
    assert "balanced_accuracy" in answer.err
    assert workspace.names("evaluation") == []


def test_no_runs_and_an_unknown_run_are_exit_four(fer: Callable, workspace: Store):
    answer = fer("evaluate", "nett")
    assert answer.code == 4
    assert "choose one of: net, weak" in answer.err


def test_an_empty_workspace_says_how_to_train(fer: Callable):
    answer = fer("report")
    assert answer.code == 4
    assert "the workspace has no run yet" in answer.err


def test_scores_that_the_predictions_do_not_give_are_refused(workspace: Store, fer: Callable):
    write_run(workspace, "weak", strength=0.5, accuracy=0.99)
    answer = fer("evaluate", "--draws", 200)
    assert answer.code == 4
    assert "run/weak states scores that its predictions do not give: accuracy: 0.99 stored" in answer.err
    assert workspace.names("evaluation") == []


def test_without_the_data_groups_are_unknown_and_a_warning_says_so(workspace: Store, fer: Callable):
    write_features(workspace, seed=1)  # other data under the same name
    answer = fer("evaluate", "net", "--json", "--draws", 200)
    body = json.loads(answer.out)
    assert "groups are unknown" in body["warnings"][0]
    assert body["runs"][0]["intervals"]["accuracy"]["method"] == "wilson"


def test_dry_runs_write_nothing(workspace: Store, fer: Callable):
    for command, kind in (("evaluate", "evaluation"), ("report", "report")):
        answer = fer(command, "--dry-run", "--json")
        assert answer.code == 0
        assert json.loads(answer.out)["would_make"] == f"{kind}/all"
        assert workspace.names(kind) == []


def test_report_writes_page_figures_and_tables(workspace: Store, fer: Callable):
    answer = fer("report", "--draws", 200, "--title", "Two nets & a film")
    assert answer.code == 0
    folder = workspace.root / "reports/all"
    assert f"page: {folder / 'index.html'}" in answer.out
    assert "Of 2 models, net is right on" in answer.out
    page = (folder / "index.html").read_text()
    assert "<h1>Two nets &amp; a film</h1>" in page
    assert "Pruned from 64 hidden units" in page
    stems = {path.name for path in (folder / "figures").iterdir()}
    for stem in ("models", "net-confusion", "net-curves", "net-units", "net-removals", "weak-confusion"):
        assert {f"{stem}.png", f"{stem}.svg"} <= stems
    assert "weak-units.png" not in stems
    with (folder / "tables/models.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    expected = score(made_predictions(made_samples(), made_plan(), 1.5)).accuracy
    assert float(rows[0]["accuracy"]) == expected


def test_reports_are_up_to_date_until_a_run_or_the_ledger_changes(workspace: Store, fer: Callable):
    first = json.loads(fer("report", "--json", "--draws", 200).out)
    before = Path(first["page"]).read_bytes()
    assert json.loads(fer("report", "--json", "--draws", 200).out)["status"] == "up-to-date"
    shutil.rmtree(workspace.root / "reports/all")
    again = json.loads(fer("report", "--json", "--draws", 200).out)
    assert again["status"] == "done"
    assert Path(again["page"]).read_bytes() == before
    line = {"run": "net", "time": "2024-05-01T10:00:00Z", "purpose": "evaluate", "rows": 210}
    (workspace.root / "ledger.jsonl").write_text(json.dumps(line) + "\n")
    rebuilt = json.loads(fer("report", "--json", "--draws", 200).out)
    assert rebuilt["status"] == "done"
    assert "Test splits were scored 1 time in this workspace" in Path(rebuilt["page"]).read_text()


def test_evaluate_and_report_agree_on_the_interval(workspace: Store, fer: Callable):
    evaluated = json.loads(fer("evaluate", "net", "--json", "--draws", 200).out)["runs"][0]
    fer("report", "net", "--draws", 200)
    with (workspace.root / "reports/net/tables/models.csv").open(newline="") as handle:
        row = next(csv.DictReader(handle))
    assert float(row["accuracy_lower"]) == evaluated["intervals"]["accuracy"]["lower"]


def test_other_classes_in_the_predictions_than_in_the_metrics_are_noticed(workspace: Store, fer: Callable):
    path = workspace.root / "runs/weak/predictions.csv"
    path.write_bytes(path.read_bytes().replace(b"angry", b"anger"))
    manifest = path.with_name("artifact.json")
    body = json.loads(manifest.read_text())
    body["files"]["predictions.csv"]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest.write_text(json.dumps(body))
    answer = fer("evaluate", "weak")
    assert answer.code == 4
    assert "run/weak has other classes in predictions.csv than in metrics.json" in answer.err


def test_the_verdict_of_the_report_is_that_of_compare(workspace: Store, fer: Callable):
    write_run(workspace, "other", strength=1.45)
    body = json.loads(fer("report", "--json", "--draws", 200).out)
    told = next(line for line in body["verdict"] if "the next" in line)
    compared = json.loads(fer("compare", "other", "weak", "--baseline", "net", "--draws", 200, "--json").out)
    pairs = {pair["first"]: pair for pair in compared["pairs"]}
    assert "The difference to the next, other, is not significant on 210 rows" in told
    assert f"p {pairs['other']['p_holm']:.3f} after correction for 2 pairs" in told
    with (workspace.root / "reports/all/tables/models.csv").open(newline="") as handle:
        rows = {row["run"]: row for row in csv.DictReader(handle)}
    assert rows["net"]["p"] == ""
    assert float(rows["weak"]["p"]) == pytest.approx(pairs["weak"]["p_holm"])
    assert float(rows["weak"]["behind"]) == pytest.approx(pairs["weak"]["difference"])


def test_runs_with_as_many_but_other_rows_stay_untested(workspace: Store, fer: Callable):
    write_run(workspace, "net", strength=1.5, prefix="other_")
    shutil.rmtree(workspace.root / "features/other")  # so that only the name of the data is known, which is the same
    answer = fer("report", "--json", "--draws", 200)
    assert answer.code == 0, answer.err
    assert not [line for line in json.loads(answer.out)["verdict"] if "the next" in line]


def test_every_run_has_a_model_card(workspace: Store, fer: Callable):
    fer("report", "--draws", 200)
    for name in ("net", "weak"):
        card = (workspace.root / f"reports/all/model_cards/{name}.md").read_text()
        assert card.startswith(f"# {name}\n")
        assert "Intended use" in card


def test_the_balance_of_the_folds_is_counted_from_the_predictions(workspace: Store, fer: Callable):
    fer("report", "--draws", 200)
    with (workspace.root / "reports/all/tables/folds.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    samples, plan = made_samples(), made_plan()
    for row, fold in zip(rows, plan.folds, strict=True):
        assert int(row["groups"]) == len(set(samples.groups[fold.test]))
        assert [int(row[name]) for name in EXPRESSIONS] == np.bincount(samples.targets[fold.test]).tolist()
    assert not (workspace.root / "reports/all/tables/folds.2.csv").exists()  # both runs share it
    assert (workspace.root / "reports/all/figures/folds.svg").is_file()


def test_pictures_of_errors_come_only_when_asked_for(fer: Callable, tmp_path: Path):
    fer("synthesize", "--subjects", 4, "--images", 7, "--size", 32)
    fer("extract-features", "--descriptors", "lbp", "--jobs", 1)
    assert fer("train-baseline", "--model", "majority", "--k", 2, "--name", "net").code == 0
    page = tmp_path / "ws/reports/all/index.html"
    fer("report", "--draws", 200)
    assert "data:image/png" not in page.read_text()
    assert fer("report", "--draws", 200, "--with-images", "--force").code == 0
    shown = page.read_text()
    assert shown.count("data:image/png") == 12
    assert "Most confident errors" in shown
    assert "without a picture" not in shown


def test_errors_of_rows_without_pictures_are_listed_by_their_ids(workspace: Store, fer: Callable):
    fer("report", "weak", "--draws", 200, "--with-images")
    page = (workspace.root / "reports/weak/index.html").read_text()
    assert "data:image/png" not in page
    assert "12 rows without a picture" in page
    assert "licence" not in page
