"""Commands that look into a run: robustness, explain."""

from pathlib import Path
from typing import Annotated

import typer

from fercli.cli import options
from fercli.cli.session import Session, command
from fercli.records import Outcome

PANEL = "Judge"
OTHER_DATA = "On other data"
ONE = "One picture"

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

    @command(app, "explain", panel=PANEL)
    def explain(
        session: Session,
        run: Run = None,
        target: Annotated[
            str,
            typer.Option("--target", help="Of nets: the class whose evidence is shown: predicted, truth or a class."),
        ] = "predicted",
        samples: Annotated[
            int, typer.Option("--samples", help="Of nets: pictures of each class to show, so many right and wrong.")
        ] = 4,
        picture: Annotated[
            Path | None,
            typer.Option(
                "--picture",
                help="A file: as a net, or as PHOG and LPQ see it.",
                rich_help_panel=ONE,
                show_default=False,
            ),
        ] = None,
        sample: Annotated[
            str | None,
            typer.Option(
                "--sample",
                metavar="ID",
                help="A row of the data: as the net that holds it out, or as PHOG and LPQ see it.",
                rich_help_panel=ONE,
                show_default=False,
            ),
        ] = None,
        faces: Annotated[
            str,
            typer.Option(
                "--faces", help="Of --picture: crop: its largest face; whole: all of it.", rich_help_panel=ONE
            ),
        ] = "crop",
        dataset: options.Dataset = None,
        permutations: Annotated[
            int, typer.Option("--permutations", help="Of models on columns: permutations of the rows.")
        ] = 10,
        components: Annotated[
            int, typer.Option("--components", help="Of models on columns: so many columns of each block, singly.")
        ] = 20,
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
        """Where a net looks, which features count, and what PHOG and LPQ see in a picture."""
        from fercli.config.explain import ExplainConfig

        single = picture is not None or sample is not None
        if sample is None:
            session.refuse_idle("dataset", without="--sample")
        config = ExplainConfig.of(
            target=target,
            samples=samples,
            limit=limit,
            permutations=permutations,
            components=components,
            on=on,
            split=split,
            allow_train_rows=allow_train_rows,
            one_picture=single,
            faces=faces,
            confidence=confidence,
            draws=draws,
            seed=seed,
        )
        request = session.request(name=name, inputs={"dataset": dataset})
        if single:
            from fercli.steps import explain_picture

            return explain_picture.run(
                config,
                run,
                request,
                session.store(),
                session.console,
                file=picture,
                sample=sample,
                device=device,
            )
        from fercli.steps import explain as step

        return step.run(config, run, request, session.store(), session.console, device=device)
