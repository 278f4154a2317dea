"""How runs are scored again, and what a pipeline requires of them."""

from pydantic import Field

from fercli.config.base import Config


class EvaluateConfig(Config):
    """draws, level, seed: of the bootstrap intervals. require: gates as a comma list, see `evaluation/gates.py`."""

    require: str | None = None
    draws: int = Field(default=2000, ge=100, le=100_000)
    level: float = Field(default=0.95, gt=0.5, lt=1)
    seed: int = Field(default=0, ge=0, le=2**63 - 1)
