"""Gates that a pipeline stands on: `--require "accuracy>=0.55,macro_f1>=0.5"`."""

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fercli.errors import UsageError
from fercli.evaluation.metrics import SCORES

PER_CLASS = ("precision", "recall", "specificity")
COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_EXPRESSION = re.compile(r"\s*([\w.\- ]+?)\s*(>=|<=|>|<)\s*([-+.\deE]+)(\s*%)?\s*")
LEGAL = f"{', '.join(SCORES)}, and {', '.join(f'{name}.CLASS' for name in PER_CLASS)}"


@dataclass(frozen=True)
class Gate:
    """One condition on one score, e.g. accuracy >= 0.55."""

    expression: str
    score: str
    comparison: str
    threshold: float


def parse_gates(text: str) -> tuple[Gate, ...]:
    """The gates of a comma list; UsageError naming the legal scores for whatever cannot be meant.

    A score is one of `SCORES` or `recall.CLASS` (precision, specificity alike); a threshold is a number, or a
    percentage with its sign: `accuracy>=55%`.
    """
    gates = []
    for part in text.split(","):
        expression = part.strip()
        match = _EXPRESSION.fullmatch(part)
        if match is None:
            raise UsageError(
                f"not a gate: {expression!r}",
                where=f"--require {text}",
                next_step='write SCORE>=NUMBER, with >=, <=, > or <, e.g. --require "accuracy>=0.55,macro_f1>=0.5"',
            )
        name, comparison, number, percent = match.groups()
        if name not in SCORES and not (name.partition(".")[0] in PER_CLASS and name.partition(".")[2]):
            raise UsageError(
                f"no score is called {name!r}",
                where=f"--require {text}",
                next_step=f"the scores are {LEGAL}",
            )
        try:
            threshold = float(number) / (100 if percent else 1)
        except ValueError:
            threshold = math.nan
        if not math.isfinite(threshold):
            raise UsageError(
                f"not a number: {number!r} in {expression!r}",
                where=f"--require {text}",
                next_step="give the threshold as a number, e.g. accuracy>=0.55 or accuracy>=55%",
            )
        gates.append(Gate(expression, name, comparison, threshold))
    return tuple(gates)


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)


def _value(metrics: Mapping[str, Any], score: str) -> float | None:
    """The score's value; UsageError for a class that the run does not have."""
    if score in SCORES:
        return _number(metrics[score])
    kind, _, name = score.partition(".")
    if name not in metrics["per_class"]:
        raise UsageError(
            f"no class is called {name!r}",
            where=f"--require {score}",
            next_step=f"the classes of {metrics.get('name', 'this run')} are {', '.join(metrics['per_class'])}",
        )
    return _number(metrics["per_class"][name][kind])


def check_gates(gates: Sequence[Gate], metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """[{expression, value, passed}] on one scored set; an undefined score never passes."""
    answers = []
    for gate in gates:
        value = _value(metrics, gate.score)
        passed = value is not None and COMPARISONS[gate.comparison](value, gate.threshold)
        answers.append({"expression": gate.expression, "value": value, "passed": passed})
    return answers
