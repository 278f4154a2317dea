"""Xu's tables with ours beside them: accuracies by protocol, table 1, and labels that are one class off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fercli.report.published import DHALL, DHALL_NOTE, XU_BP, XU_NOTE
from fercli.report.tables import Column, Sheet
from fercli.report.wording import copies_words, leak_lines, percent

MEASURES = ("precision", "recall", "specificity")
SMOKE = "NOT THE PAPER'S PROTOCOL"
READINGS = (
    ("Number of hidden units", "64, chosen on inner rows"),
    ("Learning rate and epochs", "Adam at 0.01, 40 epochs in batches of 32, chosen on inner rows"),
    ("Loss", "minus log of the true output's share; mse and bce are options"),
    ("'Normalize'", "z-scores by default (min-max is an option): fitted on each fold's training rows alone"),
    ("HOG and PHOG in the abstract, LPQ and PHOG in the text", "LPQ and PHOG: the sheet's own columns"),
    ("Which 20 folds", "all three readings: file order, random, whole films"),
    ("The patterns whose outputs decide about a unit: all 675", "the fold's training rows; thresholds scale with them"),
    ("Of two doubles, which goes", "the one with the smaller outgoing weights"),
    ("Epochs of retraining after a removal", "5"),
    ("11.62 %, below chance", "not aimed at; the two readings that give it stand in the tables"),
)


@dataclass(frozen=True)
class ProtocolRuns:
    """What was run under one protocol: entries of `runs[]`. key: short name. words: the protocol for people."""

    key: str
    words: str
    pruned: Mapping[str, Any]
    baselines: Sequence[Mapping[str, Any]] = field(default_factory=tuple)

    @property
    def leaks(self) -> tuple[str, ...]:
        """Every known leak of its runs, each once."""
        runs = (self.pruned, *self.baselines)
        return tuple(dict.fromkeys(leak for run in runs for leak in run["protocol"]["leaks"]))


def leak_notes(protocols: Sequence[ProtocolRuns]) -> tuple[str, ...]:
    """The known leaks by protocol, and the copies among training rows with the pruned network's score without them."""
    copies = [(one.words, copies_words(one.pruned)) for one in protocols]
    lines = leak_lines({one.words: one.leaks for one in protocols})
    return (*lines, *(f"BP pruned, {words}: {told}" for words, told in copies if told))


def label_offset(confusion: Sequence[Sequence[int]], offset: int) -> float:
    """Accuracy if a prediction counted as right when it is `offset` classes after the truth, cyclically."""
    classes = len(confusion)
    total = sum(map(sum, confusion))
    return sum(confusion[row][(row + offset) % classes] for row in range(classes)) / total


def accuracy_sheet(protocols: Sequence[ProtocolRuns]) -> Sheet:
    """A row per protocol and model, the papers' own first."""
    rows: list[tuple[Any, ...]] = [
        (XU_BP.name, "20 folds, not said which", None, XU_BP.train_accuracy, XU_BP.accuracy, None, None),
        (DHALL.name, "SPI, 2 sets of persons", None, None, DHALL.accuracy, None, None),
    ]
    for one in protocols:
        run = one.pruned
        stages = (
            ("BP before pruning", float(run["hidden_before"]), run["before"]),
            ("BP pruned", float(run["hidden_after"]["mean"]), run),
            ("BP not pruned, same epochs", float(run["hidden_before"]), run["control"]),
        )
        rows += [(name, one.words, units, *_scores(part)) for name, units, part in stages]
        rows += [(_model(entry), one.words, None, *_scores(entry)) for entry in one.baselines]
        majority = run["majority"]["accuracy"]["pooled"]
        rows.append(("majority of the training rows", one.words, None, None, majority, None, None))
    return Sheet(
        "accuracies",
        "Accuracy by protocol",
        (
            Column("model", "model"),
            Column("protocol", "protocol"),
            Column("units", "units", "decimal"),
            Column("train_accuracy", "train %", "percent"),
            Column("accuracy", "held out %", "percent"),
            Column("macro_f1", "macro-F1 %", "percent"),
            Column("log_loss", "log loss", "number"),
        ),
        tuple(rows),
        (
            XU_NOTE,
            "A gain of the pruned over the last BP row comes from pruning, one it shares from more training.",
            *leak_notes(protocols),
        ),
    )


def _model(entry: Mapping[str, Any]) -> str:
    return str(entry["name"]).rsplit("model-", 1)[-1]


def _scores(part: Mapping[str, Any]) -> tuple[float | None, ...]:
    return part["train"]["accuracy"]["mean"], part["accuracy"], part["macro_f1"], part["log_loss"]


def class_sheet(protocols: Sequence[ProtocolRuns], classes: Sequence[str]) -> Sheet:
    """Table 1: precision, recall and specificity of every class, the papers' beside ours."""
    rows = []
    for measure in MEASURES:
        for name in classes:
            theirs = tuple(getattr(paper, measure).get(name) for paper in (XU_BP, DHALL))
            ours = tuple(one.pruned["per_class"][name][measure] for one in protocols)
            rows.append((measure, name, *theirs, *ours))
    return Sheet(
        "table1",
        "Precision, recall and specificity (Xu's table 1)",
        (
            Column("measure", "measure"),
            Column("class", "class"),
            Column("xu", XU_BP.name, "number"),
            Column("dhall_2011", DHALL.name, "number"),
            *(Column(one.key, one.words, "number") for one in protocols),
        ),
        tuple(rows),
        (f"{XU_BP.source}.", f"{DHALL.source}.", DHALL_NOTE, "Ours: the pruned network.", *leak_notes(protocols)),
    )


def offset_sheet(protocols: Sequence[ProtocolRuns]) -> Sheet:
    """What each protocol would show if the labels of training and test rows were one class apart."""
    return Sheet(
        "label_offset",
        "If labels were one class off between training and test",
        (
            Column("protocol", "protocol"),
            Column("accuracy", "as it is %", "percent"),
            Column("plus_one", "one class later %", "percent"),
            Column("minus_one", "one class earlier %", "percent"),
        ),
        tuple(
            (one.words, one.pruned["accuracy"], *(label_offset(one.pruned["confusion"], by) for by in (1, -1)))
            for one in protocols
        ),
        ("Labels 1 to 7 that meet outputs 0 to 6 give such an offset; Xu prints 11.62 %.", *leak_notes(protocols)),
    )


def lead(protocols: Sequence[ProtocolRuns]) -> list[str]:
    """The result in sentences."""
    scores = [f"{percent(one.pruned['accuracy'])} % under {one.words}" for one in protocols]
    return [
        f"Xu prints {percent(XU_BP.accuracy, 2)} % on held-out rows after {percent(XU_BP.train_accuracy, 2)} % on "
        f"training rows. The pruned network here reaches {'; '.join(scores)}.",
    ]


def readings_sheet() -> Sheet:
    """What the paper does not say, or says twice, and what was taken."""
    return Sheet(
        "readings",
        "Readings",
        (Column("question", "left open or unlike"), Column("reading", "taken here")),
        READINGS,
        ("docs/protocols.md gives the numbers behind each and the command that prints it.",),
    )
