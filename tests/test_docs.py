"""The docs are part of the product: commands exist, the reference is fresh, links lead somewhere."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from fercli.cli import reference
from fercli.cli.app import _register, app

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.fixture(scope="module")
def commands():
    if not app.registered_commands:
        _register()
    return typer.main.get_command(app).commands


def shell_lines(page: Path) -> list[str]:
    """Lines of fenced blocks that call fer."""
    found = []
    for block in re.findall(r"```(?:\w*)\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.split(r"&&|\|\|?|;", line.split(" #")[0]):
                if part.strip().startswith("fer "):
                    found.append(part.strip())
    return found


def test_the_reference_is_fresh():
    page = ROOT / "docs" / "cli.md"
    assert page.read_text(encoding="utf-8") == reference.page(), f"run python -m fercli.cli.reference {page}"


def test_every_command_has_help_and_every_option_too(commands):
    for name, command in commands.items():
        assert command.help, name
        for option in command.params:
            if option.param_type_name == "option" and not option.hidden:
                assert option.help, f"{name} {option.opts}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_documented_commands_and_options_exist(page, commands):
    for line in shell_lines(page):
        try:
            words = shlex.split(line)
        except ValueError:
            pytest.fail(f"{page.name}: {line} does not parse")
        if words[1].startswith("-"):
            continue
        if words[1].isupper():
            continue
        assert words[1] in commands, f"{page.name}: {line}"
        known = commands[words[1]].params
        options = {spelling for option in known for spelling in (*option.opts, *option.secondary_opts)}
        for word in words[2:]:
            if word.startswith("--"):
                assert word.split("=")[0] in options | {"--help"}, f"{page.name}: {line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    prose = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", prose):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_readme_names_every_command(commands):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert not [name for name in commands if not re.search(rf"`(?:fer )?{name}`", text)]


def test_no_machine_path_is_in_the_project():
    here = re.compile(r"/(?:work|root|home|tmp/venv)/")
    found = []
    for path in [*PAGES, *(ROOT / "fercli").rglob("*.py"), *(ROOT / "tests").rglob("*.py"), ROOT / "pyproject.toml"]:
        if path != Path(__file__) and here.search(path.read_text(encoding="utf-8")):
            found.append(str(path.relative_to(ROOT)))
    assert not found
