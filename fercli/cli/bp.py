"""The BP commands: train-bp and prune-bp. A comma list is a sweep: a run per combination, all trained as one stack."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from fercli.cli import options
from fercli.cli.session import Session, command
from fercli.errors import UsageError
from fercli.records import Outcome

PANEL = "Train"
NETWORK, COLUMNS, PRUNING = "Network", "Preprocessing, fitted per fold", "Pruning"


def _option(field: str, panel: str, text: str, default: str, kind: Any = str) -> inspect.Parameter:
    """An option that is None when it is not given, so that what was given is known; the config holds the default."""
    flag = "--" + field.replace("_", "-")
    shown = f"{text.rstrip('.')}; default: {default}."
    annotation = Annotated[kind | None, typer.Option(flag, help=shown, rich_help_panel=panel, show_default=False)]
    return inspect.Parameter(field, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


TRAINING_OPTIONS = (
    _option("hidden", NETWORK, "Hidden units.", "64"),
    _option("optimizer", NETWORK, "adam, sgd or momentum.", "adam"),
    _option("loss", NETWORK, "ce (log of the true output's share), mse or bce.", "ce"),
    _option("output", NETWORK, "sigmoid or softmax output units.", "sigmoid"),
    _option("epochs", NETWORK, "Epochs.", "40"),
    _option("batch_size", NETWORK, "Rows per step; 0: all rows at once.", "32"),
    _option("lr", NETWORK, "Learning rate.", "0.01"),
    _option("momentum", NETWORK, "Momentum of --optimizer momentum.", "0.9"),
    _option("weight_decay", NETWORK, "L2 penalty on weights, not on biases.", "0"),
    _option("patience", NETWORK, "Stop after so many epochs without a lower loss on the inner rows.", "never", int),
    _option("precision", NETWORK, "float32 or float64.", "float32"),
    _option("pca", COLUMNS, "Components per block, a share of the variance, or none.", "as the features say"),
    _option("log", COLUMNS, "auto (skewed columns), none, or column names.", "auto"),
    _option("scaling", COLUMNS, "zscore, minmax or none.", "zscore"),
)
PRUNING_OPTIONS = (
    _option("dead", PRUNING, "Remove a unit whose outputs over the training rows sum to less.", "0.01"),
    _option("saturated", PRUNING, "Remove a unit whose mean output is larger.", "0.9"),
    _option("correlated", PRUNING, "Remove one of two units whose |r| is larger.", "0.9"),
    _option("criterion", PRUNING, "correlation, or angle (Gedeon and Harris' distinctiveness).", "correlation"),
    _option("angle", PRUNING, "Degrees from parallel or antiparallel, for --criterion angle.", "15"),
    _option("absorb", PRUNING, "Hand a removed unit's part to its twin and the biases first.", "no", bool),
    _option("all_at_once", PRUNING, "Remove all that qualify in a round, not one.", "no", bool),
    _option(
        "until_worse", PRUNING, "Go on with the unit least missed, to the size that inner folds choose.", "no", bool
    ),
    _option("inner_k", PRUNING, "Inner folds of --until-worse.", "5"),
    _option("standard_errors", PRUNING, "How far a size may lie above the best of --until-worse.", "1"),
    _option("retrain_epochs", PRUNING, "Epochs of retraining after each round.", "5"),
    _option("max_rounds", PRUNING, "Stop pruning after so many rounds.", "1000"),
)
COLUMN_FIELDS = ("pca", "log", "scaling")
DeviceOption = Annotated[
    str,
    typer.Option(
        "--device",
        help="cpu, cuda, cuda:N or auto; one that is not there is an error. These networks are small: the CPU's "
        "stack is mostly the faster one, and is the default.",
        rich_help_panel=options.RUNNING,
    ),
]
RUNNING_OPTIONS = (
    inspect.Parameter("device", inspect.Parameter.KEYWORD_ONLY, default="cpu", annotation=DeviceOption),
    inspect.Parameter("threads", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=options.Threads),
)


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""

    @command(app, "train-bp", panel=PANEL, shared=(*TRAINING_OPTIONS, *options.PROTOCOL_PARAMETERS, *RUNNING_OPTIONS))
    def train_bp(
        session: Session,
        features: options.Features = None,
        name: options.Name = None,
        force: options.Force = False,
        dry_run: options.DryRun = False,
    ) -> Outcome:
        """Train a sigmoid back-propagation network on every fold, all of them as one stack."""
        from fercli.config.bp import TrainBPConfig
        from fercli.steps import train_bp as step

        store = session.store()

        def one(own: dict[str, Any], run_name: str | None, together: Any) -> Any:
            request = session.request(name=run_name, inputs={"features": features})
            config = TrainBPConfig.of(**_config_values(session, own))
            return step.work(config, request, store, together, default_pca="pca" not in own)

        return _swept(session, store, _given(session, TRAINING_OPTIONS), name, step.DEFAULT_NAME, one)

    @command(
        app,
        "prune-bp",
        panel=PANEL,
        shared=(*PRUNING_OPTIONS, *TRAINING_OPTIONS, *options.PROTOCOL_PARAMETERS, *RUNNING_OPTIONS),
    )
    def prune_bp(
        session: Session,
        features: options.Features = None,
        base: Annotated[
            str | None,
            typer.Option(
                "--from",
                help="Prune the networks of this train-bp run, with its options, folds and data.",
                rich_help_panel=options.INPUTS,
                show_default=False,
            ),
        ] = None,
        name: options.Name = None,
        force: options.Force = False,
        dry_run: options.DryRun = False,
    ) -> Outcome:
        """Train, remove one redundant hidden unit at a time, retrain, until none is left, in every fold."""
        from fercli.config.bp import PruneBPConfig
        from fercli.steps import prune_bp as step

        given = _given(session, (*TRAINING_OPTIONS, *PRUNING_OPTIONS))
        if base is not None:
            _refuse_beside_from(session, given, features)
        store = session.store()

        def one(own: dict[str, Any], run_name: str | None, together: Any) -> Any:
            request = session.request(name=run_name, inputs={"features": features, "run": base})
            config = PruneBPConfig.of(**_config_values(session, own))
            return step.work(config, request, store, together, default_pca="pca" not in own)

        return _swept(session, store, given, name, step.DEFAULT_NAME, one)


def _swept(
    session: Session,
    store: Any,
    given: dict[str, Any],
    name: str | None,
    default_name: str,
    one: Callable[[dict[str, Any], str | None, Any], Any],
) -> Outcome:
    """One run, or one per combination of the values that came as comma lists, trained as one stack.

    `one` checks the options and gives back the work, so that a sweep is refused as a whole before any of it runs.
    """
    from fercli.workflow.bp_devices import bp_device
    from fercli.workflow.bp_together import Together, run_alone
    from fercli.workflow.sweeps import combinations, run_sweep

    together = Together(session.threads, session.console, bp_device(session.values["device"]))
    lists = {
        field: options.comma_list(value, option="--" + field.replace("_", "-"))
        for field, value in given.items()
        if isinstance(value, str) and "," in value and field != "log"
    }
    for field, values in lists.items():
        _refuse_equal(field, values)
    if not lists:
        return run_alone(one(given, name, together), together)
    return run_sweep(
        store,
        name or default_name,
        combinations(lists),
        lambda chosen, run_name: one({**given, **chosen}, run_name, together),
        together,
        dry_run=bool(session.values.get("dry_run")),
    )


def _refuse_equal(field: str, values: list[str]) -> None:
    """UsageError when two values of a sweep are one number in two spellings, which would be trained twice."""
    option = "--" + field.replace("_", "-")
    first: dict[Any, str] = {}
    for value in values:
        try:
            # Of --pca 1 is a number of components and 1.0 a share of the variance.
            number = options.components(value) if field == "pca" else float(value)
        except (UsageError, ValueError):
            continue
        other = first.setdefault((type(number), number), value)
        if other != value:
            raise UsageError(
                f"{option}: {other} and {value} are the same value",
                where=f"{option} {','.join(values)}",
                next_step="give each once",
            )


def _given(session: Session, parameters: tuple[inspect.Parameter, ...]) -> dict[str, Any]:
    """The options that were given, by field."""
    names = [parameter.name for parameter in parameters]
    return {name: session.values[name] for name in names if session.values.get(name) is not None}


def _config_values(session: Session, given: dict[str, Any]) -> dict[str, Any]:
    """The values of a config: what was given, the columns' part and the protocol as configs of their own."""
    from fercli.config.preprocessing import PreprocessingConfig

    columns = {name: given[name] for name in COLUMN_FIELDS if name in given}
    if "pca" in columns:
        columns["pca"] = options.components(columns["pca"])
    if columns.get("log") not in (None, "auto", "none"):
        columns["log"] = tuple(options.comma_list(columns["log"], option="--log"))
    network = {name: value for name, value in given.items() if name not in COLUMN_FIELDS}
    return {
        **network,
        "preprocessing": PreprocessingConfig.of(**columns),
        "protocol": options.protocol_config(session),
    }


def _refuse_beside_from(session: Session, given: dict[str, Any], features: str | None) -> None:
    """UsageError when an option contradicts what `--from` brings along."""
    fixed = [parameter.name for parameter in TRAINING_OPTIONS if parameter.name in given]
    fixed += [
        parameter.name
        for parameter in options.PROTOCOL_PARAMETERS
        if parameter.name != "final_model" and session.values.get(parameter.name) != parameter.default
    ]
    fixed += ["features"] if features is not None else []
    if fixed:
        flags = ", ".join("--" + name.replace("_", "-") for name in fixed)
        raise UsageError(
            f"--from takes data, folds and training options from the run: {flags} cannot be given beside it",
            where=flags,
            next_step="leave them out, or train anew without --from",
        )
