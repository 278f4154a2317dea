"""The tables of `evaluate` beyond the first."""

from fercli.workflow.evaluation_tables import DETAILS, details_table, elsewhere_lines, elsewhere_tables


def entry(name: str, accuracy: float, **more: object) -> dict[str, object]:
    empty = {"leaks": [], "scheme": "official", "k": 1, "repeats": 1, "groups": 3, "seed": 0, "duplicates": "group"}
    return {
        "name": name, "kind": "bp", "on": "other", "split": "all", "rows": 50, "accuracy": accuracy, "macro_f1": 0.4,
        "balanced_accuracy": 0.4, "log_loss": 1.5, "mcc": 0.3, "top2": 0.7, "brier": 0.6, "ece": 0.1, "aurc": 0.25,
        "worst_group": {"group": "film", "rows": 12, "accuracy": 0.25}, "without_copies": None,
        "copies_in_training": 0, "protocol": empty, "train": {"accuracy": {"mean": 0.8, "sd": None}},
        "test": {"accuracy": {"mean": accuracy, "sd": None}}, "majority": {"accuracy": {"pooled": None}},
        "intervals": {"accuracy": None}, "left_out": [], **more,
    }  # fmt: skip


def test_details_show_what_the_first_table_has_no_room_for():
    without = {"rows": 40, "accuracy": 0.35, "macro_f1": 0.3}
    runs = [entry("net", 0.5), entry("bp", 0.4, worst_group=None, without_copies=without)]
    first, second = details_table(runs).rows
    assert dict(zip(DETAILS, first, strict=True)) == {
        "run": "net", "MCC": 0.3, "top-2": 0.7, "Brier": 0.6, "calibration error": 0.1, "AURC": 0.25,
        "worst group": "film", "its rows": 12, "its accuracy": 0.25, "without copies": None, "rows without": None,
    }  # fmt: skip
    assert second[6:] == (None, None, None, 0.35, 40)


def test_runs_on_other_rows_stand_in_tables_of_their_own_and_caveats_name_their_run():
    leak = {"leaks": ["3 of 50 rows are training rows"]}
    without = {"rows": 47, "accuracy": 0.41, "macro_f1": 0.38}
    leaky = entry("leaky", 0.6, copies_in_training=3, without_copies=without)
    leaky["protocol"] = {**leaky["protocol"], **leak}
    together, alone = elsewhere_tables([entry("weak", 0.3), leaky, entry("few", 0.2, rows=20)])
    assert [row[0] for row in together.rows] == ["leaky", "weak"]
    assert [row[0] for row in alone.rows] == ["few"]
    assert together.title == "Scores of model/ on other (all rows)"
    assert together.notes[1:] == (
        "leaky: 3 of 50 rows are training rows",
        "leaky: 3 of 50 rows equal a training row; without them accuracy is 41.0 % and macro-F1 38.0 % on 47 rows",
    )


def test_lines_count_what_was_left_out_and_how_often_the_test_split_was_read():
    runs = [entry("net", 0.5, left_out=[{"source": "a", "reason": "no label"}])]
    assert elsewhere_lines(runs, 2) == [
        "net: 1 row left out, listed in evaluation.json",
        "test splits were scored 2 times in this workspace, by its ledger",
    ]
    assert elsewhere_lines([entry("net", 0.5)], None) == []
