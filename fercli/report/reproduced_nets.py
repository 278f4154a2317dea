"""Du's and Xu's tables of ResNets with ours beside them."""

from collections.abc import Mapping, Sequence
from statistics import mean, stdev
from typing import Any

from fercli.report.published import DU, XU_RESNET
from fercli.report.tables import Column, Sheet
from fercli.report.wording import copies_words, leak_lines, percent, points, shared_copies

Metrics = Mapping[str, Any]
MEASURES = ("precision", "recall", "specificity")
DU_READINGS = (
    ("Learning rate, batch size, patience", "0.001, 64 and 20: from the public template that the head resembles"),
    ("Width of the two blocks", "64 (the template has 32): --head-width"),
    ("ImageNet weights", "none; --weights imagenet is the other reading"),
    ("Which rows the callbacks watch", "the validation rows, which are also the scored ones: tables say so"),
    ("Shortcut", "around block 2, the only block whose width stays"),
    ("'287039 images for training'", "28,709"),
)
XU_READINGS = (
    ("Optimizer, rate, batch and epochs of the ResNet", "Adam at 0.001, 32, 30: the paper gives none of them"),
    ("Division into training and test rows", "random folds, whole films, and one 80/20 split, side by side"),
    ("Precision, recall and specificity of table 2", "over all held-out rows"),
)


def _spread(values: Sequence[float]) -> float | None:
    return stdev(values) if len(values) > 1 else None


def du_sheet(runs: Mapping[str, Sequence[Metrics]]) -> Sheet:
    """Table 1: a row per network. runs: variant -> the metrics of its seeds."""
    rows = []
    for variant, seeds in runs.items():
        scores, losses = [run["accuracy"] for run in seeds], [run["test"]["loss"]["mean"] for run in seeds]
        trained = mean(run["train"]["accuracy"]["mean"] for run in seeds)
        theirs = DU[variant]
        gap = trained - mean(scores)
        rows.append(
            (variant, *theirs, mean(scores), _spread(scores), mean(losses), _spread(losses), trained, gap, len(seeds))
        )
    return Sheet(
        "table1",
        "Accuracy and cross entropy (Du's table 1)",
        (
            Column("model", "model"),
            Column("paper_accuracy", "paper %", "percent"),
            Column("paper_loss", "paper: loss", "number"),
            Column("accuracy", "ours %", "percent"),
            Column("accuracy_sd", "sd", "percent"),
            Column("loss", "ours: loss", "number"),
            Column("loss_sd", "sd", "number"),
            Column("train_accuracy", "train %", "percent"),
            Column("gap", "train − held out", "percent"),
            Column("seeds", "seeds", "count"),
        ),
        tuple(rows),
        ("The gap between training and held-out rows is overfitting.", *_leaks(runs)),
    )


def _leaks(runs: Mapping[str, Sequence[Metrics]]) -> tuple[str, ...]:
    """The known leaks of several networks, and the copies, with each run's score without them."""
    lines = leak_lines({name: [leak for run in own for leak in run["protocol"]["leaks"]] for name, own in runs.items()})
    return (*lines, *shared_copies([run for own in runs.values() for run in own]))


def _by_protocol(runs: Mapping[str, Metrics], words: Mapping[str, str]) -> tuple[str, ...]:
    """The known leaks of each protocol's run, and the copies."""
    lines = leak_lines({words[key]: run["protocol"]["leaks"] for key, run in runs.items()})
    copies = [(words[key], copies_words(run)) for key, run in runs.items()]
    return (*lines, *(f"{name}: {told}" for name, told in copies if told))


def du_lead(runs: Mapping[str, Sequence[Metrics]]) -> list[str]:
    """The result in sentences."""
    ours = {variant: mean(run["accuracy"] for run in seeds) for variant, seeds in runs.items()}
    plain, improved = (ours[variant] for variant in DU)
    (theirs, _), (better, _) = DU.values()
    return [
        f"Du prints {percent(theirs, 2)} % for ResNet50 and {percent(better, 2)} % for the improved one. Here they "
        f"reach {percent(plain, 2)} % and {percent(improved, 2)} %: a difference of {points(improved - plain)} "
        f"points, where the paper has {points(better - theirs)}.",
    ]


def frames_sheet(runs: Mapping[str, Metrics], words: Mapping[str, str]) -> Sheet:
    """Accuracy by protocol: the paper's, each of ours, and the first random fold as the one split it is."""
    rows: list[tuple[Any, ...]] = [
        (XU_RESNET.name, "not said", XU_RESNET.train_accuracy, XU_RESNET.accuracy, 0.65, None, None)
    ]
    for key, run in runs.items():
        trained = run["train"]["accuracy"]["mean"]
        gap = trained - run["accuracy"]
        rows.append(("xu-resnet", words[key], trained, run["accuracy"], gap, run["macro_f1"], run["log_loss"]))
    first, folds = runs["random"]["folds"][0], runs["random"]["folds"]
    share = round(100 / runs["random"]["protocol"]["k"])
    rows.append(
        ("xu-resnet", f"one {100 - share}/{share} split", None, first["accuracy"], None, None, first["log_loss"])
    )
    scores = [fold["accuracy"] for fold in folds]
    return Sheet(
        "accuracy",
        "Accuracy by protocol",
        (
            Column("model", "model"),
            Column("protocol", "protocol"),
            Column("train_accuracy", "train %", "percent"),
            Column("accuracy", "held out %", "percent"),
            Column("gap", "train − held out", "percent"),
            Column("macro_f1", "macro-F1", "number"),
            Column("log_loss", "log loss", "number"),
        ),
        tuple(rows),
        (
            f"{XU_RESNET.source}.",
            f"The one split is the first of the random folds; all {len(folds)} of them range from "
            f"{percent(min(scores))} to {percent(max(scores))} %.",
            "The gap between training and held-out rows is what the paper calls over-fitting.",
            *_by_protocol(runs, words),
        ),
    )


def frames_class_sheet(runs: Mapping[str, Metrics], words: Mapping[str, str]) -> Sheet:
    """Table 2: precision, recall and specificity of every class, the paper's beside ours."""
    classes = next(iter(runs.values()))["classes"]
    rows = [
        (
            measure,
            name,
            getattr(XU_RESNET, measure).get(name),
            *(run["per_class"][name][measure] for run in runs.values()),
        )
        for measure in MEASURES
        for name in classes
    ]
    return Sheet(
        "table2",
        "Precision, recall and specificity (Xu's table 2)",
        (
            Column("measure", "measure"),
            Column("class", "class"),
            Column("xu", XU_RESNET.name, "number"),
            *(Column(key, words[key], "number") for key in runs),
        ),
        tuple(rows),
        (f"{XU_RESNET.source}.", *_by_protocol(runs, words)),
    )


def frames_lead(runs: Mapping[str, Metrics], words: Mapping[str, str]) -> list[str]:
    """The result in sentences."""
    scores = [f"{percent(run['accuracy'])} % under {words[key]}" for key, run in runs.items()]
    return [
        "Xu prints about 30 % on test and about 95 % on training rows, and does not say how frames were divided. "
        f"The same structure reaches here {'; '.join(scores)}.",
    ]


def readings_sheet(paper: str) -> Sheet:
    """What the paper leaves open, and how it is read here."""
    return Sheet(
        "readings",
        "Left open by the paper",
        (Column("open", "left open"), Column("read", "read here as")),
        DU_READINGS if paper == "du" else XU_READINGS,
    )


def structure_sheet(variant: str, layers: Sequence[tuple[str, str, str, int, int]]) -> Sheet:
    """The parts of a network in the order of its forward pass: name, kind, output, parameters, multiply-adds."""
    return Sheet(
        f"structure-{variant}",
        f"Structure of {variant}",
        (
            Column("part", "part"),
            Column("ends_in", "ends in"),
            Column("output", "output"),
            Column("parameters", "parameters", "count"),
            Column("multiply_adds", "multiply-adds", "count"),
        ),
        tuple(layers),
    )
