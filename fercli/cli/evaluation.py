"""Commands that judge runs: evaluate, report."""

from typing import Annotated

import typer

from fercli.cli import options
from fercli.cli.session import Session, command
from fercli.records import Outcome

PANEL = "Judge"
OTHER_DATA = "On other data"

Runs = Annotated[
    list[str] | None, typer.Argument(metavar="RUN", help="Runs, by name or path; none = all.", show_default=False)
]
Draws = Annotated[
    int, typer.Option("--draws", help="Draws of the bootstrap intervals.", rich_help_panel=options.RUNNING)
]


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""

    @command(app, "evaluate", panel=PANEL)
    def evaluate(
        session: Session,
        runs: Runs = None,
        require: Annotated[
            str | None,
            typer.Option(
                "--require",
                help='Gates as a comma list, e.g. "accuracy>=0.55,macro_f1>=0.5": exit 6 when a run misses one.',
                show_default=False,
            ),
        ] = None,
        on: Annotated[
            str | None,
            typer.Option(
                "--on",
                metavar="DATA",
                help="Score each run's model/ on this data set or these features; labels are matched by name.",
                rich_help_panel=OTHER_DATA,
                show_default=False,
            ),
        ] = None,
        split: Annotated[
            str | None,
            typer.Option(
                "--split",
                help="Rows of --on: train, validation or test (counted in the ledger); default: all.",
                rich_help_panel=OTHER_DATA,
                show_default=False,
            ),
        ] = None,
        allow_train_rows: Annotated[
            bool,
            typer.Option(
                "--allow-train-rows",
                help="Also score rows that the model was fitted on; every table says so.",
                rich_help_panel=OTHER_DATA,
            ),
        ] = False,
        device: Annotated[
            str,
            typer.Option(
                "--device", help="Of nets on --on: cpu, cuda, cuda:N, mps or auto.", rich_help_panel=OTHER_DATA
            ),
        ] = "cpu",
        details: Annotated[
            bool, typer.Option("--details", help="Also MCC, Brier, calibration, top-2, AURC, worst group, copies.")
        ] = False,
        level: Annotated[float, typer.Option("--level", help="Confidence level of the intervals.")] = 0.95,
        draws: Draws = 2000,
        seed: options.Seed = 0,
        name: options.Name = None,
        threads: options.Threads = None,
        jobs: options.Jobs = None,
        force: options.Force = False,
        dry_run: options.DryRun = False,
    ) -> Outcome:
        """Pooled and per-fold scores of runs, with intervals, beside the majority class; or models on other data."""
        from fercli.config.evaluate import EvaluateConfig
        from fercli.steps import evaluate as step

        config = EvaluateConfig.of(
            require=require,
            on=on,
            split=split,
            allow_train_rows=allow_train_rows,
            draws=draws,
            level=level,
            seed=seed,
        )
        return step.run(
            config,
            runs or (),
            session.request(name=name),
            session.store(),
            session.console,
            details=details,
            device=device,
        )

    @command(app, "report", panel=PANEL)
    def report(
        session: Session,
        runs: Runs = None,
        title: Annotated[str | None, typer.Option("--title", help="Title of the page.", show_default=False)] = None,
        with_images: Annotated[
            bool,
            typer.Option("--with-images", help="Show the most confident errors of each run, as pictures in the page."),
        ] = False,
        draws: Draws = 2000,
        seed: options.Seed = 0,
        name: options.Name = None,
        force: options.Force = False,
        dry_run: options.DryRun = False,
    ) -> Outcome:
        """One self-contained HTML page over runs, with figures as PNG and SVG and tables as CSV."""
        from fercli.config.report import ReportConfig
        from fercli.steps import report as step

        config = ReportConfig.of(title=title, with_images=with_images, draws=draws, seed=seed)
        return step.run(config, runs or (), session.request(name=name), session.store(), session.console)
