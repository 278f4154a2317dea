"""Commands that look into a run: robustness, explain."""

from typing import Annotated

import typer

from fercli.cli import options
from fercli.cli.session import Session, command
from fercli.records import Outcome

PANEL = "Judge"
OTHER_DATA = "On other data"

Run = Annotated[
    str | None,
    typer.Argument(metavar="RUN", help="A run, by name or path; default: the only one.", show_default=False),
]
On = Annotated[
    str | None,
    typer.Option(
        "--on",
        metavar="DATA",
        help="Use the run's model/ on this data set or these features, instead of each fold's on its held-out rows.",
        rich_help_panel=OTHER_DATA,
        show_default=False,
    ),
]
Split = Annotated[
    str | None,
    typer.Option(
        "--split",
        help="Rows of --on: train, validation or test (counted in the ledger); default: all.",
        rich_help_panel=OTHER_DATA,
        show_default=False,
    ),
]
AllowTrainRows = Annotated[
    bool,
    typer.Option(
        "--allow-train-rows",
        help="Also use rows that the model was fitted on; every table says so.",
        rich_help_panel=OTHER_DATA,
    ),
]
Limit = Annotated[
    int | None,
    typer.Option("--limit", help="At most so many rows, drawn class by class; default: all.", show_default=False),
]
Device = Annotated[
    str, typer.Option("--device", help="Of nets: cpu, cuda, cuda:N, mps or auto.", rich_help_panel=options.RUNNING)
]
Confidence = Annotated[float, typer.Option("--confidence", help="Confidence level of the intervals.")]
Draws = Annotated[
    int, typer.Option("--draws", help="Draws of the bootstrap intervals.", rich_help_panel=options.RUNNING)
]


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""

    @command(app, "robustness", panel=PANEL)
    def robustness(
        session: Session,
        run: Run = None,
        kinds: Annotated[
            str,
            typer.Option("--kinds", help="Comma list of corruptions."),
        ] = "noise,blur,jpeg,occlusion,resolution,brightness,rotation",
        levels: Annotated[
            str, typer.Option("--levels", help="Comma list of levels, 0 (clean, always scored) to 5.")
        ] = "0,1,2,3,4,5",
        limit: Limit = None,
        on: On = None,
        split: Split = None,
        allow_train_rows: AllowTrainRows = False,
        confidence: Confidence = 0.95,
        draws: Draws = 2000,
        device: Device = "cpu",
        seed: options.Seed = 0,
        name: options.Name = None,
        threads: options.Threads = None,
        jobs: options.Jobs = None,
        force: options.Force = False,
        dry_run: options.DryRun = False,
    ) -> Outcome:
        """Accuracy on pictures made worse by known amounts: noise, blur, JPEG, occlusion and so on."""
        from fercli.config.robustness import RobustnessConfig
        from fercli.steps import robustness as step

        config = RobustnessConfig.of(
            kinds=tuple(options.comma_list(kinds, option="--kinds")),
            levels=tuple(options.comma_list(levels, option="--levels")),
            limit=limit,
            on=on,
            split=split,
            allow_train_rows=allow_train_rows,
            confidence=confidence,
            draws=draws,
            seed=seed,
        )
        return step.run(config, run, session.request(name=name), session.store(), session.console, device=device)
