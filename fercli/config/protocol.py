"""How rows are divided into training and held-out rows: the options that every trainer shares."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_serializer, model_validator

from fercli.config.base import Config

Scheme = Literal["auto", "stratified", "grouped", "contiguous", "logo", "official"]
Duplicates = Literal["group", "keep", "drop"]
Monitor = Literal["inner", "validation", "none"]


class ProtocolConfig(Config):
    """Folds by name, or a scheme that makes them; see `protocol/resolve.py` for what None means."""

    folds: str | None = None
    scheme: Scheme | None = None
    k: int | None = Field(default=None, ge=2)
    repeats: int = Field(default=1, ge=1, le=1000)
    duplicates: Duplicates = "group"
    monitor: Monitor = "inner"
    inner_fraction: float = Field(default=0.1, gt=0, lt=0.5)
    pool_splits: bool = False
    allow_group_leak: bool = False
    final_model: bool = True
    seed: int = Field(default=0, ge=0, le=2**63 - 1)

    @field_serializer("folds", when_used="json")
    def _without_its_folder(self, folds: str | None) -> str | None:
        """A user's own table by its file name, from wherever it was named: its bytes are a parent of the folds."""
        return folds and Path(folds).name

    @model_validator(mode="after")
    def _one_source_of_folds(self) -> Self:
        if self.folds is not None and (self.scheme is not None or self.k is not None):
            raise ValueError("--folds names folds that stand, --scheme and --k make new ones: give one of them")
        return self
