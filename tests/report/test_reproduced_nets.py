"""Leaks and copies under the tables of the reproduced ResNets."""

from fercli.report.published import DU
from fercli.report.reproduced_nets import du_sheet, frames_class_sheet, frames_sheet

WORDS = {"random": "random folds", "films": "whole films"}
CUT = "groups with rows both in training and held out: 12 of 57"


def test_frames_name_the_leaks_of_each_protocol(made_run):
    runs = {key: made_run(f"xu-resnet-{key}", pruned=False).metrics for key in WORDS}
    runs["random"]["protocol"]["leaks"].append(CUT)
    runs["films"].update(copies_in_training=1, without_copies={"accuracy": 0.25, "macro_f1": 0.2})
    for sheet in (frames_sheet(runs, WORDS), frames_class_sheet(runs, WORDS)):
        assert sheet.notes[-2:] == (
            f"leak in random folds: {CUT}",
            "whole films: 1 held-out row has an equal copy among the training rows; without them accuracy is 25.0 % "
            "and macro-F1 20.0 %",
        )


def test_dus_table_counts_the_copies_of_the_official_split(made_run):
    runs = {}
    for variant in DU:
        run = made_run(variant, pruned=False, copies_in_training=280).metrics
        run["protocol"]["leaks"].append("selected on these rows")
        run["without_copies"] = {"accuracy": 0.25, "macro_f1": 0.2}
        runs[variant] = [run]
    notes = du_sheet(runs).notes
    assert notes[1] == "leak: selected on these rows"
    assert notes[2].startswith("280 held-out rows have equal copies among the training rows; accuracy and macro-F1 ")
    assert all(f"{variant} 25.0 and 20.0 %" in notes[2] for variant in DU)
