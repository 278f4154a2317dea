"""Where a command may write: its workspace, and the files and folders that its options name."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

# The options that name what is written outside of the workspace, by their parameter.
OUTPUTS = ("out", "annotate", "contact_sheet", "tensorboard")


@dataclass(frozen=True)
class Places:
    """The workspace of a command and its outputs beside it: option -> path, as the user wrote it."""

    workspace: Path
    outputs: Mapping[str, Path]

    @classmethod
    def of(cls, workspace: Path, values: Mapping[str, Any]) -> Self:
        """The places that the values of a command's parameters name."""
        given = {name: values[name] for name in OUTPUTS if values.get(name) is not None}
        return cls(workspace, {"--" + name.replace("_", "-"): Path(path) for name, path in given.items()})

    def output(self, path: str | Path) -> tuple[str, Path] | None:
        """The option that `path` came from and what the user gave there; None where no option did.

        It came from one that names it, something in it or, where that could not be made, a folder above it; and from
        one that names FILE where it is .FILE.SOMETHING, the hidden name under which FILE is written.
        """
        place, workspace = _absolute(path), _absolute(self.workspace)
        above_workspace = (workspace, *workspace.parents)
        for option, given in self.outputs.items():
            wanted = _absolute(given)
            hidden = place.parent == wanted.parent and place.name.startswith(f".{wanted.name}.")
            above = place in wanted.parents and place not in above_workspace
            if hidden or above or wanted in (place, *place.parents):
                return option, given
        return None

    def in_workspace(self, path: str | Path) -> bool:
        """Whether `path` is the workspace, in it, or above it."""
        place, workspace = _absolute(path), _absolute(self.workspace)
        return workspace in (place, *place.parents) or place in workspace.parents


def _absolute(path: str | Path) -> Path:
    return Path(os.path.abspath(path))
