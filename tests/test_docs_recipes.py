"""The worked recipes of docs/contributing.md, applied to a copy of the package and run."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8")
EXPRESSIONS = ("AF", "AN", "DI", "HA", "NE", "SA", "SU")


def patched(text: str, lines: list[str]) -> str:
    """The text with a listing's lines put in: each `+` after the line before it, or in the place of a `-`."""
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith("+"):
            continue
        assert text.count(line[1:] + "\n") == 1, f"the recipe's line stands once: {line}"
        added = lines[lines.index(following) :] if following.startswith("+") else []
        stop = next((place for place, one in enumerate(added) if not one.startswith("+")), len(added))
        kept = [] if line.startswith("-") else [line[1:]]
        text = text.replace(line[1:] + "\n", "\n".join([*kept, *(one[1:] for one in added[:stop])]) + "\n")
    return text


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the package with every recipe applied."""
    folder = tmp_path_factory.mktemp("recipes")
    shutil.copytree(ROOT / "fercli", folder / "fercli", ignore=shutil.ignore_patterns("__pycache__"))
    for language, block in re.findall(r"```(python|diff)\n(.*?)```", PAGE, flags=re.DOTALL):
        lines = block.splitlines()
        path = folder / lines[0].split()[-1]
        if language == "python":
            assert not path.exists()
            path.write_text("\n".join(lines[1:]) + "\n", encoding="utf-8")
        else:
            path.write_text(patched(path.read_text(encoding="utf-8"), lines[1:]), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def fer(copy):
    """Runs a command of the patched copy in a process and gives back what it printed."""

    def run(*words: str | Path) -> str:
        environment = {**os.environ, "PYTHONPATH": str(copy), "OMP_NUM_THREADS": "1", "FER_WORKSPACE": str(copy / "w")}
        done = subprocess.run(
            [sys.executable, "-m", "fercli", *map(str, words)],
            env=environment,
            cwd=copy,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_every_recipe_touches_at_most_two_files():
    for recipe in PAGE.split("\n### ")[1:]:
        touched = set(re.findall(r"```(?:python\n#|diff\n---) (\S+)", recipe))
        assert 1 <= len(touched) <= 2, recipe.splitlines()[0]


def test_the_recipes_work(copy, fer):
    folder, random = copy / "KDEF", np.random.default_rng(0)
    for subject in ("F01", "F02", "M01", "M02"):
        (folder / f"A{subject}").mkdir(parents=True)
        for expression in EXPRESSIONS:
            pixels = random.integers(0, 256, (32, 32), dtype=np.uint8)
            assert cv2.imwrite(str(folder / f"A{subject}" / f"A{subject}{expression}S.JPG"), pixels)
    fer("import-dataset", folder, "--name", "kdef")
    assert '"format": "kdef"' in (copy / "w/datasets/kdef/artifact.json").read_text(encoding="utf-8")
    rows = (copy / "w/datasets/kdef/samples.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 1 + 28
    assert rows[1].startswith("AF01AFS,fear,,F01,")
    fer("extract-features", "--descriptors", "phog,cell-means")
    assert "cell-means" in fer("show", "features/kdef")
    fer("train-bp", "--k", "2", "--epochs", "2")
    assert "two-layer" in fer("train-resnet", "--list-variants")
    fer("train-resnet", "--variant", "two-layer", "--k", "2", "--epochs", "1", "--device", "cpu", "--no-final-model")
