"""train-resnet."""

import inspect
from pathlib import Path
from typing import Annotated, Any

import typer

from fercli.cli import options
from fercli.cli.many import one_of_many
from fercli.cli.session import Session, command
from fercli.records import Outcome

PANEL = "Train"
NET, LEARNING, SCHEDULE, AUGMENTATION = "Network", "Learning", "Learning rate and stopping", "Augmentation"


def _value(name: str, kind: Any, text: str, panel: str) -> inspect.Parameter:
    """An option over the recipe's value; None where it was not given."""
    flag = "--" + name.replace("_", "-")
    spelled = f"{flag}/--no-{name}" if kind is bool else flag
    option = typer.Option(spelled, help=text, rich_help_panel=panel, show_default=False)
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, option]
    )


# Every value of a recipe, in the order of the help; bounds stand in `config/resnet.py`.
RECIPE_PARAMETERS = (
    _value("variant", str, "See --list-variants; default: the recipe's, else xu-resnet.", NET),
    _value("stem", str, "imagenet (7x7, max pooling), small-pool or small (3x3).", NET),
    _value("width", int, "Channels of the cnn's first stage; default: 32.", NET),
    _value("head_width", int, "Units of each of Du's two blocks; default: 64.", NET),
    _value("se", bool, "Squeeze-and-excitation in every residual block.", NET),
    _value("dropout", float, "Share of the units dropped before the output, or in Du's blocks.", NET),
    _value("drop_path", float, "Stochastic depth: probability that the last block is left out.", NET),
    _value("weights", str, "none, imagenet, or a .safetensors or .pth file; default: none.", NET),
    _value("epochs", int, "Passes over the training rows.", LEARNING),
    _value("batch_size", int, "Pictures per forward pass.", LEARNING),
    _value("accumulate", int, "Batches per optimizer step.", LEARNING),
    _value("optimizer", str, "adam, adamw, sgd, momentum or nesterov.", LEARNING),
    _value("momentum", float, "Of --optimizer momentum and nesterov.", LEARNING),
    _value("weight_decay", float, "On kernels and weight matrices.", LEARNING),
    _value("label_smoothing", float, "Share of each label spread over all classes.", LEARNING),
    _value("class_weights", str, "none, or balanced: every class weighs the same in the loss.", LEARNING),
    _value("distil_from", str, "Learn from this run's networks too, fold by fold.", LEARNING),
    _value("distil_weight", float, "Part of the loss that is the teacher's; default: 0.5.", LEARNING),
    _value("distil_temperature", float, "Softens what both networks say; default: 1.", LEARNING),
    _value("lr", float, "Learning rate at the start.", SCHEDULE),
    _value("schedule", str, "constant, cosine or plateau.", SCHEDULE),
    _value("warmup", float, "Epochs of linear rise before the cosine.", SCHEDULE),
    _value("plateau_factor", float, "What a plateau multiplies the rate by.", SCHEDULE),
    _value("plateau_patience", int, "Epochs that make a plateau.", SCHEDULE),
    _value("min_lr", float, "Floor of the plateau schedule.", SCHEDULE),
    _value("patience", int, "Epochs without progress until training stops; 0 = never.", SCHEDULE),
    _value("keep", str, "last, or best: the epoch with the lowest monitored loss.", SCHEDULE),
    _value("ema", float, "Epochs that the average of the weights reaches back; 0 = the weights themselves.", SCHEDULE),
    _value("flip", bool, "Mirror half of the pictures.", AUGMENTATION),
    _value("shift", int, "Pixels of translation.", AUGMENTATION),
    _value("crop", int, "Train on random squares of so many pixels; 0 = whole pictures.", AUGMENTATION),
    _value("rotate", float, "Degrees.", AUGMENTATION),
    _value("scale", float, "Share by which pictures are made larger or smaller.", AUGMENTATION),
    _value("brightness", float, "Share of the brightness.", AUGMENTATION),
    _value("erase", float, "Probability of a blanked rectangle.", AUGMENTATION),
    _value("mixup", float, "Blend pictures and labels by shares from Beta(A, A); 0 = off.", AUGMENTATION),
    _value("cutmix", float, "Paste rectangles with their share of the label, Beta(A, A); 0 = off.", AUGMENTATION),
    _value("views", str, "Score the mean over none, flip (mirrored too) or ten-crop.", AUGMENTATION),
    _value("precision", str, "auto, fp32 or bf16; auto: bf16 on a GPU that has it, else fp32.", options.RUNNING),
    _value("compile", bool, "torch.compile the training pass; off, its gain is not measured yet.", options.RUNNING),
)


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""

    @command(app, "train-resnet", panel=PANEL, shared=(*RECIPE_PARAMETERS, *options.PROTOCOL_PARAMETERS))
    def train_resnet(
        session: Session,
        dataset: options.Dataset = None,
        recipe: Annotated[
            str,
            typer.Option(
                "--recipe", help="default, xu, du or strong: values for all that follows.", rich_help_panel=NET
            ),
        ] = "default",
        list_variants: Annotated[
            bool, typer.Option("--list-variants", help="Name, size and cost of every variant.", rich_help_panel=NET)
        ] = False,
        size: Annotated[
            str, typer.Option("--size", help="N or HxW in pixels, for --list-variants.", rich_help_panel=NET)
        ] = "48",
        color: Annotated[
            str, typer.Option("--color", help="gray or rgb, for --list-variants.", rich_help_panel=NET)
        ] = "gray",
        classes: Annotated[int, typer.Option("--classes", min=2, help="For --list-variants.", rich_help_panel=NET)] = 7,
        device: Annotated[
            str,
            typer.Option(
                "--device",
                help="cpu, cuda, cuda:N, mps or auto; one that is not there is an error.",
                rich_help_panel=options.RUNNING,
            ),
        ] = "auto",
        sync_batch_norm: Annotated[
            bool,
            typer.Option(
                "--sync-batch-norm",
                help="With torchrun on GPUs: batch norm over the batches of all processes.",
                rich_help_panel=options.RUNNING,
            ),
        ] = False,
        tensorboard: Annotated[
            Path | None,
            typer.Option(
                "--tensorboard",
                help="Folder for TensorBoard's event files, beside history.csv.",
                rich_help_panel=options.RUNNING,
                show_default=False,
            ),
        ] = None,
        name: options.Name = None,
        threads: options.Threads = None,
        force: options.Force = False,
        dry_run: options.DryRun = False,
    ) -> Outcome:
        """A ResNet, or a plain net beside it, on every fold; a killed run goes on to the same result."""
        from fercli.config.resnet import ResNetConfig
        from fercli.steps import train_resnet as step

        if list_variants:
            return step.list_variants(options.size_of(size) or (48, 48), color, classes)
        session.refuse_idle("size", "color", "classes", without="--list-variants")
        given = {parameter.name: session.values[parameter.name] for parameter in RECIPE_PARAMETERS}
        with one_of_many(session):
            return step.run(
                ResNetConfig.of_recipe(recipe, **given),
                options.protocol_config(session),
                session.request(name=name, inputs={"dataset": dataset}),
                session.store(),
                session.console,
                device=device,
                synchronised=sync_batch_norm,
                tensorboard=tensorboard,
            )
