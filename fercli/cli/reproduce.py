"""`fer reproduce PAPER`: a paper's protocol run as it stands, our figures beside the paper's.

A paper is one entry of `PAPERS`: a function that chains steps and ends with the page.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from fercli.cli import options, reproduce_nets, reproduce_xu
from fercli.cli.session import Session, command
from fercli.errors import UsageError
from fercli.records import Outcome

PANEL = "Judge"


@dataclass(frozen=True)
class Asked:
    """What every paper is asked with. source: a sheet or folder to import first. features, dataset: standing ones."""

    source: Path | None
    features: str | None
    dataset: str | None
    repeats: int | None
    seed: int
    smoke: bool
    name: str | None
    device: str
    with_images: bool = False
    dry_run: bool = False


PAPERS: Mapping[str, Callable[[Session, Asked], Outcome]] = {
    "xu": reproduce_xu.reproduce,
    "xu-resnet": reproduce_nets.xu_resnet,
    "du": reproduce_nets.du,
}


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "reproduce", panel=PANEL)
    def reproduce(
        session: Session,
        paper: Annotated[str, typer.Argument(help=f"Which paper: {', '.join(PAPERS)}.", show_default=False)],
        source: Annotated[
            Path | None,
            typer.Argument(
                help="The paper's data, imported first: for xu the SFEW sheet, xu-resnet its frames, du FER-2013.",
                show_default=False,
            ),
        ] = None,
        features: options.Features = None,
        dataset: options.Dataset = None,
        repeats: Annotated[
            int | None,
            typer.Option("--repeats", help="Repeats of the folds, default 5; for du seeds, 3.", show_default=False),
        ] = None,
        seed: Annotated[
            int, typer.Option("--seed", min=0, help="Seed of everything that is drawn, fixed before it was run.")
        ] = 2026,
        smoke: Annotated[
            bool,
            typer.Option("--smoke", help="Minutes on a CPU, headed NOT THE PAPER'S PROTOCOL; draws faces if need be."),
        ] = False,
        device: Annotated[str, typer.Option("--device", help="For networks: cpu, cuda, cuda:N, mps or auto.")] = "auto",
        with_images: Annotated[
            bool, typer.Option("--with-images", help="Show pictures of people: du's figure 1, examples of the data.")
        ] = False,
        name: options.Name = None,
        threads: options.Threads = None,
        jobs: options.Jobs = None,
        force: options.Force = False,
        dry_run: options.DryRun = False,
    ) -> Outcome:
        """A paper's protocol, our figures beside the paper's: runs, tables as CSV and one page."""
        if paper not in PAPERS:
            raise UsageError(
                f"there is no paper called {paper} to reproduce",
                where=paper,
                next_step=f"name one of {', '.join(PAPERS)}",
            )
        asked = Asked(source, features, dataset, repeats, seed, smoke, name, device, with_images, dry_run)
        return PAPERS[paper](session, asked)
