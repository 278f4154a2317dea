"""Commands between data and training: make-folds, extract-features."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fercli.cli import options
from fercli.cli.session import Session, command
from fercli.errors import InputError, UsageError
from fercli.records import Outcome

PANEL = "Prepare"
PHOG, LPQ, OTHER = "PHOG", "LPQ", "HOG and LBP"


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""

    @command(app, "make-folds", panel=PANEL, shared=options.FOLD_PARAMETERS)
    def make_folds(
        session: Session,
        dataset: options.Dataset = None,
        features: options.Features = None,
        folds: Annotated[
            str | None,
            typer.Option(
                "--from",
                metavar="FILE",
                help="Take over your own table (CSV or XLSX: id,fold, with group and repeat if you like).",
                rich_help_panel=options.PROTOCOL,
                show_default=False,
            ),
        ] = None,
        name: options.Name = None,
        force: options.Force = False,
        dry_run: options.DryRun = False,
    ) -> Outcome:
        """Divide rows into folds that no group and no copy crosses; every trainer can run on them."""
        from fercli.steps import make_folds as step

        if folds is not None and (session.values["scheme"] is not None or session.values["k"] is not None):
            raise UsageError(
                "--from takes over folds that stand, --scheme and --k make new ones: give one of them",
                next_step="see fer make-folds --help",
            )
        if folds is not None and not Path(folds).is_file():
            raise InputError("the table of folds does not exist", where=folds, next_step="check the path")
        request = session.request(name=name, inputs={"dataset": dataset, "features": features})
        return step.run(options.protocol_config(session), request, session.store(), session.console)

    @command(app, "extract-features", panel=PANEL)
    def extract_features(
        session: Session,
        dataset: options.Dataset = None,
        descriptors: Annotated[
            str | None,
            typer.Option("--descriptors", help="Comma list of phog, lpq, hog, lbp; default: phog,lpq."),
        ] = None,
        preset: Annotated[
            str | None, typer.Option("--preset", help="xu, dhall2011-sps, dhall2011-spi or strong.")
        ] = None,
        pca: Annotated[
            str | None,
            typer.Option(
                "--pca",
                help="What trainers keep of each block, fitted per fold: components, a share of the variance, or "
                "none; default: 5.",
            ),
        ] = None,
        phog_bins: Annotated[
            int | None, typer.Option("--phog-bins", help="Orientation bins; default: 8.", rich_help_panel=PHOG)
        ] = None,
        phog_angle: Annotated[
            int | None, typer.Option("--phog-angle", help="180 or 360 degrees; default: 360.", rich_help_panel=PHOG)
        ] = None,
        phog_levels: Annotated[
            int | None, typer.Option("--phog-levels", help="Levels of the pyramid; default: 3.", rich_help_panel=PHOG)
        ] = None,
        phog_canny: Annotated[
            str | None,
            typer.Option(
                "--phog-canny",
                help="matlab, matlab-2011, matlab-2010 or opencv; default: matlab.",
                rich_help_panel=PHOG,
            ),
        ] = None,
        lpq_window: Annotated[
            str | None,
            typer.Option("--lpq-window", help="Comma list of odd sides in pixels; default: 7.", rich_help_panel=LPQ),
        ] = None,
        lpq_grid: Annotated[
            str | None, typer.Option("--lpq-grid", help="Blocks, ROWSxCOLUMNS; default: 1x1.", rich_help_panel=LPQ)
        ] = None,
        lpq_frequency: Annotated[
            str | None,
            typer.Option(
                "--lpq-frequency", help="uniform, gaussian or quadrature; default: uniform.", rich_help_panel=LPQ
            ),
        ] = None,
        lpq_decorrelate: Annotated[
            bool | None,
            typer.Option(
                "--lpq-decorrelate/--no-lpq-decorrelate",
                help="Decorrelate the responses; default: on.",
                rich_help_panel=LPQ,
                show_default=False,
            ),
        ] = None,
        hog_orientations: Annotated[
            int | None, typer.Option("--hog-orientations", help="Orientations; default: 9.", rich_help_panel=OTHER)
        ] = None,
        hog_cell: Annotated[
            int | None, typer.Option("--hog-cell", help="Side in pixels; default: 8.", rich_help_panel=OTHER)
        ] = None,
        hog_block: Annotated[
            int | None, typer.Option("--hog-block", help="Side in cells; default: 2.", rich_help_panel=OTHER)
        ] = None,
        lbp_points: Annotated[
            int | None, typer.Option("--lbp-points", help="Points; default: 8.", rich_help_panel=OTHER)
        ] = None,
        lbp_radius: Annotated[
            float | None, typer.Option("--lbp-radius", help="In pixels; default: 1.", rich_help_panel=OTHER)
        ] = None,
        lbp_grid: Annotated[
            str | None, typer.Option("--lbp-grid", help="Blocks, ROWSxCOLUMNS; default: 4x4.", rich_help_panel=OTHER)
        ] = None,
        backend: Annotated[
            str,
            typer.Option("--backend", help="loky (this machine) or dask (a cluster).", rich_help_panel=options.RUNNING),
        ] = "loky",
        scheduler: Annotated[
            str | None,
            typer.Option("--scheduler", help="Address of the Dask scheduler.", rich_help_panel=options.RUNNING),
        ] = None,
        name: options.Name = None,
        jobs: options.Jobs = None,
        force: options.Force = False,
        dry_run: options.DryRun = False,
    ) -> Outcome:
        """PHOG, LPQ, HOG and LBP of every picture; raw, so that PCA can be fitted per fold."""
        from fercli.config.descriptors import DescriptorConfig
        from fercli.steps import extract_features as step

        given: dict[str, Any] = {
            "descriptors": options.comma_list(descriptors, option="--descriptors") if descriptors else None,
            "phog_bins": phog_bins,
            "phog_angle": phog_angle,
            "phog_levels": phog_levels,
            "phog_canny": phog_canny,
            "lpq_windows": options.comma_list(lpq_window, option="--lpq-window") if lpq_window else None,
            "lpq_grid": lpq_grid,
            "lpq_frequency": lpq_frequency,
            "lpq_decorrelate": lpq_decorrelate,
            "hog_orientations": hog_orientations,
            "hog_cell": hog_cell,
            "hog_block": hog_block,
            "lbp_points": lbp_points,
            "lbp_radius": lbp_radius,
            "lbp_grid": lbp_grid,
        }
        explicit = {key: value for key, value in given.items() if value is not None}
        if pca is not None:
            explicit["pca"] = options.components(pca)
        if backend not in ("loky", "dask"):
            raise UsageError(f"--backend: {backend} is neither loky nor dask", next_step="give one of them")
        config = DescriptorConfig.preset(preset, **explicit)
        request = session.request(name=name, inputs={"dataset": dataset})
        return step.run(
            config,
            request,
            session.store(),
            session.console,
            backend=backend,  # type: ignore[arg-type]
            scheduler=scheduler,
        )
