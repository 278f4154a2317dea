"""The command that measures the project's own speed: bench."""

from typing import Annotated

import typer

from fercli.cli import options
from fercli.cli.session import Session, command
from fercli.records import Outcome

PANEL = "Look around"
PCA = "PCA"
RESNET = "ResNet"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "bench", panel=PANEL)
    def bench(
        session: Session,
        topic: Annotated[str, typer.Argument(help="descriptors, bp, pca or resnet.")],
        features: Annotated[
            str | None,
            typer.Option(
                "--features", help="Real features; default: made ones.", rich_help_panel=PCA, show_default=False
            ),
        ] = None,
        rows: Annotated[int, typer.Option("--rows", help="Rows of them, evenly spaced.", rich_help_panel=PCA)] = 5000,
        folds: Annotated[int, typer.Option("--k", help="Number of folds.", rich_help_panel=PCA)] = 20,
        components: Annotated[int, typer.Option("--components", help="Components to keep.", rich_help_panel=PCA)] = 20,
        variant: Annotated[
            str, typer.Option("--variant", help="Networks, separated by commas.", rich_help_panel=RESNET)
        ] = "cnn,xu-resnet",
        width: Annotated[
            int, typer.Option("--width", help="Channels of the cnn's first stage.", rich_help_panel=RESNET)
        ] = 16,
        device: Annotated[
            str, typer.Option("--device", help="cpu, cuda, cuda:N, mps or auto.", rich_help_panel=RESNET)
        ] = "cpu",
        precision: Annotated[
            str, typer.Option("--precision", help="auto, fp32 or bf16, as of train-resnet.", rich_help_panel=RESNET)
        ] = "auto",
        stem: Annotated[
            str | None,
            typer.Option(
                "--stem", help="imagenet, small-pool or small.", rich_help_panel=RESNET, show_default="imagenet"
            ),
        ] = None,
        batch_size: Annotated[
            int, typer.Option("--batch-size", help="Pictures per forward pass.", rich_help_panel=RESNET)
        ] = 64,
        compile_: Annotated[
            bool, typer.Option("--compile", help="Compile our training pass.", rich_help_panel=RESNET)
        ] = False,
        repeats: Annotated[
            int, typer.Option("--repeats", help="Runs of each; the fastest counts, for resnet the median.")
        ] = 3,
        quick: Annotated[bool, typer.Option("--quick", help="Small data, one run: whether it works.")] = False,
        seed: options.Seed = 0,
        threads: options.Threads = None,
        jobs: options.Jobs = None,
    ) -> Outcome:
        """Our own speed beside the obvious alternative, in one run, results checked equal before timing."""
        from fercli.config.bench import BenchConfig, check_topic
        from fercli.steps import bench as step

        check_topic(topic)
        config = BenchConfig.of(
            topic=topic,
            quick=quick,
            repeats=repeats,
            folds=folds,
            components=components,
            rows=rows,
            variant=tuple(options.comma_list(variant, option="--variant")),
            width=width,
            device=device,
            precision=precision,
            stem=stem,
            batch_size=batch_size,
            compile=compile_,
            seed=seed,
        )
        request = session.request(inputs={"features": features})
        return step.run(config, request, session.store(), session.console)
