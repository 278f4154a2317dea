"""Write `docs/cli.md` from the commands themselves: `python -m fercli.cli.reference docs/cli.md`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

HEADER = """# Commands

Generated from the commands' own help by `python -m fercli.cli.reference docs/cli.md`; a test fails when it is stale.

"""


def page() -> str:
    """The whole reference as Markdown: the groups in the order of the pipeline, every option of every command."""
    from fercli.cli.app import _register, app

    if not app.registered_commands:
        _register()
    group: Any = typer.main.get_command(app)
    lines = [HEADER]
    panel = None
    for name, command in group.commands.items():
        if command.rich_help_panel != panel:
            panel = command.rich_help_panel
            lines.append(f"## {panel}\n")
        lines += _command(name, command)
    return "\n".join(lines).rstrip() + "\n"


def _command(name: str, command: Any) -> Iterator[str]:
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    usage = " ".join(["fer", name, "[OPTIONS]", *(_metavar(argument) for argument in arguments)])
    yield f"### {name}\n"
    yield f"{_flat(command.help or '')}\n"
    yield f"```\n{usage}\n```\n"
    for argument in arguments:
        yield f"- `{_metavar(argument)}`: {_flat(getattr(argument, 'help', None) or '')}"
    if arguments:
        yield ""
    yield "| option | what | default |"
    yield "|---|---|---|"
    for option in command.params:
        if option.param_type_name == "option" and not option.hidden:
            names = ", ".join(f"`{spelling}`" for spelling in [*option.opts, *option.secondary_opts])
            yield f"| {names} | {_cell(option.help or '')} | {_default(option)} |"
    yield ""


def _metavar(argument: Any) -> str:
    name = argument.name.upper()
    name = f"{name}..." if argument.nargs == -1 else name
    return name if argument.required else f"[{name}]"


def _default(option: Any) -> str:
    value = option.default
    if value is None or value == "" or callable(value):
        return ""
    if isinstance(value, bool):
        return "on" if value else ""
    return f"`{value}`"


def _flat(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return _flat(text).replace("|", "\\|")


def main(arguments: list[str]) -> int:
    """Write the page to a path, or with --check say whether the file there is up to date."""
    check = "--check" in arguments
    paths = [argument for argument in arguments if argument != "--check"]
    if len(paths) != 1:
        print("usage: python -m fercli.cli.reference [--check] docs/cli.md", file=sys.stderr)
        return 2
    path = Path(paths[0])
    if check:
        if path.exists() and path.read_text(encoding="utf-8") == page():
            return 0
        print(f"{path} is stale: run python -m fercli.cli.reference {path}", file=sys.stderr)
        return 1
    path.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
