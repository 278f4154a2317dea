"""The command groups, in the order of the pipeline, which is the order of `fer --help`."""

import typer

from fercli.cli import (
    audit,
    baseline,
    bench,
    bp,
    compare,
    data,
    demo,
    evaluation,
    explain,
    export,
    features,
    predict,
    reproduce,
    resnet,
    workspace,
)


def register(app: typer.Typer) -> None:
    """Add every command to the app."""
    judging = (evaluation, compare, explain, reproduce)
    for group in (demo, data, audit, features, bp, resnet, baseline, *judging, predict, export, workspace, bench):
        group.register(app)
