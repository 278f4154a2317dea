"""`docs/python.md` as doctests: its examples give what it says they give."""

import doctest
import re
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "python.md"


def test_the_examples_give_what_the_page_says(fer):
    text = PAGE.read_text(encoding="utf-8")
    (told,) = re.findall(r"After `(fer [^`]*)`:", text)
    for line in told.split(" && "):
        assert fer(*line.split()[1:], "-w", "artifacts").code == 0, line
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert len(blocks) >= 8
    flags = doctest.ELLIPSIS
    example = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "python.md", str(PAGE), 0)
    assert len(example.examples) > 40
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=flags, verbose=False)
    runner.run(example, out=said.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(said)
