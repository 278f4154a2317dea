"""Tables: raw cells for CSV, formatted ones for people."""

from fercli.report.tables import confusion_sheet, folds_sheet, models_sheet, per_class_sheet, pruning_sheet


def test_models_stand_side_by_side_with_protocol_and_leaks_under_them(made_run):
    net = made_run("net").metrics
    leaky = {**net, "name": "leaky", "protocol": {**net["protocol"], "leaks": ["films on both sides"]}}
    sheet = models_sheet([net, leaky])
    assert sheet.notes[0] == "5 grouped folds; 37 groups; copies share a fold; seed 0"
    assert sheet.notes[1] == "leaky: films on both sides"
    cells = dict(zip(sheet.header, sheet.rows[0], strict=True))
    assert cells["accuracy"] == net["accuracy"]  # raw, not rounded
    assert sheet.columns[sheet.header.index("accuracy")].write(net["accuracy"]) == f"{100 * net['accuracy']:.1f}"
    console = sheet.as_table("run", "accuracy")
    assert console.columns == ("run", "accuracy")
    assert console.rows[1] == ("leaky", net["accuracy"])
    assert console.notes == sheet.notes


def test_what_holds_for_every_run_is_said_once(made_run):
    net = made_run("net").metrics
    leaky = {**net, "protocol": {**net["protocol"], "leaks": ["films on both sides"]}}
    assert models_sheet([leaky, {**leaky, "name": "other"}]).notes[1:] == ("films on both sides",)


def test_pruning_stands_beside_the_unpruned_control_where_the_run_has_one(made_run):
    metrics = made_run().metrics
    assert pruning_sheet(metrics) is None
    part = {"train": metrics["train"], "accuracy": 0.2, "macro_f1": 0.1, "log_loss": 2.0}
    more = {"hidden_before": 64, "hidden_after": {"mean": 61.9, "min": 60, "max": 63}}
    sheet = pruning_sheet({**metrics, **more, "before": part, "control": {**part, "accuracy": 0.25}})
    cells = [dict(zip(sheet.header, row, strict=True)) for row in sheet.rows]
    assert [cell["units"] for cell in cells] == [64, 61.9, 64]
    assert [cell["accuracy"] for cell in cells] == [0.2, metrics["accuracy"], 0.25]


def test_undefined_precision_is_a_dash_and_explained(made_run):
    run = made_run().metrics
    run["per_class"]["fear"]["precision"] = None
    sheet = per_class_sheet(run)
    assert sheet.rows[2][2] is None
    assert sheet.columns[2].write(None) == "–"
    assert "never predicted" in sheet.notes[0]
    assert per_class_sheet(made_run("other").metrics).notes == ()


def test_every_fold_shows_its_majority(made_run):
    sheet = folds_sheet(made_run(folds=3).metrics)
    assert len(sheet.rows) == 3
    assert dict(zip(sheet.header, sheet.rows[0], strict=True))["majority"] == 0.14


def test_confusion_in_counts(made_run):
    run = made_run().metrics
    sheet = confusion_sheet(run)
    assert sheet.header == ("truth", *run["classes"])
    assert [list(row[1:]) for row in sheet.rows] == run["confusion"]
