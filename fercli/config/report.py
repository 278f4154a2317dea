"""What a report says beside its runs."""

from pydantic import Field

from fercli.config.base import Config


class ReportConfig(Config):
    """title: of the page, None for the default. draws, seed: of the 95 % bootstrap intervals.

    with_images: the most confident errors of each run with their pictures.
    """

    title: str | None = Field(default=None, max_length=200)
    draws: int = Field(default=2000, ge=100, le=100_000)
    with_images: bool = False
    seed: int = Field(default=0, ge=0, le=2**63 - 1)
