"""The yardstick: train-baseline."""

from typing import Annotated

import typer

from fercli.cli import options
from fercli.cli.session import Session, command
from fercli.records import Outcome

PANEL = "Train"


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""

    @command(app, "train-baseline", panel=PANEL, shared=options.PROTOCOL_PARAMETERS)
    def train_baseline(
        session: Session,
        model: Annotated[
            str,
            typer.Option(
                "--model",
                help="majority, lda, logistic, linear-svm, rbf-svm, knn, forest or mlp; comma list: one run each.",
                show_default=False,
            ),
        ],
        features: options.Features = None,
        pca: Annotated[
            str | None,
            typer.Option(
                "--pca",
                help="Components of each block, a share of the variance, or none; default: as the features say.",
            ),
        ] = None,
        log: Annotated[
            str, typer.Option("--log", help="auto (skewed columns), none, or a comma list of columns.")
        ] = "auto",
        scaling: Annotated[str, typer.Option("--scaling", help="zscore, minmax or none.")] = "zscore",
        trees: Annotated[int, typer.Option("--trees", help="Trees of the forest.")] = 300,
        hidden: Annotated[int, typer.Option("--hidden", help="Hidden units of the MLP.")] = 64,
        epochs: Annotated[int, typer.Option("--epochs", help="Passes of the MLP over its rows.")] = 100,
        inner_folds: Annotated[int, typer.Option("--inner-folds", help="Folds of the inner choice of parameters.")] = 3,
        grid_rows: Annotated[
            int, typer.Option("--grid-rows", help="Training rows that the inner choice reads at most.")
        ] = 4000,
        name: options.Name = None,
        threads: options.Threads = None,
        jobs: options.Jobs = None,
        force: options.Force = False,
        dry_run: options.DryRun = False,
    ) -> Outcome:
        """The honest yardstick: scikit-learn on the same folds, its parameters chosen inside the training rows."""
        from fercli.config.baseline import TrainBaselineConfig
        from fercli.config.preprocessing import PreprocessingConfig
        from fercli.errors import UsageError
        from fercli.steps import train_baseline as step

        models = options.comma_list(model, option="--model")
        if len(set(models)) < len(models):
            raise UsageError(f"--model: a yardstick is named twice in {model}", next_step="name each once")
        preprocessing = PreprocessingConfig.of(
            pca=options.components(pca) if pca is not None else None,
            log=log if log in ("auto", "none") else tuple(options.comma_list(log, option="--log")),
            scaling=scaling,
        )
        configs = [
            TrainBaselineConfig.of(
                model=one,
                inner_folds=inner_folds,
                grid_rows=grid_rows,
                trees=trees,
                hidden=hidden,
                epochs=epochs,
                preprocessing=preprocessing,
                protocol=options.protocol_config(session),
            )
            for one in models
        ]
        request = session.request(name=name, inputs={"features": features})
        return step.run(configs, request, session.store(), session.console, default_pca=pca is None)
