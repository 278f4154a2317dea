"""What `fer export` writes: the form of the file, and what a sheet's components are fitted on."""

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from fercli.config.base import Config
from fercli.config.preprocessing import Components
from fercli.errors import UsageError

# Format -> what it is made of and how its file ends.
FORMATS = {"sheet": "features as a table, .csv or .xlsx"}
_FOLD = re.compile(r"(?:fold[ :-]?)?(\d+)/(\d+)")


class FoldRows(Config):
    """The training rows of one fold, both numbers counted from 0 as in `folds/R/00`."""

    repeat: int = Field(ge=0)
    fold: int = Field(ge=0)


def _rows(value: Any) -> Any:
    """`all`, `train` or `fold R/F`, as a user writes it."""
    if not isinstance(value, str) or value in ("all", "train"):
        return value
    match = _FOLD.fullmatch(value.strip())
    if not match:
        raise ValueError(f"say all, train, or 'fold R/F' such as 'fold 0/3', not {value!r}")
    return FoldRows(repeat=int(match[1]), fold=int(match[2]))


class ExportConfig(Config):
    """A sheet's components and the rows they are fitted on.

    pca: components per block, a share of the variance, None for the columns as they are. fit_on: None is `train`
    where rows have splits, else `all`.
    """

    format: Literal["sheet"] = "sheet"
    pca: Components = None
    fit_on: Annotated[Literal["all", "train"] | FoldRows | None, BeforeValidator(_rows)] = None


def check_format(name: str) -> None:
    """UsageError for a format that this release does not write, naming those that it does."""
    if name not in FORMATS:
        there = ", ".join(f"{known} ({what})" for known, what in FORMATS.items())
        raise UsageError(f"--format: {name} cannot be written by this release", next_step=f"there is: {there}")
