"""Where a reproduction is known to differ from its paper, and why; and which runs it is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fercli.report.tables import Column, Sheet

_COMMON = (
    (
        "Where log, scaling, PCA and weights are fitted",
        "not said",
        "on the training rows of each fold",
        "held-out rows must not shape what scores them",
    ),
    ("Random numbers", "not given", "a seed fixed before the first run", "another seed gives another figure"),
)
DIFFERENCES: Mapping[str, tuple[tuple[str, str, str, str], ...]] = {
    "xu": (
        (
            "Rows",
            "675 patterns",
            "the rows of the published sheet with a label and all features: 674",
            "one row of the sheet cannot be used",
        ),
        (
            "Which rows are held out",
            "20 folds, not said which",
            "whole films first; file order and random folds beside them",
            "frames of one film share persons and light, so random folds flatter",
        ),
        (
            "Patterns that decide whether a unit goes",
            "all 675",
            "the training rows of the fold, thresholds scaled",
            "a decision on held-out rows would be a leak",
        ),
        (
            "Network without pruning",
            "none",
            "trained as long, nothing removed",
            "else the gain of longer training is taken for one of pruning",
        ),
        (
            "Principal components of the sheet",
            "from all rows",
            "the same: the sheet holds components, not descriptors",
            "nothing here can undo it; every table says so",
        ),
        *_COMMON,
    ),
    "xu-resnet": (
        (
            "Which frames are held out",
            "not said; one training and one test accuracy",
            "random folds and whole films, every frame held out once",
            "a single split of 675 frames moves by several points",
        ),
        (
            "Optimizer, learning rate, batch, epochs",
            "not said",
            "Adam at 0.001, batches of 32, 30 epochs, the last epoch scored",
            "choosing an epoch by held-out rows would be a leak",
        ),
        ("Classes in tables", "'Neural' and 'Neutral'", "neutral", "a slip of the paper"),
        *_COMMON,
    ),
    "du": (
        (
            "Rows that the callbacks watch",
            "validation rows, it seems",
            "the same, said under every table",
            "the paper's protocol; its figure is the best of the epochs on the rows that score it",
        ),
        (
            "Test rows (PrivateTest)",
            "not told apart from validation",
            "never scored",
            "they are for a last look, which the ledger counts",
        ),
        (
            "Copies",
            "not mentioned",
            "counted; scores with and without them",
            "FER-2013 has validation rows that equal training rows pixel for pixel",
        ),
        ("Training rows", "'287039'", "28,709", "a slip of the paper"),
        ("Classes", "'six categories'", "seven", "a slip of the paper; its figure 5 has seven"),
        ("Runs", "one", "one for each of several seeds, mean and sd", "a single run cannot say how far luck reaches"),
        *_COMMON[:1],
    ),
}


@dataclass(frozen=True)
class RunLine:
    """A run as the page names it. device: its type; "cpu" for what runs nowhere else. epochs: None where none."""

    name: str
    kind: str
    seed: str
    device: str
    precision: str | None
    epochs: int | None
    command: str


def differences_sheet(paper: str) -> Sheet:
    """What is known to differ, and why."""
    return Sheet(
        "differences",
        "Known to differ, and why",
        (Column("what", "what"), Column("paper", "the paper"), Column("here", "here"), Column("why", "why")),
        DIFFERENCES[paper],
    )


def runs_sheet(runs: Sequence[RunLine]) -> Sheet:
    """Every run with its device and the command that made it."""
    return Sheet(
        "runs",
        "Runs behind this page",
        (
            Column("run", "run"),
            Column("kind", "kind"),
            Column("seed", "seed"),
            Column("device", "device"),
            Column("precision", "precision"),
            Column("epochs", "epochs", "count"),
            Column("command", "command"),
        ),
        tuple((run.name, run.kind, run.seed, run.device, run.precision, run.epochs, run.command) for run in runs),
    )
