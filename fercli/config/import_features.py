"""Options of `import-features`: how a sheet becomes a feature set."""

from typing import Literal

from fercli.config.base import Config


class ImportFeaturesConfig(Config):
    """Everything that changes the rows of an imported feature sheet; `auto` looks at its header."""

    format: Literal["auto", "sfew", "table"] = "auto"
