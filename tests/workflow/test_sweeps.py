import csv
import json

import pytest

from fercli.artifacts.store import Store
from fercli.errors import UsageError
from fercli.workflow.sweeps import combinations, sweep_name


def test_combinations_and_names():
    found = combinations({"hidden": ["32", "64"], "weight_decay": ["0", "0.1"]})
    assert [sweep_name("run", one) for one in found] == [
        "run.hidden-32.weight-decay-0",
        "run.hidden-32.weight-decay-0.1",
        "run.hidden-64.weight-decay-0",
        "run.hidden-64.weight-decay-0.1",
    ]


def test_a_value_given_twice_is_refused():
    with pytest.raises(UsageError, match="--weight-decay: a value is given twice"):
        combinations({"weight_decay": ["1", "1"]})


@pytest.fixture
def sheet(tmp_path, fer):
    lines = ["id,label,a.1,a.2"]
    lines += [f"r{row},{'xyz'[row % 3]},{row % 3 + 0.01 * row},{row * 7 % 11}" for row in range(60)]
    (tmp_path / "sheet.csv").write_text("\n".join(lines) + "\n")
    assert fer("import-features", tmp_path / "sheet.csv").code == 0
    return tmp_path


QUICK = ("--k", 3, "--epochs", 2, "--retrain-epochs", 1, "--hidden", 6)


def test_a_comma_list_makes_one_run_per_value_and_a_table(sheet, fer):
    answer = fer("prune-bp", *QUICK, "--correlated", "0.9,0.5", "--json")
    assert answer.code == 0
    store = Store(sheet / "ws")
    assert store.names("run") == ["prune-bp.correlated-0.5", "prune-bp.correlated-0.9"]
    with (sheet / "ws/runs/prune-bp.sweep.csv").open(newline="") as handle:
        lines = list(csv.DictReader(handle))
    assert [line["correlated"] for line in lines] == ["0.9", "0.5"]
    assert [line["run"] for line in json.loads(answer.out)["sweep"]] == [line["run"] for line in lines]
    for line in lines:
        run = store.open("run", line["run"])
        assert float(line["accuracy"]) == run.json("metrics.json")["accuracy"]
        assert run.config["correlated"] == float(line["correlated"])
    assert json.loads(fer("prune-bp", *QUICK, "--correlated", "0.9,0.5", "--json").out)["status"] == "up-to-date"


def test_a_run_of_a_sweep_is_the_run_alone(sheet, fer):
    assert fer("prune-bp", *QUICK, "--correlated", "0.9,0.5").code == 0
    assert fer("prune-bp", *QUICK, "--correlated", 0.5, "--name", "alone").code == 0
    store = Store(sheet / "ws")
    alone, swept = (store.open("run", name) for name in ("alone", "prune-bp.correlated-0.5"))
    same = [name for name in alone.manifest.files if name not in ("timing.csv", "metrics.json")]
    assert "folds/0/02/weights.safetensors" in same
    assert [alone.manifest.files[name] for name in same] == [swept.manifest.files[name] for name in same]


def test_hidden_widths_are_a_sweep_and_never_two_layers(sheet, fer):
    assert fer("train-bp", "--k", 3, "--epochs", 2, "--hidden", "4,6", "--optimizer", "adam,sgd").code == 0
    assert Store(sheet / "ws").names("run") == [
        "train-bp.hidden-4.optimizer-adam",
        "train-bp.hidden-4.optimizer-sgd",
        "train-bp.hidden-6.optimizer-adam",
        "train-bp.hidden-6.optimizer-sgd",
    ]


@pytest.mark.parametrize(
    ("value", "message"), [("0.9,,0.5", "an empty item"), ("0.9,2", "--correlated: input should be less than or equal")]
)
def test_a_bad_list_is_refused(sheet, fer, value, message):
    answer = fer("prune-bp", *QUICK, "--correlated", value)
    assert answer.code == 2
    assert message in answer.err
    assert Store(sheet / "ws").names("run") == []
