"""The arrows of the architecture: who may import whom, and what `fer --help` may load."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "fercli"
FOUNDATION = {"records", "config", "seeds", "errors"}
CORE = {
    "datasets",
    "descriptors",
    "preprocessing",
    "protocol",
    "bp",
    "resnet",
    "baselines",
    "evaluation",
    "inference",
    "export",
    "report",
    "benchmarks",
}
# Beside itself and the foundation, what a package may import of fercli.
ALLOWED = {
    **{name: {"preprocessing", "protocol"} for name in CORE},
    "preprocessing": set(),
    "protocol": set(),
    # A benchmark times the parts it is about.
    "benchmarks": CORE,
    "inference": {"preprocessing", "protocol", "bp", "resnet", "baselines", "datasets"},
    "artifacts": set(),
    "workflow": CORE | {"artifacts"},
    "steps": CORE | {"artifacts", "workflow"},
    "cli": CORE | {"artifacts", "workflow", "steps"},
}
THIRD_PARTY = {
    "typer": {"cli"},
    "rich": {"cli/console.py"},
    "click": set(),
    "matplotlib": {"report/figures"},
    "torch": {"bp", "resnet", "inference", "export", "benchmarks", "steps/doctor.py"},
    "pickle": {"resnet/pretrained.py"},  # the class of an error that torch.load raises, nothing else
}


def modules():
    return sorted(PACKAGE.rglob("*.py"))


def imports(path: Path) -> list[str]:
    """Every absolute name that a module imports, wherever in it, but not for type checking only."""
    found = []
    tree = ast.parse(path.read_text())
    skipped = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and "TYPE_CHECKING" in ast.dump(branch.test)
        for node in ast.walk(branch)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_arrows_point_down(path):
    place = path.relative_to(PACKAGE)
    here = place.parts[0].removesuffix(".py")
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "fercli" and len(parts) > 1:
            there = parts[1]
            if here == "__main__" or there in FOUNDATION | {here, "__version__"}:
                if here == "steps" and there == "steps":
                    pytest.fail(f"{place} imports {name}: steps never import steps")
                continue
            assert there in ALLOWED.get(here, set()), f"{place} imports {name}"
        elif parts[0] in THIRD_PARTY:
            allowed = THIRD_PARTY[parts[0]]
            assert any(str(place.as_posix()).startswith(prefix) for prefix in allowed), f"{place} imports {name}"


def test_the_parser_of_this_test_sees_a_forbidden_import(tmp_path):
    """The guard itself: an import inside a function is found, one for type checking only is not."""
    source = "if TYPE_CHECKING:\n    import torch\ndef f():\n    from fercli.steps import show\n"
    (tmp_path / "m.py").write_text(source)
    assert imports(tmp_path / "m.py") == ["fercli.steps.show"]


HEAVY = ("torch", "torchvision", "sklearn", "skimage", "cv2", "scipy", "matplotlib", "numpy")


@pytest.mark.parametrize("arguments", [["--help"], ["prune-bp", "--help"], ["train-resnet", "--help"]])
def test_help_loads_nothing_heavy(arguments):
    program = (
        "import sys\nfrom fercli.cli.app import run\n"
        f"code = run({arguments!r})\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)\nsys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_room_is_too_large(path):
    assert len(path.read_text().splitlines()) <= 350, "split it by meaning"


def test_no_drawer_for_everything():
    assert not [path for path in modules() if path.stem in {"utils", "util", "common", "helpers", "misc"}]


def test_every_module_says_what_it_is():
    assert not [str(path) for path in modules() if not ast.get_docstring(ast.parse(path.read_text()))]
