"""The verdict of a report in words: the best run, whether the next is worse for sure, which leaks are known."""

from collections.abc import Mapping, Sequence
from typing import Any

from fercli.report.material import AgainstBest
from fercli.report.wording import best_words, caveats, counted, few, points, verdict

Tests = Mapping[str, AgainstBest]


def judged_verdict(runs: Sequence[Mapping[str, Any]], tests: Tests) -> list[str]:
    """What a set of comparable runs, best first, says; without tests, intervals that overlap take their place."""
    others = [tests[str(run["name"])] for run in runs[1:] if str(run["name"]) in tests]
    return [*best_words(runs), *_rivals(others)] if others else verdict(runs)


def leak_words(runs: Sequence[Mapping[str, Any]]) -> str:
    """How many of these runs have a known leak; the leaks themselves are listed beside it."""
    leaky = [str(run["name"]) for run in runs if caveats(run)]
    if not leaky:
        return "No leak is known."
    if len(runs) == 1:
        return "It has known leaks:"
    return f"{'All' if len(leaky) == len(runs) else few(leaky)} {'has' if len(leaky) == 1 else 'have'} known leaks:"


def _rivals(others: Sequence[AgainstBest]) -> list[str]:
    lines = [_next_words(others[0])]
    tied = [one.other for one in others[1:] if one.verdict == "not distinguishable"]
    if tied:
        first = "Nor can it" if others[0].verdict == "not distinguishable" else "It cannot"
        lines.append(f"{first} be told from {few(tied)}.")
    if len(others) > 1:
        lines.append(f"Its figure is flattered: it is the best of {len(others) + 1} on the rows that score it.")
    return lines


def _next_words(one: AgainstBest) -> str:
    """The best against the next, with the size of the difference and how sure it is."""
    rows = f"on {counted(one.rows, 'row')}" + (" in the repeats that both have" if one.partly else "")
    if one.verdict == "undecided":
        return f"The next, {one.other}, cannot be judged against it {rows}: they are a single group."
    if one.difference == 0 and one.lower == one.upper == 0:
        return f"The next, {one.other}, is right on the very same rows."
    numbers = [f"{points(one.difference)} points"]
    if one.lower is not None and one.upper is not None:
        numbers.append(f"{100 * one.level:g} % interval {points(one.lower)} to {points(one.upper)}")
    if one.p is not None:
        chance = f"p {one.p:.3f}" if one.p >= 0.001 else "p < 0.001"
        numbers.append(chance + (f" after correction for {one.pairs} pairs" if one.pairs > 1 else ""))
    told = f"{rows} ({', '.join(numbers)})"
    if one.verdict == "better":
        return f"It is significantly better than the next, {one.other}, {told}."
    if one.verdict == "worse":
        # possible where one run has more repeats: ranked by all of its own, tested on those that both have
        return f"The next, {one.other}, is significantly better than it {told}."
    return f"The difference to the next, {one.other}, is not significant {told}."
