"""Tables: raw cells for CSV, formatted ones for people."""

from fercli.report.tables import confusion_sheet, folds_sheet, models_sheet, per_class_sheet


def test_models_stand_side_by_side_with_protocol_and_leaks_under_them(made_run):
    net = made_run("net").metrics
    leaky = {**net, "name": "leaky", "protocol": {**net["protocol"], "leaks": ["films on both sides"]}}
    sheet = models_sheet([net, leaky])
    assert sheet.notes[0] == "5 grouped folds; 37 groups; copies share a fold; seed 0"
    assert sheet.notes[1] == "leaky: films on both sides"
    cells = dict(zip(sheet.header, sheet.rows[0], strict=True))
    assert cells["accuracy"] == net["accuracy"]  # raw, not rounded
    assert sheet.columns[3].write(net["accuracy"]) == f"{100 * net['accuracy']:.1f}"
    console = sheet.as_table("run", "accuracy")
    assert console.columns == ("run", "accuracy")
    assert console.rows[1] == ("leaky", net["accuracy"])
    assert console.notes == sheet.notes


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
