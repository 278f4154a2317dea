"""`docs/export.md` word for word: its commands, and its code on the files that they write."""

import contextlib
import io
import re
from pathlib import Path

import onnxruntime
import pytest

from fercli.benchmarks import latency
from fercli.config.export import DIGEST_KEY, ExportedFacts
from fercli.export.columns_graph import YARDSTICKS
from fercli.export.graph import OPSET
from fercli.records import EXPRESSIONS
from fercli.workflow.export_parity import TOLERANCE

PAGE = (Path(__file__).parent.parent / "docs" / "export.md").read_text(encoding="utf-8")


def test_the_commands_and_the_code_run_as_they_stand(fer, tmp_path, monkeypatch):
    monkeypatch.setattr(latency, "_SECONDS", 0.01)
    (commands,) = re.findall(r"```bash\n(.*?)```", PAGE, flags=re.DOTALL)
    for line in filter(None, commands.splitlines()):
        answer = fer(*line.split()[1:], "-w", "artifacts")
        assert answer.code == 0, f"{line}: {answer.err}"
    blocks = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    assert len(blocks) == 2
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile("\n".join(blocks), "export.md", "exec"), {})
    lines = said.getvalue().splitlines()
    assert all(re.fullmatch(rf"({'|'.join(EXPRESSIONS)}) 0\.\d\d", line) for line in lines[:3])
    assert lines[3].count("'") == 6
    meta = onnxruntime.InferenceSession(tmp_path / "net.onnx").get_modelmeta().custom_metadata_map
    assert set(meta) == {*ExportedFacts.model_fields, DIGEST_KEY}
    assert (tmp_path / "net.model_card.md").is_file()


@pytest.mark.parametrize("name", [*ExportedFacts.model_fields, DIGEST_KEY])
def test_every_fact_is_explained(name):
    (table,) = re.findall(r"\| name \| meaning \|\n(.*?)\n\n", PAGE, flags=re.DOTALL)
    assert f"`{name}`" in table


def test_the_numbers_on_the_page_are_those_in_force():
    assert f"the opset is {OPSET}," in PAGE
    assert f"Above {TOLERANCE['float32']:.0e}".replace("e-04", "e-4") in PAGE
    assert f"`--half` {TOLERANCE['float16']}" in PAGE
    assert f"`train-baseline`: {', '.join(YARDSTICKS)}" in PAGE
