"""Options that several commands share, each declared once."""

import inspect
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fercli.cli.session import Session
from fercli.errors import UsageError

if TYPE_CHECKING:
    from fercli.config.protocol import ProtocolConfig

INPUTS = "Inputs and output"
PROTOCOL = "Protocol"
RUNNING = "How it runs"

Name = Annotated[
    str | None,
    typer.Option("--name", help="Name of the new artifact.", rich_help_panel=INPUTS, show_default=False),
]
Force = Annotated[
    bool,
    typer.Option(
        "--force", help="Replace what stands under the name; the old one goes to .trash.", rich_help_panel=INPUTS
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.", rich_help_panel=RUNNING)
]
Dataset = Annotated[
    str | None,
    typer.Option(
        "--dataset", help="Data set to use; default: the only one.", rich_help_panel=INPUTS, show_default=False
    ),
]
Features = Annotated[
    str | None,
    typer.Option(
        "--features", help="Features to use; default: the only ones.", rich_help_panel=INPUTS, show_default=False
    ),
]
Seed = Annotated[
    int,
    typer.Option("--seed", min=0, help="Seed of everything that is drawn; never the clock.", rich_help_panel=RUNNING),
]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        min=1,
        help="Threads for arithmetic; default: the cores this process may use.",
        rich_help_panel=RUNNING,
        show_default=False,
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        min=1,
        help="Processes side by side; default: the cores this process may use.",
        rich_help_panel=RUNNING,
        show_default=False,
    ),
]
Folds = Annotated[
    str | None,
    typer.Option(
        "--folds",
        help="Folds that stand, by name or path; or a table of your own, as make-folds --from takes it.",
        rich_help_panel=PROTOCOL,
        show_default=False,
    ),
]
Scheme = Annotated[
    str | None,
    typer.Option(
        "--scheme",
        help="auto, stratified, grouped, contiguous, logo or official; default: the official split if the rows have "
        "one, else the only folds of that data, else auto.",
        rich_help_panel=PROTOCOL,
        show_default=False,
    ),
]
K = Annotated[
    int | None, typer.Option("--k", help="Number of folds; default 5.", rich_help_panel=PROTOCOL, show_default=False)
]
Repeats = Annotated[int, typer.Option("--repeats", help="Repeats of the folds.", rich_help_panel=PROTOCOL)]
Duplicates = Annotated[
    str,
    typer.Option("--duplicates", help="Equal rows: group (share a fold), keep or drop.", rich_help_panel=PROTOCOL),
]
Monitor = Annotated[
    str,
    typer.Option(
        "--monitor",
        help="What early stopping and other choices read: inner (part of the training rows), validation (a paper's "
        "protocol, labelled) or none.",
        rich_help_panel=PROTOCOL,
    ),
]
PoolSplits = Annotated[
    bool, typer.Option("--pool-splits", help="Let validation and test rows enter k folds.", rich_help_panel=PROTOCOL)
]
AllowGroupLeak = Annotated[
    bool,
    typer.Option(
        "--allow-group-leak",
        help="Accept rows of one group on both sides; every table says so.",
        rich_help_panel=PROTOCOL,
    ),
]
FinalModel = Annotated[
    bool,
    typer.Option(
        "--final-model/--no-final-model", help="Also fit one model on all rows of the folds.", rich_help_panel=PROTOCOL
    ),
]


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


# What makes folds, in the order of the help.
FOLD_PARAMETERS = (
    _parameter("scheme", Scheme, None),
    _parameter("k", K, None),
    _parameter("repeats", Repeats, 1),
    _parameter("duplicates", Duplicates, "group"),
    _parameter("pool_splits", PoolSplits, False),
    _parameter("allow_group_leak", AllowGroupLeak, False),
    _parameter("seed", Seed, 0),
)
# What every trainer takes: folds that stand, or the options that make them, and what choices read.
PROTOCOL_PARAMETERS = (
    _parameter("folds", Folds, None),
    *FOLD_PARAMETERS,
    _parameter("monitor", Monitor, "inner"),
    _parameter("final_model", FinalModel, True),
)


def protocol_config(session: Session) -> "ProtocolConfig":
    """The protocol that the options of `PROTOCOL_PARAMETERS` or `FOLD_PARAMETERS` ask for."""
    from fercli.config.protocol import ProtocolConfig

    names = {parameter.name for parameter in PROTOCOL_PARAMETERS}
    values = {name: value for name, value in session.values.items() if name in names}
    return ProtocolConfig.of(**{**values, "folds": named_folds(values.get("folds"), session.workspace)})


def named_folds(given: str | None, workspace: Path) -> str | None:
    """One spelling of the same folds, so that `x`, `./x`, `folds/x` and `WORKSPACE/folds/x` are one config."""
    if not given:
        return given
    if given.startswith("folds/") and (workspace / given).is_dir():
        return os.path.basename(os.path.normpath(given))
    path = os.path.normpath(given)
    standing = os.path.realpath(workspace / "folds")
    return os.path.basename(path) if os.path.dirname(os.path.realpath(path)) == standing else path


def comma_list(text: str, *, option: str) -> list[str]:
    """The items of a comma list; UsageError when one is empty."""
    items = [item.strip() for item in text.split(",")]
    if not all(items):
        raise UsageError(f"{option}: an empty item in {text!r}", next_step=f"give {option} a,b,c without gaps")
    return items


def size_of(text: str | None, *, option: str = "--size") -> tuple[int, int] | None:
    """(height, width) from `48` or `576x720`; UsageError otherwise."""
    if text is None:
        return None
    parts = text.lower().split("x")
    if len(parts) > 2 or not all(part.isdecimal() and 0 < int(part) <= 16384 for part in parts):
        raise UsageError(
            f"{option}: {text!r} is not a size in pixels", next_step=f"give {option} 48, or {option} 576x720 (HxW)"
        )
    sides = [int(part) for part in parts]
    return (sides[0], sides[-1])


def components(text: str, *, option: str = "--pca") -> int | float | None:
    """`5` components, `0.98` of the variance, or None for `none`."""
    if text.lower() == "none":
        return None
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        raise UsageError(
            f"{option}: {text!r} is neither a number of components, a share of the variance, nor none",
            next_step=f"give {option} 5, {option} 0.98 or {option} none",
        ) from None
