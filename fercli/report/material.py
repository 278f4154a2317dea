"""What a report is made of: plain data that the step reads from run artifacts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fercli.report.history import Columns


@dataclass(frozen=True)
class RunMaterial:
    """One run.

    metrics: an entry of `evaluate`'s `runs[]`. history, receipts, activations: the run's CSV files, None where it has
    none.
    content: what its manifest adds (`hidden_before` …). provenance: names and values to print.
    """

    metrics: Mapping[str, Any]
    history: Columns | None = None
    receipts: Columns | None = None
    activations: Columns | None = None
    content: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return str(self.metrics["name"])


@dataclass(frozen=True)
class Drawing:
    """One figure of a report; stem: of its PNG and SVG file."""

    stem: str
    caption: str
    svg: bytes
    png: bytes
