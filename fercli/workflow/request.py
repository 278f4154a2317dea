"""What the user asked for beside the config: how to call it and how to run it, never what to compute."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fercli.artifacts.provenance import execution


@dataclass(frozen=True)
class Request:
    """name: of the artifact, None for the default. inputs: option -> name or path of an input artifact, if given."""

    command: tuple[str, ...] = ()
    name: str | None = None
    force: bool = False
    dry_run: bool = False
    threads: int = 1
    jobs: int = 1
    inputs: Mapping[str, str | None] = field(default_factory=dict)

    def execution(self, **more: Any) -> dict[str, Any]:
        """How it runs, for the artifact; recorded, never hashed."""
        return execution(threads=self.threads, jobs=self.jobs, **more)
