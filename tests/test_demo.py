"""The whole pipeline, as `fer demo` runs it, small."""

import json
import re
import shlex


def test_the_demo_runs_end_to_end_and_a_second_time_for_nothing(fer, tmp_path):
    answer = fer("demo", "--subjects", "20", "--epochs", "1", "-w", tmp_path / "demo", "--json")
    assert answer.code == 0, answer.err
    body = json.loads(answer.out)
    assert [run["name"] for run in body["runs"]] == ["prune-bp", "small-net"]
    assert all(run["rows"] == 420 for run in body["runs"])
    pruned = body["runs"][0]
    assert pruned["protocol"]["k"] == 20
    assert pruned["accuracy"] > 0.343  # 20 points over the majority of seven equal classes
    page = (tmp_path / "demo/reports/demo/index.html").read_text()
    assert "prune-bp" in page
    assert not re.search(r"""(?:src|href)\s*=\s*["']?https?:""", page)  # self-contained
    again = fer("demo", "--subjects", "20", "--epochs", "1", "-w", tmp_path / "demo", "--json")
    assert json.loads(again.out)["status"] == "up-to-date"
    assert again.err.count("is up to date") == 6
    typed = re.findall(r"^\d of 6  fer (.*)$", again.err, re.MULTILINE)
    assert len(typed) == 6
    for line in typed:
        assert "is up to date" in fer(*shlex.split(line)).err, line


def test_a_dry_run_names_the_six_commands_and_writes_nothing(fer, tmp_path):
    answer = fer("demo", "--dry-run", "--json", "-w", tmp_path / "demo")
    commands = json.loads(answer.out)["commands"]
    assert [shlex.split(line)[1] for line in commands] == [
        "synthesize",
        "extract-features",
        "prune-bp",
        "train-resnet",
        "evaluate",
        "report",
    ]
    assert not (tmp_path / "demo").exists()
