"""`fer demo`: the whole pipeline on faces that the package draws itself."""

import shlex
from collections.abc import Callable
from typing import Annotated, Any

import typer

from fercli.cli import options
from fercli.cli.session import Session, command
from fercli.records import Outcome

PANEL = "First look"
WORKSPACE = "fer-demo"
RUNS = ("prune-bp", "small-net")


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "demo", panel=PANEL, default_workspace=WORKSPACE)
    def demo(
        session: Session,
        subjects: Annotated[
            int, typer.Option("--subjects", help="Different people to draw, at least 20.", min=20)
        ] = 40,
        epochs: Annotated[int, typer.Option("--epochs", help="Epochs of the small net.", min=1)] = 10,
        seed: options.Seed = 0,
        threads: options.Threads = None,
        jobs: options.Jobs = None,
        dry_run: options.DryRun = False,
    ) -> Outcome:
        """Draw faces, extract PHOG and LPQ, train and prune a BP network, train a small net, evaluate, report."""
        from fercli.config.bp import PruneBPConfig
        from fercli.config.descriptors import DescriptorConfig
        from fercli.config.evaluate import EvaluateConfig
        from fercli.config.protocol import ProtocolConfig
        from fercli.config.report import ReportConfig
        from fercli.config.resnet import ResNetConfig
        from fercli.config.synthesize import SynthesizeConfig
        from fercli.steps import evaluate, extract_features, prune_bp, report, synthesize, train_resnet

        store, console = session.store(), session.console
        skipped: list[str] = []

        def step(what: str, run: Callable[[Any], Outcome], name: str | None = None) -> Outcome:
            if dry_run:
                skipped.append(what.split("  ", 1)[1])
                return Outcome()
            console.say(f"\n{what}")
            return run(session.request(name=name, inputs={"dataset": "synthetic", "features": "synthetic"}))

        w = f" -w {shlex.quote(str(session.workspace))}"
        judge = f"{' '.join(RUNS)} --name demo{w}"
        faces = SynthesizeConfig.of(subjects=subjects, seed=seed)
        step(
            f"1 of 6  fer synthesize --subjects {subjects} --seed {seed}{w}",
            lambda request: synthesize.run(faces, request, store, console),
        )
        descriptors = DescriptorConfig()
        step(
            f"2 of 6  fer extract-features{w}",
            lambda request: extract_features.run(descriptors, request, store, console),
        )
        pruning = PruneBPConfig.of(protocol=ProtocolConfig(k=20, seed=seed))
        step(
            f"3 of 6  fer prune-bp --k 20 --seed {seed}{w}",
            lambda request: prune_bp.run(pruning, request, store, console),
            RUNS[0],
        )
        net = ResNetConfig.of_recipe("default", variant="cnn", width=16, epochs=epochs)
        protocol = ProtocolConfig(k=5, seed=seed, final_model=False)
        step(
            f"4 of 6  fer train-resnet --variant cnn --width 16 --epochs {epochs} --k 5 --no-final-model "
            f"--name {RUNS[1]} --device cpu --seed {seed}{w}",
            lambda request: train_resnet.run(net, protocol, request, store, console, device="cpu"),
            RUNS[1],
        )
        judged = step(
            f"5 of 6  fer evaluate {judge}",
            lambda request: evaluate.run(EvaluateConfig(), RUNS, request, store, console),
            "demo",
        )
        page = step(
            f"6 of 6  fer report {judge}",
            lambda request: report.run(ReportConfig(), RUNS, request, store, console),
            "demo",
        )
        if dry_run:
            lines = ("would run, one after the other:", *(f"  {line}" for line in skipped))
            return Outcome(payload={"would_make": "report/demo", "commands": skipped}, lines=lines)
        return Outcome(
            status=page.status,
            artifact=page.artifact,
            payload={"runs": judged.payload["runs"], "page": page.payload["page"]},
            tables=judged.tables,
            lines=(*judged.lines, f"report: {page.payload['page']}"),
        )
