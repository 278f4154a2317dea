"""Runs against each other: compare."""

from typing import Annotated

import typer

from fercli.cli import options
from fercli.cli.session import Session, command
from fercli.records import Outcome

PANEL = "Judge"


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""

    @command(app, "compare", panel=PANEL)
    def compare(
        session: Session,
        runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Runs, by name or path.")],
        baseline: Annotated[
            str | None,
            typer.Option(
                "--baseline", help="Compare all others with this run; else each with each.", show_default=False
            ),
        ] = None,
        margin: Annotated[
            float | None,
            typer.Option(
                "--margin", help="Say whether a run is non-inferior within this share, e.g. 0.02.", show_default=False
            ),
        ] = None,
        fail_if_worse: Annotated[
            bool,
            typer.Option("--fail-if-worse", help="Exit 6 when a run's accuracy falls behind the baseline's."),
        ] = False,
        tolerance: Annotated[
            float, typer.Option("--tolerance", help="How far behind --fail-if-worse lets it fall, e.g. 0.01.")
        ] = 0.0,
        common_rows: Annotated[
            bool, typer.Option("--common-rows", help="Compare on the shared rows where runs scored different ones.")
        ] = False,
        level: Annotated[float, typer.Option("--level", help="Confidence level of intervals and verdict.")] = 0.95,
        draws: Annotated[
            int, typer.Option("--draws", help="Draws of the bootstrap intervals.", rich_help_panel=options.RUNNING)
        ] = 2000,
        seed: options.Seed = 0,
    ) -> Outcome:
        """Paired tests on the same held-out rows, corrected for the number of pairs, and a verdict in words."""
        from fercli.config.compare import CompareConfig
        from fercli.steps import compare as step

        if not fail_if_worse:
            session.refuse_idle("tolerance", without="--fail-if-worse")
        config = CompareConfig.of(
            baseline=baseline,
            margin=margin,
            tolerance=tolerance,
            fail_if_worse=fail_if_worse,
            common_rows=common_rows,
            level=level,
            draws=draws,
            seed=seed,
        )
        return step.run(config, runs, session.request(), session.store(), session.console)
