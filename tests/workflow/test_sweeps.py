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
    body = json.loads(answer.out)
    assert [line["run"] for line in body["sweep"]] == [line["run"] for line in lines]
    # The whole answer of every run, as the sweeps of train-baseline give it.
    assert [run["run"] for run in body["runs"]] == [line["run"] for line in lines]
    assert all({"accuracy", "confusion", "folds", "hidden_after", "seconds"} <= set(run) for run in body["runs"])
    for line in lines:
        run = store.open("run", line["run"])
        assert float(line["accuracy"]) == run.json("metrics.json")["accuracy"]
        assert run.config["correlated"] == float(line["correlated"])
    assert json.loads(fer("prune-bp", *QUICK, "--correlated", "0.9,0.5", "--json").out)["status"] == "up-to-date"


def fingerprints(workspace):
    store = Store(workspace)
    return {name: store.open("run", name).manifest.fingerprint for name in store.names("run")}


@pytest.mark.parametrize(
    ("command", "swept"),
    [
        ("prune-bp", ("--correlated", "0.9,0.5")),
        ("prune-bp", ("--hidden", "6,9", "--criterion", "correlation,angle")),
        ("prune-bp", ("--lr", "0.01,0.2", "--scaling", "zscore,minmax,none")),
        ("prune-bp", ("--dead", "0.01,30", "--retrain-epochs", "1,3", "--max-rounds", "1,9")),
        ("train-bp", ("--hidden", "3,12,20", "--optimizer", "adam,sgd,momentum", "--loss", "ce,mse")),
        ("train-bp", ("--output", "sigmoid,softmax", "--precision", "float32,float64", "--pca", "1,none")),
        ("train-bp", ("--epochs", "1,5", "--batch-size", "7,0,32", "--weight-decay", "0,0.1", "--seed", 3)),
    ],
)
def test_a_run_of_a_sweep_is_the_run_alone_to_the_last_byte(sheet, fer, command, swept):
    plain = [part for part in QUICK if command == "prune-bp" or part not in ("--retrain-epochs", 1)]
    lists = dict(zip(swept[::2], swept[1::2], strict=True))
    # The lists last and in the order of the options, which names the runs.
    given = {name: value for name, value in zip(plain[::2], plain[1::2], strict=True) if name not in lists} | lists
    arguments = [part for pair in given.items() for part in pair]
    answer = fer(command, *arguments, "--threads", 2, "--json")
    assert answer.code == 0, answer.err
    together = fingerprints(sheet / "ws")
    lists = {name[2:].replace("-", "_"): value.split(",") for name, value in given.items() if "," in str(value)}
    chosen = combinations(lists)
    assert len(together) == len(chosen)
    workspace = sheet / "alone"
    assert fer("import-features", sheet / "sheet.csv", "-w", workspace).code == 0
    for one in chosen[:: max(1, len(chosen) // 4)]:
        own = given | {"--" + name.replace("_", "-"): value for name, value in one.items()}
        parts = [part for pair in own.items() for part in pair]
        name = sweep_name(command, one)
        assert fer(command, *parts, "--name", name, "--threads", 1, "-w", workspace).code == 0
    alone = fingerprints(workspace)
    assert alone
    assert alone == {name: together[name] for name in alone}


def test_hidden_widths_are_a_sweep_and_never_two_layers(sheet, fer):
    assert fer("train-bp", "--k", 3, "--epochs", 2, "--hidden", "4,6", "--optimizer", "adam,sgd").code == 0
    assert Store(sheet / "ws").names("run") == [
        "train-bp.hidden-4.optimizer-adam",
        "train-bp.hidden-4.optimizer-sgd",
        "train-bp.hidden-6.optimizer-adam",
        "train-bp.hidden-6.optimizer-sgd",
    ]


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--correlated", "0.9,,0.5", "an empty item"),
        ("--correlated", "0.9,2", "--correlated: input should be less than or equal"),
        ("--correlated", "0.9,0.9", "--correlated: a value is given twice"),
        (
            "--lr",
            "0.02,0.01,1e-2",
            "fer: error: --lr: 0.01 and 1e-2 are the same value\n"
            "  where: --lr 0.02,0.01,1e-2\n  next: give each once\n",
        ),
        ("--weight-decay", "0.01,0.010", "--weight-decay: 0.01 and 0.010 are the same value"),
        ("--epochs", "2,02", "--epochs: 2 and 02 are the same value"),
        ("--pca", "none,NONE", "--pca: none and NONE are the same value"),
        ("--pca", "1,1.0", "--pca: give a number of components from 1, or a fraction of the variance between 0 and 1"),
    ],
)
def test_a_bad_list_is_refused(sheet, fer, option, value, message):
    answer = fer("prune-bp", *QUICK, option, value)
    assert answer.code == 2
    assert message in answer.err
    assert Store(sheet / "ws").names("run") == []


COMPONENTS = "the components were fitted on all rows of the sheet, held-out rows among them"


@pytest.fixture
def leaky_sheet(tmp_path, fer, monkeypatch):
    """Rows in groups, with a leak of their own, as the published sheet has one; rows 0 and 4 are copies."""
    from fercli.workflow import features

    content_of = features.features_content
    monkeypatch.setattr(
        "fercli.steps.import_features.features_content",
        lambda *given, **named: {**content_of(*given, **named), "leaks": [COMPONENTS]},
    )
    lines = ["id,label,split,group,a.1,a.2"]
    for row in range(60):
        split, label = "train" if row % 3 else "validation", "xyz"[row // 2 % 3]
        lines.append(
            f"r{row},{label},{split},g{row // 7},{0 if row in (0, 4) else row % 7},{row * 7 % 11 * (row != 4)}"
        )
    (tmp_path / "sheet.csv").write_text("\n".join(lines) + "\n")
    assert fer("import-features", tmp_path / "sheet.csv").code == 0


@pytest.mark.parametrize("command", ["train-bp", "prune-bp", "train-baseline"])
@pytest.mark.parametrize("scheme", ["stratified", "contiguous", "official"])
def test_protocol_leaks_and_copies_stand_under_the_table_of_a_sweep(command, scheme, leaky_sheet, fer):
    swept = (
        ("--model", "lda,majority", "--jobs", 1) if command == "train-baseline" else ("--hidden", "4,6", "--epochs", 2)
    )
    division = () if scheme == "official" else ("--scheme", scheme, "--k", 3, "--pool-splits", "--allow-group-leak")
    answer = fer(command, *swept, *division, "--json")
    assert answer.code == 0, answer.err
    body = json.loads(answer.out)
    leaks = body["runs"][0]["protocol"]["leaks"]
    assert leaks[-1] == COMPONENTS
    assert [leak.split(":")[0] for leak in leaks[:-1]] == {
        "stratified": ["groups with rows both in training and held out"],
        "contiguous": ["contiguous folds are flawed", "groups with rows both in training and held out"],
        "official": ["groups with rows both in training and held out"],
    }[scheme]
    assert body["warnings"] == [f"leak: {leak}" for leak in leaks]
    text = fer(command, *swept, *division).out
    first = fer(command, *(str(part).split(",")[0] for part in swept), *division, "--name", "alone").out
    told = [line.strip() for line in first.splitlines() if line.strip().startswith(("protocol: ", "leak: "))]
    assert len(told) == 1 + len(leaks)
    assert all(text.count(line) == 1 for line in told)
    if scheme == "official":
        for run in body["runs"]:
            share = f"{run['without_copies']['accuracy']:.4f} on 19 rows"
            assert f"1 of 20 scored rows have an equal copy in training; without them accuracy {share}" in text
