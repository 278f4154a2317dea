"""The model card: what a model is, what it was trained on, how good it is per class, and what it is not for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fercli.records import EXPRESSIONS
from fercli.report.wording import NONE, between, caveats, counted, listed, number, percent, protocol_words

_WEAK = 0.5  # a recall below one half: more pictures of the class are missed than found


@dataclass(frozen=True)
class Card:
    """What a card is written from, all of it records of the run.

    name: of the run. kind: `resnet`, `bp` … model: the variant or yardstick. commands: what was typed, in order.
    fingerprint: of the run. data: name of the data. source: where its pictures came from, "" where unknown.
    rows: {split: {class: rows}} of the data. input: one sentence. parameters: trained numbers, None where unknown.
    weights_bytes: size of the weights. metrics: the run's scores with `intervals`, as `evaluate` has them.
    class_intervals: {class: {"precision", "recall": interval or None}}. note: one more sentence, e.g. on float16.
    """

    name: str
    kind: str
    model: str
    commands: Sequence[str]
    fingerprint: str
    version: str
    data: str
    source: str
    rows: Mapping[str, Mapping[str, int]]
    input: str
    parameters: int | None
    weights_bytes: int | None
    metrics: Mapping[str, Any]
    class_intervals: Mapping[str, Mapping[str, Any]]
    note: str = ""


def model_card(card: Card) -> str:
    """Markdown, in the order in which a reader asks."""
    metrics = card.metrics
    accuracy, macro = metrics["intervals"]["accuracy"], metrics["intervals"]["macro_f1"]
    parts = [
        f"# {card.name}",
        f"A {card.kind} model ({card.model}) that gives each of the labels {listed(list(metrics['classes']))} a "
        f"probability. {card.input}" + (f" {card.note}" if card.note else ""),
        "## How it was made",
        "\n".join(
            [
                "```",
                *card.commands,
                "```",
                "",
                *(f"- {name}: {value}" for name, value in _facts(card)),
            ]
        ),
        "## Data",
        _data(card),
        "## How good it is",
        f"On {counted(metrics['rows'], 'held-out row')} of {metrics['on']} ({metrics['split']}): accuracy "
        f"**{percent(metrics['accuracy'])} %** (95 % interval {between(accuracy)}{_method(accuracy)}), macro-F1 "
        f"{percent(metrics['macro_f1'])} % ({between(macro)}), log loss {number(metrics['log_loss'])}. The commonest "
        f"class alone gives {percent(metrics['majority']['accuracy']['pooled'])} %.",
        f"Protocol: {protocol_words(metrics)}.",
        _table(card),
        "Intervals per class are Wilson's at 95 %, which takes rows as independent; pictures of one person or film "
        "are not, so they are rather too narrow where rows have groups.",
        "## Weaknesses",
        "\n".join(f"- {weakness}" for weakness in weaknesses(card)),
        "## Intended use",
        "Experiments with facial expressions: a baseline to compare with, a first look at pictures of one's own, "
        "teaching. It predicts the label that raters would choose, not what anybody feels. Not for decisions about "
        "people: not to hire, grade, police, insure, diagnose or monitor; in the European Union such use is prohibited "
        "in workplaces and schools and restricted elsewhere (Regulation (EU) 2024/1689).",
        "## Licence",
        "The weights come with fercli's own licence as far as it reaches. The data has its own terms, which may "
        "restrict what models trained on it are used for: FER-2013 and SFEW are given for research. None of its "
        "pictures is in the model.",
    ]
    return "\n\n".join(parts) + "\n"


def weaknesses(card: Card) -> list[str]:
    """What the scores say against the model: weak classes, usual mistakes, rare classes, leaks of the protocol."""
    metrics = card.metrics
    found = []
    for name in metrics["classes"]:
        recall = metrics["per_class"][name]["recall"]
        if recall is not None and recall < _WEAK:
            found.append(f"{name}: {percent(recall)} % of its pictures are recognised{_mostly(metrics, name)}.")
        elif recall is None:
            found.append(f"{name}: no held-out row, so nothing is known about it.")
    absent = [name for name in EXPRESSIONS if name not in metrics["classes"]]
    if absent and len(absent) < len(EXPRESSIONS):
        found.append(f"It does not know {listed(absent)}: such a face is given another label.")
    trained = card.rows.get("train") or card.rows.get("none") or {}
    total = sum(trained.values())
    rare = [name for name, count in trained.items() if total and count < 0.05 * total and name]
    if rare:
        found.append(f"Rare in training, below 5 % of the rows: {listed(rare)}.")
    gap = (metrics["train"]["accuracy"]["mean"] or 0) - (metrics["accuracy"] or 0)
    if gap > 0.1:
        found.append(f"Its accuracy on training rows is {percent(gap)} points higher: it has learned those by heart.")
    found += [sentence[0].upper() + sentence[1:] + "." for sentence in caveats(metrics)]
    found.append("Who is in the data is not recorded, so error rates by age, skin tone or culture are not known.")
    return found


def _method(interval: Mapping[str, Any] | None) -> str:
    return f", {interval['method']}" if interval else ""


def _mostly(metrics: Mapping[str, Any], name: str) -> str:
    """What a class is most often taken for."""
    classes = list(metrics["classes"])
    row = list(metrics["confusion"][classes.index(name)])
    row[classes.index(name)] = 0
    return f"; it is most often taken for {classes[row.index(max(row))]}" if max(row) > 0 else ""


def _facts(card: Card) -> list[tuple[str, str]]:
    facts = [("run", f"{card.name}, fingerprint {card.fingerprint}"), ("fercli", card.version)]
    facts.append(("seed", str(card.metrics["protocol"]["seed"])))
    if card.parameters is not None:
        facts.append(("parameters", f"{card.parameters:,}"))
    if card.weights_bytes is not None:
        facts.append(("weights", f"{card.weights_bytes:,} bytes"))
    return facts


def _data(card: Card) -> str:
    where = f", imported from {card.source}" if card.source else ""
    if not card.rows:
        return f"{card.data}{where}."
    splits = [split for split in card.rows if sum(card.rows[split].values())]
    names = list(dict.fromkeys(name for split in splits for name in card.rows[split]))
    lines = [
        f"{card.data}{where}; rows per class:",
        "",
        "| class | " + " | ".join("no split" if split == "none" else split for split in splits) + " |",
        "|---|" + "---:|" * len(splits),
    ]
    for name in names:
        cells = " | ".join(f"{card.rows[split].get(name, 0):,}" for split in splits)
        lines.append(f"| {_cell(name) or '(no label)'} | {cells} |")
    return "\n".join(lines)


def _table(card: Card) -> str:
    lines = [
        "| class | rows | recall % | interval | precision % | interval | specificity % |",
        "|---|---:|---:|---|---:|---|---:|",
    ]
    for name in card.metrics["classes"]:
        scores, sure = card.metrics["per_class"][name], card.class_intervals.get(name, {})
        cells = [f"{scores['support']:,}"]
        for key in ("recall", "precision"):
            cells += [percent(scores[key]), between(sure.get(key)) if sure else NONE]
        cells.append(percent(scores["specificity"]))
        lines.append(f"| {_cell(name)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    """A class's name as a table cell: a bar would end it."""
    return text.replace("|", "\\|")
